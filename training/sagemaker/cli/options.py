"""What the commands of `python -m training sagemaker` share: where, on what, for how much, and the question."""

import argparse
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from classifier_infra.endpoint.requests import NotOffered, blazingtext_image
from classifier_infra.pricing.prices import PriceError, load_prices
from training.cli.options import number
from training.sagemaker.errors import JobError, Refused
from training.sagemaker.layout import Place, check_name, job_name
from training.sagemaker.requests import Cost, Machines, Request, most
from training.sagemaker.service_model import find_violations

EXAMPLES = """\
examples (docs/sagemaker.md shows each with what it prints):
  python -m training prepare my-data --out build/prepared
  python -m training sagemaker train build/prepared --bucket my-models --role arn:aws:iam::123456789012:role/Training \\
      --set epochs=10 --set vector_dim=16 --spot
  python -m training sagemaker status triage-train-261122-101500-1a2b --wait
  python -m training sagemaker fetch triage-train-261122-101500-1a2b my-data --out build/models/mine
  python -m training sagemaker tune build/prepared --bucket my-models --role … --jobs 20
  python -m training sagemaker transform past.jsonl build/models/mine --out labelled.jsonl --local

Region and credentials are found as the AWS command line finds them (AWS_PROFILE, AWS_DEFAULT_REGION, …).
Everything that costs money shows the most it can cost and asks first; --yes answers the question.

exit codes: 0 done, 1 AWS or the job failed, 2 refused before anything was created, 130 interrupted (a job goes on)
"""

_SECONDS_A_MINUTE = 60
# Jobs of algorithms that make no checkpoints, BlazingText among them, may wait for spot machines no longer.
_LONGEST_SPOT_MINUTES = 60
_MOST_MINUTES = 28 * 24 * 60


