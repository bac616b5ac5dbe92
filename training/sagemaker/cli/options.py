"""Options shared by the commands of `python -m training sagemaker`."""

from functools import partial
from pathlib import Path
from typing import Any

from training.cli import options
from training.cli.options import number, parse_setting

EXAMPLES = """\
examples (docs/sagemaker.md shows their output):
  python -m training prepare my-data --out build/prepared
  python -m training sagemaker train build/prepared --bucket my-models --role arn:aws:iam::123456789012:role/Training \\
      --set epochs=10 --set vector_dim=16 --spot
  python -m training sagemaker status triage-train-261122-101500-1a2b --wait
  python -m training sagemaker fetch triage-train-261122-101500-1a2b my-data --out build/models/mine
  python -m training sagemaker tune build/prepared --bucket my-models --role … --jobs 20
  python -m training sagemaker transform past.jsonl build/models/mine --out labelled.jsonl --local

Region and credentials are found as the AWS CLI finds them (AWS_PROFILE, AWS_DEFAULT_REGION, …).
Commands that cost money show their maximum cost and ask for confirmation; --yes confirms.

exit codes: 0 success, 1 AWS or the job failed, 2 refused before creating anything, 130 interrupted (the job continues)
"""

add_command = partial(options.add_command, epilog=EXAMPLES)

_MOST_MINUTES = 28 * 24 * 60


def add_region(command: Any) -> None:
    command.add_argument("--region", help="AWS region (default: from the profile or the environment)")


def add_poll(command: Any) -> None:
    command.add_argument(
        "--poll",
        type=number(float, 0.01, 3600),
        default=15.0,
        metavar="SECONDS",
        help="interval between status checks (default: %(default)s)",
    )


def add_settings(command: Any) -> None:
    command.add_argument(
        "--set",
        type=parse_setting,
        action="append",
        default=[],
        dest="settings",
        metavar="NAME=VALUE",
        help="a BlazingText hyperparameter (epochs, learning_rate, vector_dim, word_ngrams, …); repeatable",
    )


def add_job_options(
    command: Any,
    instance: str,
    minutes: int,
    max_cost: float = 5.0,
    needs_bucket: bool = True,
    spot: bool = True,
    several: bool = False,
) -> None:
    """Add the options of commands that create jobs: where, machines, money, job.

    `instance`, `minutes` and `max_cost` (USD) are defaults; `spot` and `several` offer spot and several machines.
    """
    where = command.add_argument_group("where")
    add_region(where)
    where.add_argument("--bucket", required=needs_bucket, help="S3 bucket for data and models, in the same region")
    where.add_argument("--prefix", default="blazing-triage", help="folder in the bucket (default: %(default)s)")
    where.add_argument("--role", metavar="ARN", help="IAM role of the job (docs/sagemaker.md has its policy)")
    where.add_argument("--kms-key", metavar="ARN", help="encryption key (default: the bucket's own, AES-256)")

    machines = command.add_argument_group("machines")
    machines.add_argument("--instance", default=instance, help="instance type (default: %(default)s)")
    if several:
        count = number(int, 1, 100)
        machines.add_argument("--instances", type=count, default=1, help="number of machines (default: %(default)s)")
    machines.add_argument(
        "--max-minutes",
        type=number(int, 1, _MOST_MINUTES),
        default=minutes,
        metavar="N",
        help="time after which the job is stopped (default: %(default)s)",
    )
    machines.add_argument(
        "--volume-gb", type=number(int, 1, 16384), default=30, metavar="N", help="disk size (default: %(default)s)"
    )
    if spot:
        text = "use spot machines, up to 90 %% cheaper; an interrupted job restarts"
        machines.add_argument("--spot", action="store_true", help=text)

    money = command.add_argument_group("money")
    money.add_argument(
        "--max-cost",
        type=number(float, 0, 1e6),
        default=max_cost,
        metavar="USD",
        help="refuse jobs that could cost more (default: %(default)s)",
    )
    money.add_argument("--prices", type=Path, metavar="FILE", help="price table (default: the included one)")
    money.add_argument("--yes", action="store_true", help="do not ask for confirmation")

    job = command.add_argument_group("job")
    job.add_argument("--job", metavar="NAME", help="a name that was never used before (default: a new one)")
    job.add_argument("--no-wait", action="store_true", help="return as soon as the job is created")
    add_poll(job)
