"""`sagemaker tune`: many training jobs, each with hyperparameters that the ones before suggest."""

import argparse
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

from training.blazingtext.hyperparameters import SUPERVISED
from training.cli.options import number
from training.sagemaker.aws import check_bucket, open_session
from training.sagemaker.cli.options import (
    add_command,
    add_consent,
    add_job,
    add_machines,
    add_place,
    ask,
    check_request,
    describe_machines,
    describe_settings,
    price,
    read_image,
    read_machines,
    read_name,
    read_place,
)
from training.sagemaker.cli.train import add_settings, check_job, describe_data, send
from training.sagemaker.cli.watch import describe_way_back, watch
from training.sagemaker.errors import Refused
from training.sagemaker.jobs.inputs import open_prepared
from training.sagemaker.jobs.tuning import (
    DEFAULT_RANGES,
    best,
    find_range_doubts,
    find_range_faults,
    to_searched,
    write_table,
)
from training.sagemaker.layout import LONGEST_OF_TUNING
from training.sagemaker.requests import Search, tuning_request
from training.sagemaker.sdk import Sagemaker
from training.sagemaker.states import JobState
from training.sagemaker.validation import Range

# What the service allows (developer guide, automatic-model-tuning-limits).
_MOST_JOBS = 750
_MOST_AT_ONCE = 10


def add_tune(commands: Any) -> None:
    command = add_command(commands, "tune", "search for good hyperparameters on AWS", _tune)
    command.add_argument("prepared", type=Path, metavar="DIR", help="what `python -m training prepare` wrote")
    search = command.add_argument_group("search")
    ranges = ", ".join(f"{name} {each.low:g} to {each.high:g}" for name, each in DEFAULT_RANGES.items())
    search.add_argument(
        "--range",
        type=_parse_range,
        action="append",
        dest="ranges",
        default=[],
        metavar="NAME=LOW:HIGH",
        help=f"search this hyperparameter (default: {ranges})",
    )
    search.add_argument("--jobs", type=number(int, 1, _MOST_JOBS), default=20, help="in all (default: %(default)s)")
    search.add_argument(
        "--parallel",
        type=number(int, 1, _MOST_AT_ONCE),
        default=2,
        help="at once; with fewer, more is learnt from each (default: %(default)s)",
    )
    search.add_argument("--strategy", choices=["Bayesian", "Random"], default="Bayesian", help="default: %(default)s")
    search.add_argument("--seed", type=number(int, 1), default=1, help="default: %(default)s")
    search.add_argument("--figure", type=Path, metavar="FILE.png", help="draw the results")
    add_settings(command)
    add_place(command)
    add_machines(command, "ml.c5.2xlarge", minutes=15)
    add_consent(command, ceiling=10.0)
    add_job(command)


def _tune(options: argparse.Namespace) -> None:
    prepared = open_prepared(options.prepared)
    session, region = open_session(options.region)
    name, place = read_name(options, "tune", LONGEST_OF_TUNING), read_place(options, region)
    machines, given = read_machines(options), dict(options.settings)
    ranges = dict(options.ranges) or {name: each for name, each in DEFAULT_RANGES.items() if name not in given}
    faults = find_range_faults(ranges, given)
    faults += [] if prepared.has_validation else ["tuning needs validation rows; prepare some (--validation)"]
    check_job(options, given, prepared, machines, options.jobs, faults)
    search = Search(to_searched(ranges), options.jobs, options.parallel, options.strategy, options.seed)
    request = tuning_request(
        name,
        options.role,
        read_image(region),
        place,
        machines,
        {"mode": SUPERVISED, **given},
        prepared.channels(place),
        search,
    )
    check_request("CreateHyperParameterTuningJob", request)
    plan = [
        *describe_data(prepared, place),
        ("search", f"{_describe_ranges(ranges)}; {search.strategy}, {search.jobs} jobs, {search.parallel} at once"),
        ("settings", describe_settings({"mode": SUPERVISED, **given})),
        ("machines", f"each job: {describe_machines(machines)}"),
        ("cost", price(options, machines, options.jobs).describe(region)),
        *(("note", doubt) for doubt in find_range_doubts(ranges)),
        *(("note", note) for note in prepared.notes()),
    ]
    ask(options, f"Tuning job {name} in {region}", plan)
    sagemaker, s3 = Sagemaker(session, region), session.client("s3")
    check_bucket(s3, place.bucket, region)
    if sagemaker.tuning(name):
        raise Refused([f"there has been a tuning job {name!r}; leave --job out for a new name"])
    send(s3, place, prepared)
    sagemaker.create("CreateHyperParameterTuningJob", request)
    print(f"Created {name}")
    if options.no_wait:
        print(describe_way_back(name, region))
        return
    watch(partial(look_at_tuning, sagemaker, name), tuple, name, region, options.poll)
    print_trials(sagemaker, name, region, options.figure)


def look_at_tuning(sagemaker: Sagemaker, name: str) -> JobState:
    """Raises Refused where there is no such job."""
    state = sagemaker.tuning(name)
    if state is None:
        raise Refused([f"there is no tuning job {name!r} in this region and account"])
    return state


def print_trials(sagemaker: Sagemaker, name: str, region: str, figure: Path | None) -> None:
    """Show what the jobs of a tuning job have come to, as a table and, where asked for, as a figure."""
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
        raise argparse.ArgumentTypeError(f"{text!r} is no NAME=LOW:HIGH, such as epochs=5:15") from None
