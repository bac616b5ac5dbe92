"""`sagemaker process`: run `prepare` on several machines on AWS."""

import argparse
import re
import tempfile
from pathlib import Path
from typing import Any

from training.cli.options import number
from training.data.dataset import checksum
from training.sagemaker.cli.job import Job
from training.sagemaker.cli.options import add_command, add_job_options
from training.sagemaker.jobs.inputs import Upload
from training.sagemaker.jobs.processing import merge, validation_share, write_inputs
from training.sagemaker.requests import processing_request
from training.sagemaker.s3 import download, list_keys
from training.sagemaker.service_model import instance_types
from training.sagemaker.validation import check_instance

_IMAGE = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.[a-z.]+/[\w./-]+(:[\w.-]+|@sha256:[0-9a-f]{64})")
# SageMaker spreads whole objects over the machines; several per machine make the shares even.
_PARTS_A_MACHINE = 4


def add_process(commands: Any) -> None:
    command = add_command(commands, "process", "prepare a large data folder on several machines", _process)
    command.add_argument("data", type=Path, metavar="DATA_DIR", help="a data folder, as for `prepare`")
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write the prepared files")
    command.add_argument(
        "--image", metavar="URI", help="an image in your own ECR with Python 3.11 or newer (docs/sagemaker.md)"
    )
    command.add_argument(
        "--validation", type=number(float, 0, 0.5), metavar="SHARE", help="as for `prepare`, with the same default"
    )
    command.add_argument("--lenient", action="store_true", help="skip bad rows and list them in the job's log")
    command.add_argument("--collect", metavar="JOB", help="only collect the lines of a job that was created before")
    add_job_options(command, "ml.m5.xlarge", minutes=60, spot=False, several=True)


def _process(options: argparse.Namespace) -> None:
    share = validation_share(options.data) if options.validation is None else options.validation
    job = Job(options, "processing", "prepare", results="lines")
    if options.collect or _create(options, job, share):
        _collect(options.out, job)


def _create(options: argparse.Namespace, job: Job, share: float) -> bool:
    types = instance_types("Processing")
    cost = job.check([*_check_image(options.image), *check_instance(job.machines.instance, types, "processing")])
    arguments = ["--validation", f"{share:g}", *(["--lenient"] if options.lenient else [])]
    request = processing_request(job.name, options.role, options.image, job.place, job.machines, arguments)
    plan = [
        ("data", f"{options.data}, {share:.0%} of the training texts for validation"),
        ("to", job.place.uri("processing", job.name)),
        ("image", options.image),
        ("machines", job.machines.describe()),
        ("cost", cost.describe(job.region)),
    ]
    return job.create(request, plan, lambda: _send(options.data, job))


def _check_image(image: str | None) -> list[str]:
    if image and _IMAGE.fullmatch(image):
        return []
    return [
        "name an image in your own ECR with Python 3.11 or newer: "
        "--image 123456789012.dkr.ecr.REGION.amazonaws.com/NAME:TAG (docs/sagemaker.md shows how to get one)"
    ]


def _send(data: Path, job: Job) -> None:
    with tempfile.TemporaryDirectory(prefix="processing-") as scratch:
        rows = write_inputs(data, Path(scratch), job.machines.count * _PARTS_A_MACHINE)
        paths = [path for path in sorted(Path(scratch).rglob("*")) if path.is_file()]
        job.upload(
            [
                Upload(
                    path, job.place.key("processing", job.name, path.relative_to(scratch).as_posix()), checksum(path)
                )
                for path in paths
            ]
        )
    print(f"Uploaded {rows:,} row{'s' * (rows != 1)} in parts for {job.machines.count} machine(s)")


def _collect(out: Path, job: Job) -> None:
    """Wait for the job and merge what its machines wrote. Raises JobError."""
    job.wait()
    prefix = job.place.key("processing", job.name, "output") + "/"
    with tempfile.TemporaryDirectory(prefix="processing-") as scratch:
        for key in list_keys(job.account.s3, job.place.bucket, prefix):
            download(job.account.s3, job.place.bucket, key, Path(scratch) / key.removeprefix(prefix))
        written = merge(Path(scratch), out)
    for split, lines in written.items():
        print(f"{out / split}.txt: {lines:,} line{'s' * (lines != 1)}")
