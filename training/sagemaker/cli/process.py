"""`sagemaker process`: `prepare`, spread over machines on AWS."""

import argparse
import re
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from training.cli.options import number
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
    describe_machines,
    price,
    read_machines,
    read_name,
    read_place,
)
from training.sagemaker.cli.watch import Left, describe_way_back, watch
from training.sagemaker.errors import Refused
from training.sagemaker.jobs.inputs import Upload, checksum
from training.sagemaker.jobs.processing import merge, validation_share, write_inputs
from training.sagemaker.layout import LONGEST, Place
from training.sagemaker.requests import processing_request
from training.sagemaker.s3 import download, upload
from training.sagemaker.sdk import Sagemaker
from training.sagemaker.service_model import instance_types
from training.sagemaker.states import JobState
from training.sagemaker.validation import check_instance

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_IMAGE = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.[a-z.]+/[\w./-]+(:[\w.-]+|@sha256:[0-9a-f]{64})")
# Objects are what is spread, so each machine gets several, and the shares come out even.
_PARTS_A_MACHINE = 4


def add_process(commands: Any) -> None:
    command = add_command(commands, "process", "prepare a large data folder on several machines", _process)
    command.add_argument("data", type=Path, metavar="DATA_DIR", help="a data folder, as for `prepare`")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write the prepared files")
    command.add_argument(
        "--image", metavar="URI", help="an image in your own ECR that has Python 3.11 or newer (docs/sagemaker.md)"
    )
    command.add_argument(
        "--validation", type=number(float, 0, 0.5), metavar="SHARE", help="as for `prepare` (default: as there)"
    )
    command.add_argument("--lenient", action="store_true", help="leave bad rows out; the job's log lists them")
    command.add_argument("--collect", metavar="JOB", help="take the lines of a job that was created before")
    add_place(command)
    add_machines(command, "ml.m5.xlarge", minutes=60, with_spot=False, with_count=True)
    add_consent(command)
    add_job(command)


def _process(options: argparse.Namespace) -> None:
    share = validation_share(options.data) if options.validation is None else options.validation
    session, region = open_session(options.region)
    place, machines = read_place(options, region), read_machines(options)
    if options.collect:
        _take(options, Sagemaker(session, region), session.client("s3"), place, options.collect)
        return
    name = read_name(options, "prepare", LONGEST)
    faults = [
        *check_role(options),
        *_check_image(options.image),
        *check_instance(machines.instance, instance_types("Processing"), "processing"),
        *check_ceiling(options, machines),
    ]
    if faults:
        raise Refused(faults)
    arguments = ["--validation", f"{share:g}", *(["--lenient"] if options.lenient else [])]
    request = processing_request(name, options.role, options.image, place, machines, arguments)
    check_request("CreateProcessingJob", request)
    plan = [
        ("data", f"{options.data}, {share:.0%} of the training texts for validation"),
        ("to", place.uri("processing", name)),
        ("image", options.image),
        ("machines", describe_machines(machines)),
        ("cost", price(options, machines).describe(region)),
    ]
    ask(options, f"Processing job {name} in {region}", plan)
    sagemaker, s3 = Sagemaker(session, region), session.client("s3")
    check_bucket(s3, place.bucket, region)
    if sagemaker.processing(name):
        raise Refused([f"there has been a processing job {name!r}; leave --job out for a new name"])
    _send(s3, place, name, options.data, machines.count * _PARTS_A_MACHINE)
    sagemaker.create("CreateProcessingJob", request)
    print(f"Created {name}")
    if options.no_wait:
        print(f"{describe_way_back(name, region)}; then take its lines: the same command with --collect {name}")
        return
    _take(options, sagemaker, s3, place, name)


def _check_image(image: str | None) -> list[str]:
    if image and _IMAGE.fullmatch(image):
        return []
    return [
        "name an image of your own ECR that has Python 3.11 or newer: "
        "--image 123456789012.dkr.ecr.REGION.amazonaws.com/NAME:TAG (docs/sagemaker.md says how to get one)"
    ]


def _send(s3: "S3Client", place: Place, name: str, data: Path, parts: int) -> None:
    with tempfile.TemporaryDirectory(prefix="processing-") as scratch:
        rows = write_inputs(data, Path(scratch), parts)
        paths = [path for path in sorted(Path(scratch).rglob("*")) if path.is_file()]
        files = [
            Upload(path, place.key("processing", name, path.relative_to(scratch).as_posix()), checksum(path))
            for path in paths
        ]
        total = sum(path.stat().st_size for path in paths)
        with tqdm(total=total, desc="Uploading", unit="B", unit_scale=True, disable=None, leave=False) as bar:
            upload(s3, place, files, bar.update)
    print(f"Uploaded {rows:,} row{'s' * (rows != 1)} in parts for {parts // _PARTS_A_MACHINE} machine(s)")


def _take(options: argparse.Namespace, sagemaker: Sagemaker, s3: "S3Client", place: Place, name: str) -> None:
    """Wait for a job, and merge what its machines wrote. Raises JobError."""
    try:
        watch(partial(_look, sagemaker, name), tuple, name, place.region, options.poll)
    except Left as error:
        raise Left(f"{error}; then take its lines: the same command with --collect {name}") from error
    prefix = place.key("processing", name, "output") + "/"
    with tempfile.TemporaryDirectory(prefix="processing-") as scratch:
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=place.bucket, Prefix=prefix):
            for found in page.get("Contents", ()):
                download(s3, place.bucket, found["Key"], Path(scratch) / found["Key"].removeprefix(prefix))
        written = merge(Path(scratch), options.out)
    for split, lines in written.items():
        print(f"{options.out / split}.txt: {lines:,} line{'s' * (lines != 1)}")


def _look(sagemaker: Sagemaker, name: str) -> JobState:
    state = sagemaker.processing(name)
    if state is None:
        raise Refused([f"there is no processing job {name!r} in this region and account"])
    return state