def add_command(commands: Any, name: str, purpose: str, run: Callable[[argparse.Namespace], None]) -> Any:
    """Add a command of `sagemaker`."""
    command = commands.add_parser(
        name,
        help=purpose,
        description=f"{purpose[0].upper()}{purpose[1:]}.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=run)
    return command


# --- Where ----------------------------------------------------------------------------------------------------


def add_region(command: Any) -> None:
    command.add_argument("--region", help="AWS region (default: that of the profile or the environment)")


def add_place(command: Any, is_needed: bool = True) -> None:
    where = command.add_argument_group("where")
    add_region(where)
    where.add_argument("--bucket", required=is_needed, help="S3 bucket for data and models, in the same region")
    where.add_argument("--prefix", default="blazing-triage", help="folder in the bucket (default: %(default)s)")
    where.add_argument("--role", metavar="ARN", help="IAM role that the job runs as (docs/sagemaker.md has its policy)")
    where.add_argument("--kms-key", metavar="ARN", help="encrypt with this key (default: the bucket's own, AES-256)")


def read_place(options: argparse.Namespace, region: str) -> Place:
    return Place(options.bucket, options.prefix.strip("/"), region, options.kms_key)


def read_image(region: str) -> str:
    """Give BlazingText's image. Raises Refused."""
    try:
        return blazingtext_image(region)
    except NotOffered as error:
        raise Refused([str(error)]) from error


def check_role(options: argparse.Namespace) -> list[str]:
    if options.role:
        return []
    return [
        "no role is named for the job; give --role arn:aws:iam::…:role/… (docs/sagemaker.md has the policy it needs)"
    ]


# --- On what --------------------------------------------------------------------------------------------------


def add_machines(command: Any, instance: str, minutes: int, with_spot: bool = True, with_count: bool = False) -> None:
    machines = command.add_argument_group("machines")
    machines.add_argument("--instance", default=instance, help="instance type (default: %(default)s)")
    if with_count:
        machines.add_argument(
            "--instances", type=number(int, 1, 100), default=1, help="how many (default: %(default)s)"
        )
    machines.add_argument(
        "--max-minutes",
        type=number(int, 1, _MOST_MINUTES),
        default=minutes,
        metavar="N",
        help="a job that runs longer is stopped (default: %(default)s)",
    )
    machines.add_argument(
        "--volume-gb", type=number(int, 1, 16384), default=30, metavar="N", help="disk (default: %(default)s)"
    )
    if with_spot:
        machines.add_argument(
            "--spot",
            action="store_true",
            help="take spare machines, up to 90 %% cheaper; an interrupted job begins anew",
        )


def read_machines(options: argparse.Namespace) -> Machines:
    spot = getattr(options, "spot", False)
    return Machines(
        options.instance,
        getattr(options, "instances", 1),
        options.volume_gb,
        options.max_minutes * _SECONDS_A_MINUTE,
        _LONGEST_SPOT_MINUTES * _SECONDS_A_MINUTE if spot else None,
    )


def check_spot(machines: Machines) -> list[str]:
    """A spot job of BlazingText has an hour, its wait for a machine included."""
    if machines.max_wait_seconds is None or machines.max_seconds <= machines.max_wait_seconds:
        return []
    return [
        f"a spot job of an algorithm without checkpoints has {_LONGEST_SPOT_MINUTES} minutes in all; "
        f"give --max-minutes {_LONGEST_SPOT_MINUTES} or less, or leave --spot out"
    ]


def describe_machines(machines: Machines) -> str:
    kind = f"spot, waiting up to {machines.max_wait_seconds // 60} min" if machines.max_wait_seconds else "on demand"
    return (
        f"{machines.count} × {machines.instance}, {machines.volume_gb} GB, {kind}, "
        f"stopped after {machines.max_seconds // 60} min"
    )


# --- For how much ---------------------------------------------------------------------------------------------


def add_consent(command: Any, ceiling: float = 5.0) -> None:
    money = command.add_argument_group("money")
    money.add_argument(
        "--max-cost",
        type=number(float, 0, 1e6),
        default=ceiling,
        metavar="USD",
        help="refuse what could cost more (default: %(default)s)",
    )
    money.add_argument("--prices", type=Path, metavar="FILE", help="a price table of your own (default: the dated one)")
    money.add_argument("--yes", action="store_true", help="do not ask")


def price(options: argparse.Namespace, machines: Machines, jobs: int = 1) -> Cost:
    """Give the most that jobs can cost. Raises Refused."""
    try:
        return most(load_prices(options.prices), machines, jobs)
    except PriceError as error:
        raise Refused([str(error)]) from error


def check_ceiling(options: argparse.Namespace, machines: Machines, jobs: int = 1) -> list[str]:
    """Tell where jobs can cost more than they may, or where nobody knows what they cost."""
    try:
        cost = price(options, machines, jobs)
    except Refused as refusal:
        return [*refusal.faults]
    if cost.usd <= options.max_cost:
        return []
    return [
        f"this can cost {cost.usd:.2f} USD, more than the ceiling of {options.max_cost:.2f}; "
        "allow less time (--max-minutes), take a smaller machine, or raise --max-cost"
    ]


def ask(options: argparse.Namespace, what: str, rows: Sequence[tuple[str, str]]) -> None:
    """Show what is about to be created, then ask. Raises Refused where nobody can answer, JobError at a no."""
    width = max(len(name) for name, _ in rows)
    print(what)
    for name, text in rows:
        print(f"  {name:<{width}}  {text}")
    if options.yes:
        return
    if not sys.stdin.isatty():
        raise Refused(["nobody can be asked here (this is no terminal); give --yes to create it"])
    if input("Create it? [y/N] ").strip().lower() not in ("y", "yes"):
        raise JobError("Nothing was created.")


# --- The job --------------------------------------------------------------------------------------------------


def add_job(command: Any) -> None:
    job = command.add_argument_group("job")
    job.add_argument("--job", metavar="NAME", help="its name, never used before (default: a new one)")
    job.add_argument("--no-wait", action="store_true", help="come back as soon as it is created")
    add_poll(job)


def add_poll(command: Any) -> None:
    command.add_argument(
        "--poll",
        type=number(float, 0.01, 3600),
        default=15.0,
        metavar="SECONDS",
        help="between two looks at a job (default: %(default)s)",
    )


def read_name(options: argparse.Namespace, purpose: str, longest: int) -> str:
    """Give the job's name, or a new one. Raises Refused."""
    if options.job:
        return check_name(options.job, longest)
    return job_name(purpose, datetime.now(UTC), secrets.randbits(16))


def parse_setting(text: str) -> tuple[str, str]:
    """argparse's type of NAME=VALUE."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"{text!r} is no NAME=VALUE")
    return name, value


def describe_settings(hyperparameters: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in hyperparameters.items())


def check_request(operation: str, request: Request) -> None:
    """See that the service model accepts a request. Raises Refused."""
    violations = find_violations(operation, request)
    if violations:
        raise Refused(violations)
