"""`sagemaker train`: run one BlazingText training job."""

import argparse
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from classifier_infra.model.model import MOST_BYTES_IN_MEMORY
from training.blazingtext.hyperparameters import SUPERVISED, as_strings, estimate_bytes, resolve
from training.sagemaker.cli.job import Job
from training.sagemaker.cli.options import add_command, add_job_options, add_settings
from training.sagemaker.jobs.inputs import Prepared, open_prepared
from training.sagemaker.layout import Place
from training.sagemaker.requests import actual_cost, training_request
from training.sagemaker.service_model import instance_types
from training.sagemaker.states import JobState
from training.sagemaker.validation import check_training_instance, find_faults, find_warnings

_MEGABYTE = 1e6


def add_train(commands: Any) -> None:
    command = add_command(commands, "train", "train on AWS with BlazingText", _train)
    command.add_argument("prepared", type=Path, metavar="DIR", help="the output of `python -m training prepare`")
    add_settings(command)
    add_job_options(command, "ml.c5.2xlarge", minutes=60)


def _train(options: argparse.Namespace) -> None:
    prepared, given = open_prepared(options.prepared), dict(options.settings)
    job = Job(options, "training", "train")
    cost = job.check(find_training_faults(job, given, prepared))
    request = training_request(
        job.name,
        options.role,
        job.image,
        job.place,
        job.machines,
        {"mode": SUPERVISED, **given},
        prepared.channels(job.place),
    )
    values = resolve(SUPERVISED, given)
    megabytes = estimate_bytes(values, words=0) / _MEGABYTE
    plan = [
        *describe_data(prepared, job.place),
        ("machine", job.machines.describe()),
        ("settings", describe_settings(as_strings(SUPERVISED, values))),
        ("model", f"over {megabytes:,.0f} MB" if megabytes >= 1 else "a few MB"),
        ("cost", cost.describe(job.region)),
        *(("note", note) for note in _notes(given, megabytes)),
        *(("note", note) for note in prepared.notes()),
    ]
    if job.create(request, plan, lambda: send(job, prepared)):
        print_outcome(job.wait(), cost.hour, job.region)


def find_training_faults(job: Job, given: Mapping[str, str], prepared: Prepared) -> Iterator[str]:
    """Yield the faults of the hyperparameters and machines of supervised training."""
    yield from find_faults(SUPERVISED, given, prepared.has_validation)
    machines = job.machines
    yield from check_training_instance(machines.instance, machines.count, SUPERVISED, instance_types("Training"))


def _notes(given: Mapping[str, str], megabytes: float) -> Iterator[str]:
    yield from find_warnings(SUPERVISED, given)
    if megabytes * _MEGABYTE > MOST_BYTES_IN_MEMORY:
        yield (
            f"a model over {MOST_BYTES_IN_MEMORY / _MEGABYTE:.0f} MB is too large for the bot's functions to classify "
            "with when the endpoint is down; use fewer buckets or a smaller vector_dim"
        )


def describe_data(prepared: Prepared, place: Place) -> list[tuple[str, str]]:
    counted = ", ".join(f"{prepared.lines[split]:,} {split}" for split in prepared.files)
    return [
        ("data", f"{prepared.folder}: lines for {counted} ({prepared.total_bytes / _MEGABYTE:,.1f} MB)"),
        ("to", place.uri("data", prepared.digest)),
    ]


def describe_settings(hyperparameters: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in hyperparameters.items())


def send(job: Job, prepared: Prepared) -> None:
    """Upload the files of a prepared folder that are not in the bucket yet. Raises JobError."""
    files = prepared.uploads(job.place)
    sent = job.upload(files)
    skipped = len(files) - sent
    print(f"Uploaded {sent} file{'s' * (sent != 1)}" + (f"; {skipped} already there" if skipped else ""))


def print_outcome(state: JobState, hour: float | None, region: str) -> None:
    """Print the outcome of a training job, its cost at `hour` USD per hour, and the next command."""
    accuracies = [f"{name.replace(':', ' ')} {value:.4f}" for name, value in sorted(state.metrics.items())]
    billed = f"{state.billable_seconds} s billed" if state.billable_seconds else ""
    dollars = f"about {actual_cost(hour, state.count, state.billable_seconds):.3f} USD" if hour and billed else ""
    print(", ".join([f"Job {state.name}: {state.status}", *accuracies, *filter(None, (billed, dollars))]))
    print(f"Next: python -m training sagemaker fetch {state.name} DATA_DIR --out MODEL_DIR --region {region}")
