"""`sagemaker transform`: classify past messages on AWS or with the local endpoint."""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from tqdm import tqdm

from classifier_infra.model.artefact import ARCHIVE
from classifier_infra.model.model import Model, load_model
from training.data.dataset import checksum
from training.sagemaker import JobError, Refused
from training.sagemaker.cli.job import Interrupted, Job, check_request
from training.sagemaker.cli.options import add_command, add_job_options
from training.sagemaker.jobs.batch import (
    Parts,
    Shard,
    open_parts,
    read_shards,
    read_transformed,
    to_transform,
    write_answers,
)
from training.sagemaker.jobs.inputs import Upload
from training.sagemaker.jobs.local_transform import classify_locally, local_endpoint
from training.sagemaker.requests import Request, model_request, transform_request
from training.sagemaker.s3 import download, list_keys, upload
from training.sagemaker.service_model import instance_types
from training.sagemaker.validation import check_instance

# Small enough that little is lost with one, large enough for full requests.
_LOCAL_SHARD = 1_000
# A bad line fails its whole object, so objects are limited; SageMaker spreads whole objects over the machines.
_SHARD = 10_000
_MOST_NAMED = 5


def add_transform(commands: Any) -> None:
    command = add_command(commands, "transform", "classify past messages", _transform)
    command.add_argument("messages", type=Path, metavar="FILE.jsonl", help='one message per line: {"id": …, "text": …}')
    command.add_argument("model", type=Path, metavar="MODEL_DIR", help="the model folder")
    command.add_argument("--out", type=Path, required=True, metavar="FILE.jsonl", help="where to write the answers")
    how = command.add_mutually_exclusive_group()
    how.add_argument("--local", action="store_true", help="with the local endpoint, not on AWS")
    how.add_argument("--collect", metavar="JOB", help="only collect the answers of a job that was created before")
    add_job_options(command, "ml.c5.xlarge", minutes=60, needs_bucket=False, spot=False, several=True)


def _transform(options: argparse.Namespace) -> None:
    if not options.messages.is_file():
        raise Refused(f"{options.messages}: no such file")
    if not options.local and not options.bucket:
        raise Refused("name a bucket with --bucket, or classify on this machine with --local")
    job = None if options.local else Job(options, "transform", "past", results="answers")
    size = _SHARD if job else _LOCAL_SHARD
    model = load_model(options.model, in_memory=False)
    parts = open_parts(options.messages, model.manifest.version, options.out, size)
    if job is None:
        with _progress(options.messages) as bar, local_endpoint(options.model) as url:
            classify_locally(url, model, _read_shards(options.messages, size), parts, bar.update)
    elif options.collect or any(not parts.has(shard) for shard in _read_shards(options.messages)):
        if not options.collect and not _create(options, job, model, parts):
            return
        _collect(options.messages, job, model, parts)
    classified, failed = parts.join()
    print(f"Wrote {parts.out}: {classified:,} message{'s' * (classified != 1)} classified")
    if failed:
        print(f"Wrote {parts.failures}: {failed:,} not classified, with reasons")


def _progress(messages: Path) -> "tqdm[NoReturn]":
    return tqdm(desc=f"Classifying {messages.name}", unit=" messages", disable=None, leave=False)


def _read_shards(messages: Path, size: int | None = None) -> Iterator[Shard]:
    with messages.open(encoding="utf-8", errors="replace") as lines:
        yield from read_shards(lines, size or _SHARD)


# --- On AWS -----------------------------------------------------------------------------------------------------


def _create(options: argparse.Namespace, job: Job, model: Model, parts: Parts) -> bool:
    cost = job.check(check_instance(job.machines.instance, instance_types("Transform"), "transform"))
    version, missing = model.manifest.version, sum(not parts.has(shard) for shard in _read_shards(options.messages))
    creation = model_request(job.name, options.role, job.image, job.place.uri("models", version, ARCHIVE))
    check_request("CreateModel", creation)
    plan = [
        ("messages", f"{options.messages}: {missing} part{'s' * (missing != 1)} of up to {_SHARD:,} to classify"),
        ("model", version),
        ("machines", f"{job.machines.count} × {job.machines.instance}"),
        ("cost", cost.describe(job.region)),
        ("note", f"transform jobs have no time limit; the cost is for {options.max_minutes} minutes"),
    ]
    request = transform_request(job.name, job.name, job.place, job.machines)
    return job.create(request, plan, lambda: _send(options, job, model, parts, creation))


def _send(options: argparse.Namespace, job: Job, model: Model, parts: Parts, creation: Request) -> None:
    """Upload the model and the shards without answers, and create the model. Raises JobError."""
    archive, place, s3 = options.model / ARCHIVE, job.place, job.account.s3
    upload(s3, place, [Upload(archive, place.key("models", model.manifest.version, ARCHIVE), checksum(archive))])
    with tempfile.TemporaryDirectory(prefix="transform-") as scratch, _progress(options.messages) as bar:
        for shard in _read_shards(options.messages):
            if not parts.has(shard):
                path = Path(scratch) / shard.name
                path.write_bytes(to_transform(shard, len(model.raw_labels)))
                upload(s3, place, [Upload(path, place.key("transform", job.name, "input", shard.name), checksum(path))])
                path.unlink()
            bar.update(len(shard.messages))
    job.account.sagemaker.create_model(creation)


def _collect(messages: Path, job: Job, model: Model, parts: Parts) -> None:
    """Wait for the job and save its answers, even those of a failed job. Raises JobError if answers are missing."""
    failure = f"job {job.name} left parts out"
    try:
        job.wait()
    except Interrupted:
        raise
    except JobError as error:
        failure = str(error)
    _save_answers(messages, job, model, parts)
    left = [shard.number for shard in _read_shards(messages) if not parts.has(shard)]
    if left:
        lines = ", ".join(f"{number * _SHARD + 1:,} to {(number + 1) * _SHARD:,}" for number in left[:_MOST_NAMED])
        missing = f"{len(left)} part{'s' * (len(left) != 1)} missing (messages {lines})"
        raise JobError(f"{failure}\n{missing}; run the command again to send only these")


def _save_answers(messages: Path, job: Job, model: Model, parts: Parts) -> None:
    """Save the job's answers as parts. An object with a bad line has no answers."""
    s3, bucket, prefix = job.account.s3, job.place.bucket, job.place.key("transform", job.name, "output") + "/"
    answered = set(list_keys(s3, bucket, prefix))
    with tempfile.TemporaryDirectory(prefix="transform-") as scratch:
        for shard in _read_shards(messages):
            key = f"{prefix}{shard.name}.out"
            if parts.has(shard) or key not in answered:
                continue
            path = Path(scratch) / shard.name
            download(s3, bucket, key, path)
            with path.open(encoding="utf-8") as output:
                parts.put(shard, write_answers(shard, read_transformed(shard, output, model)))
            path.unlink()
