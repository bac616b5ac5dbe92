"""`sagemaker tune`: search for hyperparameters with a tuning job."""

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from training.blazingtext.hyperparameters import SUPERVISED
from training.cli.options import number
from training.sagemaker.cli.job import Job
from training.sagemaker.cli.options import add_command, add_job_options, add_settings
from training.sagemaker.cli.train import describe_data, describe_settings, find_training_faults, send
from training.sagemaker.jobs.inputs import open_prepared
from training.sagemaker.jobs.tuning import (
    DEFAULT_RANGES,
    best,
    find_range_faults,
    find_range_warnings,
    to_search_ranges,
    write_table,
)
from training.sagemaker.layout import LONGEST_OF_TUNING
from training.sagemaker.requests import Search, tuning_request
from training.sagemaker.sdk import Sagemaker
from training.sagemaker.validation import Range

# SageMaker's limits (developer guide, automatic-model-tuning-limits).
_MOST_JOBS = 750
_MOST_AT_ONCE = 10


def add_tune(commands: Any) -> None:
    command = add_command(commands, "tune", "search for good hyperparameters on AWS", _tune)
    command.add_argument("prepared", type=Path, metavar="DIR", help="the output of `python -m training prepare`")
    search = command.add_argument_group("search")
    search.add_argument(
        "--range",
        type=_parse_range,
        action="append",
        dest="ranges",
        default=[],
        metavar="NAME=LOW:HIGH",
        help=f"search this hyperparameter (default: {_describe_ranges(DEFAULT_RANGES)})",
    )
    search.add_argument("--jobs", type=number(int, 1, _MOST_JOBS), default=20, help="total (default: %(default)s)")
    search.add_argument(
        "--parallel",
        type=number(int, 1, _MOST_AT_ONCE),
        default=2,
        help="jobs at a time; with fewer, each learns more from the others (default: %(default)s)",
    )
    search.add_argument("--strategy", choices=["Bayesian", "Random"], default="Bayesian", help="default: %(default)s")
    search.add_argument("--seed", type=number(int, 1), default=1, help="default: %(default)s")
    search.add_argument("--figure", type=Path, metavar="FILE.png", help="draw the results")
    add_settings(command)
    add_job_options(command, "ml.c5.2xlarge", minutes=15, max_cost=10.0)


def _tune(options: argparse.Namespace) -> None:
    prepared, fixed = open_prepared(options.prepared), dict(options.settings)
    job = Job(options, "tuning", "tune", LONGEST_OF_TUNING)
    ranges = dict(options.ranges) or {name: each for name, each in DEFAULT_RANGES.items() if name not in fixed}
    faults = find_range_faults(ranges, fixed)
    faults += [] if prepared.has_validation else ["tuning needs validation rows; prepare some (--validation)"]
    cost = job.check([*faults, *find_training_faults(job, fixed, prepared)], options.jobs)
    search = Search(to_search_ranges(ranges), options.jobs, options.parallel, options.strategy, options.seed)
    settings = {"mode": SUPERVISED, **fixed}
    channels = prepared.channels(job.place)
    request = tuning_request(job.name, options.role, job.image, job.place, job.machines, settings, channels, search)
    plan = [
        *describe_data(prepared, job.place),
        ("search", f"{_describe_ranges(ranges)}; {search.strategy}, {search.jobs} jobs, {search.parallel} at once"),
        ("settings", describe_settings(settings)),
        ("machines", f"each job: {job.machines.describe()}"),
        ("cost", cost.describe(job.region)),
        *(("note", note) for note in (*find_range_warnings(ranges), *prepared.notes())),
    ]
    if job.create(request, plan, lambda: send(job, prepared)):
        job.wait()
        print_trials(job.account.sagemaker, job.name, job.region, options.figure)


def print_trials(sagemaker: Sagemaker, name: str, region: str, figure: Path | None) -> None:
    """Print a tuning job's trials as a table, and draw them to `figure` if given."""
    trials = sagemaker.trials(name)
    if not trials:
        print(f"{name} has no training job yet.")
        return
    print(write_table(trials), end="")
    if figure and best(trials):
        from training.sagemaker.jobs.tuning_figure import draw

        draw(trials, figure)
        print(f"Wrote {figure}")
    if best(trials):
        print(f"Next: python -m training sagemaker fetch {name} DATA_DIR --out MODEL_DIR --region {region}")


def _describe_ranges(ranges: Mapping[str, Range]) -> str:
    return ", ".join(f"{name} {each.low:g} to {each.high:g}" for name, each in ranges.items())


def _parse_range(text: str) -> tuple[str, Range]:
    name, equals, ends = text.partition("=")
    low, colon, high = ends.partition(":")
    try:
        if not (name and equals and colon):
            raise ValueError
        return name, Range(float(low), float(high))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=LOW:HIGH, such as epochs=5:15") from None
