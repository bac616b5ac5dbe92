"""`sagemaker transform`: classify past messages, on AWS or over the local endpoint."""

import argparse
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from tqdm import tqdm

from classifier_infra.model.artefact import ARCHIVE
from classifier_infra.model.model import Model, load_model
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
    price,
    read_image,
    read_machines,
    read_name,
    read_place,
)
from training.sagemaker.cli.watch import Left, describe_way_back, watch
from training.sagemaker.errors import JobError, Refused
from training.sagemaker.jobs.batch import (
    Parts,
    Shard,
    open_parts,
    read_shards,
    read_transformed,
    to_transform,
    write_answers,
)
from training.sagemaker.jobs.inputs import Upload, checksum
from training.sagemaker.jobs.local_transform import classify_locally, local_endpoint
from training.sagemaker.layout import LONGEST, Place, split_uri
from training.sagemaker.requests import model_request, transform_request
from training.sagemaker.s3 import download, upload
from training.sagemaker.sdk import Sagemaker
from training.sagemaker.service_model import instance_types
from training.sagemaker.states import JobState
from training.sagemaker.validation import check_instance

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

# Small enough that a part lost costs little, large enough that a request is worth its way.
_LOCAL_SHARD = 1_000
# A bad line fails its object, so objects are not too large; objects are what is spread over the machines.
_SHARD = 10_000
_MOST_NAMED = 5


def add_transform(commands: Any) -> None:
    command = add_command(commands, "transform", "classify past messages", _transform)
    command.add_argument("messages", type=Path, metavar="FILE.jsonl", help='a line a message: {"id": …, "text": …}')
    command.add_argument("model", type=Path, metavar="MODEL_DIR", help="the model folder")
    command.add_argument("--out", type=Path, required=True, metavar="FILE.jsonl", help="where to write the answers")
    how = command.add_mutually_exclusive_group()
    how.add_argument("--local", action="store_true", help="over the local endpoint, not on AWS")
    how.add_argument("--collect", metavar="JOB", help="take the answers of a job that was created before")
    add_place(command, is_needed=False)
    add_machines(command, "ml.c5.xlarge", minutes=60, with_spot=False, with_count=True)
    add_consent(command)
    add_job(command)


def _transform(options: argparse.Namespace) -> None:
    if not options.messages.is_file():
        raise Refused([f"{options.messages}: there is no such file"])
    if options.local:
        _transform_locally(options)
    else:
        _transform_on_aws(options)


def _transform_locally(options: argparse.Namespace) -> None:
    model = load_model(options.model, in_memory=False)
    parts = open_parts(options.messages, model.manifest.version, options.out, _LOCAL_SHARD)
    with (
        _progress(options.messages) as bar,
        local_endpoint(options.model) as url,
        options.messages.open(encoding="utf-8", errors="replace") as lines,
    ):
        classify_locally(url, model, read_shards(lines, _LOCAL_SHARD), parts, bar.update)
    _finish(parts)


def _progress(messages: Path) -> "tqdm[NoReturn]":
    return tqdm(desc=f"Classifying {messages.name}", unit=" messages", disable=None, leave=False)


def _finish(parts: Parts) -> None:
    classified, failed = parts.join()
    print(f"Wrote {parts.out}: {classified:,} message{'s' * (classified != 1)} classified")
    if failed:
        print(f"Wrote {parts.failures}: {failed:,} that could not be, with the reasons")


# --- On AWS -----------------------------------------------------------------------------------------------------


