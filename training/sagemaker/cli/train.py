"""`sagemaker train`: one BlazingText training job."""

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from training.blazingtext.hyperparameters import SUPERVISED, as_strings, estimate_bytes, resolve
from training.sagemaker.aws import check_bucket, open_session
from training.sagemaker.cli.options import (
    add_command,
    add_consent,
    add_job,
    add_machines,
    add_place,
    ask,
    check_ceiling,
    check_request,
    check_role,
    check_spot,
    describe_machines,
    describe_settings,
    parse_setting,
    price,
    read_image,
    read_machines,
    read_name,
    read_place,
)
from training.sagemaker.cli.watch import describe_way_back, watch
from training.sagemaker.errors import Refused
from training.sagemaker.jobs.inputs import Prepared, open_prepared
from training.sagemaker.layout import LONGEST, Place
from training.sagemaker.logs import LogStream
from training.sagemaker.requests import Cost, Machines, spent, training_request
from training.sagemaker.s3 import upload
from training.sagemaker.sdk import Sagemaker
from training.sagemaker.service_model import instance_types
from training.sagemaker.states import JobState
from training.sagemaker.validation import check_training_instance, find_doubts, find_faults

_MEGABYTE = 1e6
_MOST_BYTES_IN_MEMORY = 64_000_000


def add_train(commands: Any) -> None:
    command = add_command(commands, "train", "train on AWS, with BlazingText", _train)
    command.add_argument("prepared", type=Path, metavar="DIR", help="what `python -m training prepare` wrote")
    add_settings(command)
    add_place(command)
    add_machines(command, "ml.c5.2xlarge", minutes=60)
    add_consent(command)
    add_job(command)


def add_settings(command: Any) -> None:
    command.add_argument(
        "--set",
        type=parse_setting,
        action="append",
        default=[],
        dest="settings",
        metavar="NAME=VALUE",
        help="a hyperparameter, under BlazingText's own name (epochs, learning_rate, vector_dim, word_ngrams, …)",
    )


def _train(options: argparse.Namespace) -> None:
    prepared = open_prepared(options.prepared)
    session, region = open_session(options.region)
    name, place, machines = read_name(options, "train", LONGEST), read_place(options, region), read_machines(options)
    given = dict(options.settings)
    check_job(options, given, prepared, machines)
    cost = price(options, machines)
    request = training_request(
        name,
        options.role,
        read_image(region),
        place,
        machines,
        {"mode": SUPERVISED, **given},
        prepared.channels(place),
    )
    check_request("CreateTrainingJob", request)
    ask(options, f"Training job {name} in {region}", _describe(prepared, place, machines, given, cost, region))
    sagemaker, s3 = Sagemaker(session, region), session.client("s3")
    check_bucket(s3, place.bucket, region)
    check_unused(sagemaker, name)
    send(s3, place, prepared)
    sagemaker.create("CreateTrainingJob", request)
    print(f"Created {name}")
    if options.no_wait:
        print(describe_way_back(name, region))
        return
    state = watch(
        lambda: look_at_training(sagemaker, name),
        LogStream(session.client("logs"), name).new_lines,
        name,
        region,
        options.poll,
    )
    print_end(state, cost.hour, region)


def check_job(
    options: argparse.Namespace,
    given: dict[str, str],
    prepared: Prepared,
    machines: Machines,
    jobs: int = 1,
    found: Sequence[str] = (),
) -> None:
    """Find everything else that is wrong with jobs that train, beside what was found. Raises Refused."""
    faults = [
        *found,
        *check_role(options),
        *find_faults(SUPERVISED, given, prepared.has_validation),
        *check_training_instance(machines.instance, machines.count, SUPERVISED, instance_types("Training")),
        *check_spot(machines),
        *check_ceiling(options, machines, jobs),
    ]
    if faults:
        raise Refused(faults)


def _describe(
    prepared: Prepared, place: Place, machines: Machines, given: dict[str, str], cost: Cost, region: str
) -> list[tuple[str, str]]:
    values = resolve(SUPERVISED, given)
    megabytes = estimate_bytes(values, words=0) / _MEGABYTE
    size = f"over {megabytes:,.0f} MB" if megabytes >= 1 else "a few MB"
    doubts = find_doubts(SUPERVISED, given)
    if megabytes * _MEGABYTE > _MOST_BYTES_IN_MEMORY:
        doubts.append(
            "a model over 64 MB has no copy inside the bot's functions: fewer buckets or a smaller vector_dim"
        )
    doubts += prepared.notes()
    return [
        *describe_data(prepared, place),
        ("machine", describe_machines(machines)),
        ("settings", describe_settings(as_strings(SUPERVISED, values))),
        ("model", size),
        ("cost", cost.describe(region)),
        *(("note", doubt) for doubt in doubts),
    ]


def describe_data(prepared: Prepared, place: Place) -> list[tuple[str, str]]:
    counted = ", ".join(f"{prepared.lines[split]:,} {split}" for split in prepared.files)
    return [
        ("data", f"{prepared.folder}: lines for {counted} ({prepared.total_bytes / _MEGABYTE:,.1f} MB)"),
        ("to", place.uri("data", prepared.digest)),
    ]


def check_unused(sagemaker: Sagemaker, name: str) -> None:
    """Raises Refused where there has been a job of that name."""
    if sagemaker.training(name):
        raise Refused([f"there has been a job {name!r}, and names are never used again; leave --job out for a new one"])


def send(s3: Any, place: Place, prepared: Prepared) -> None:
    """Put a prepared folder into the bucket, but for what is there. Raises JobError."""
    files = prepared.uploads(place)
    total = sum(file.path.stat().st_size for file in files)
    with tqdm(total=total, desc="Uploading", unit="B", unit_scale=True, disable=None, leave=False) as bar:
        sent = upload(s3, place, files, bar.update)
    there = len(files) - sent
    print(f"Uploaded {sent} file{'s' * (sent != 1)}" + (f"; {there} were there already" if there else ""))


def look_at_training(sagemaker: Sagemaker, name: str) -> JobState:
    """Raises Refused where there is no such job."""
    state = sagemaker.training(name)
    if state is None:
        raise Refused([f"there is no training job {name!r} in this region and account"])
    return state


def print_end(state: JobState, hour: float | None, region: str) -> None:
    """Say what a training job has come to, and what is next."""
    accuracies = [f"{name.replace(':', ' ')} {value:.4f}" for name, value in sorted(state.metrics.items())]
    billed = f"{state.billable_seconds} s billed" if state.billable_seconds else ""
    dollars = f"about {spent(hour, state.count, state.billable_seconds):.3f} USD" if hour and billed else ""
    print(", ".join([f"Job {state.name}: {state.status}", *accuracies, *filter(None, (billed, dollars))]))
    print(f"Next: python -m training sagemaker fetch {state.name} DATA_DIR --out MODEL_DIR --region {region}")