def _transform_on_aws(options: argparse.Namespace) -> None:
    if not options.bucket:
        raise Refused(["name a bucket with --bucket, or classify on this machine with --local"])
    session, region = open_session(options.region)
    name, place, machines = read_name(options, "past", LONGEST), read_place(options, region), read_machines(options)
    model = load_model(options.model, in_memory=False)
    parts = open_parts(options.messages, model.manifest.version, options.out, _SHARD)
    missing = sum(1 for shard in _shards(options.messages) if not parts.has(shard))
    faults = [
        *check_role(options),
        *check_instance(machines.instance, instance_types("Transform"), "transform"),
        *check_ceiling(options, machines),
    ]
    if faults:
        raise Refused(faults)
    model_uri = place.uri("models", model.manifest.version, ARCHIVE)
    model_asked = model_request(name, options.role, read_image(region), model_uri)
    asked = transform_request(name, name, place, machines)
    check_request("CreateModel", model_asked)
    check_request("CreateTransformJob", asked)
    if options.collect:
        sagemaker, s3 = Sagemaker(session, region), session.client("s3")
        _take(options, sagemaker, s3, place, options.collect, model, parts)
    elif missing:
        plan = [
            ("messages", f"{options.messages}: {missing} part{'s' * (missing != 1)} of up to {_SHARD:,} to classify"),
            ("model", model.manifest.version),
            ("machines", f"{machines.count} × {machines.instance}"),
            ("cost", price(options, machines).describe(region)),
            ("note", f"transform jobs have no time limit: the cost is that of {options.max_minutes} minutes"),
        ]
        ask(options, f"Batch transform job {name} in {region}", plan)
        sagemaker, s3 = Sagemaker(session, region), session.client("s3")
        check_bucket(s3, place.bucket, region)
        _send(s3, place, name, options, model, parts)
        sagemaker.create_model(model_asked)
        sagemaker.create("CreateTransformJob", asked)
        print(f"Created {name}")
        if options.no_wait:
            print(f"{describe_way_back(name, region)}; then take its answers: the same command with --collect {name}")
            return
        _take(options, sagemaker, s3, place, name, model, parts)
    _finish(parts)


def _take(
    options: argparse.Namespace,
    sagemaker: Sagemaker,
    s3: "S3Client",
    place: Place,
    name: str,
    model: Model,
    parts: Parts,
) -> None:
    """Wait for a job and take its answers, also of one that failed for a part. Raises JobError where parts are left."""
    failure = ""
    try:
        watch(partial(_look, sagemaker, name), tuple, name, place.region, options.poll)
    except Left as error:
        raise Left(f"{error}; then take its answers: the same command with --collect {name}") from error
    except JobError as error:
        failure = str(error)
    _collect(s3, place, name, _shards(options.messages), model, parts)
    left = [shard.number for shard in _shards(options.messages) if not parts.has(shard)]
    if left:
        lines = ", ".join(f"{number * _SHARD + 1:,} to {(number + 1) * _SHARD:,}" for number in left[:_MOST_NAMED])
        raise JobError(
            f"{failure or f'job {name} left parts out'}\n"
            f"{len(left)} part{'s' * (len(left) != 1)} missing (messages {lines}): start again, and only they are sent"
        )


def _shards(messages: Path) -> Iterator[Shard]:
    with messages.open(encoding="utf-8", errors="replace") as lines:
        yield from read_shards(lines, _SHARD)


def _send(s3: "S3Client", place: Place, name: str, options: argparse.Namespace, model: Model, parts: Parts) -> None:
    archive = options.model / ARCHIVE
    upload(s3, place, [Upload(archive, place.key("models", model.manifest.version, ARCHIVE), checksum(archive))])
    with tempfile.TemporaryDirectory(prefix="transform-") as scratch, _progress(options.messages) as bar:
        for shard in _shards(options.messages):
            if not parts.has(shard):
                path = Path(scratch) / shard.name
                path.write_bytes(to_transform(shard, len(model.raw_labels)))
                key = place.key("transform", name, "input", shard.name)
                upload(s3, place, [Upload(path, key, checksum(path))])
                path.unlink()
            bar.update(len(shard.messages))


def _look(sagemaker: Sagemaker, name: str) -> JobState:
    state = sagemaker.transform(name)
    if state is None:
        raise Refused([f"there is no transform job {name!r} in this region and account"])
    return state


def _collect(s3: "S3Client", place: Place, name: str, shards: Iterator[Shard], model: Model, parts: Parts) -> None:
    """Take what the job has answered, as parts; of an object with a bad line there is no answer."""
    bucket, prefix = split_uri(place.uri("transform", name, "output") + "/")
    answered = _list_keys(s3, bucket, prefix)
    with tempfile.TemporaryDirectory(prefix="transform-") as scratch:
        for shard in shards:
            key = f"{prefix}{shard.name}.out"
            if parts.has(shard) or key not in answered:
                continue
            path = Path(scratch) / shard.name
            download(s3, bucket, key, path)
            with path.open(encoding="utf-8") as output:
                parts.put(shard, write_answers(shard, read_transformed(shard, output, model)))
            path.unlink()


def _list_keys(s3: "S3Client", bucket: str, prefix: str) -> set[str]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return {found["Key"] for page in pages for found in page.get("Contents", ())}
