"""`sagemaker vectors`: word vectors of unlabelled messages, trained on AWS or rehearsed on this machine."""

import argparse
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from classifier_infra.model.text import normalise
from training.blazingtext.hyperparameters import VECTOR_MODES, as_strings, resolve
from training.blazingtext.local_run import VECTORS, run_locally
from training.data.atomic_files import whole_file, write_text
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
    price,
    read_image,
    read_machines,
    read_name,
    read_place,
)
from training.sagemaker.cli.train import add_settings, check_unused, look_at_training
from training.sagemaker.cli.watch import Left, describe_way_back, watch
from training.sagemaker.errors import Refused
from training.sagemaker.jobs.batch import Message, read_shards
from training.sagemaker.jobs.inputs import Upload, checksum
from training.sagemaker.layout import LONGEST, split_uri
from training.sagemaker.logs import LogStream
from training.sagemaker.requests import TRAIN_CHANNEL, training_request
from training.sagemaker.s3 import download, upload
from training.sagemaker.sdk import Sagemaker
from training.sagemaker.service_model import instance_types
from training.sagemaker.validation import check_training_instance, find_doubts, find_faults

_READ_AT_ONCE = 1_000


def add_vectors(commands: Any) -> None:
    command = add_command(commands, "vectors", "learn word vectors from unlabelled messages", _vectors)
    command.add_argument("messages", type=Path, metavar="FILE.jsonl", help='a line a message: {"id": …, "text": …}')
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write vectors.txt")
    command.add_argument("--mode", choices=VECTOR_MODES, default="skipgram", help="default: %(default)s")
    how = command.add_mutually_exclusive_group()
    how.add_argument("--local", action="store_true", help="on this machine with fastText, not on AWS")
    how.add_argument("--collect", metavar="JOB", help="take the vectors of a job that was created before")
    add_settings(command)
    add_place(command, is_needed=False)
    add_machines(command, "ml.c5.2xlarge", minutes=60, with_count=True)
    add_consent(command)
    add_job(command)


def read_texts(path: Path) -> Iterator[tuple[Message, str]]:
    """Give the messages that have words, each with its normalised text. Raises Refused."""
    if not path.is_file():
        raise Refused([f"{path}: there is no such file"])
    with path.open(encoding="utf-8", errors="replace") as lines:
        for shard in read_shards(lines, _READ_AT_ONCE):
            for message in shard.messages:
                if words := normalise(message.text):
                    yield message, words


def _vectors(options: argparse.Namespace) -> None:
    given = dict(options.settings)
    faults = find_faults(options.mode, given, has_validation=False)
    if faults:
        raise Refused(faults)
    if options.collect:
        session, region = open_session(options.region)
        _take(options, Sagemaker(session, region), session, region, options.collect)
        return
    with tempfile.TemporaryDirectory(prefix="vectors-") as scratch:
        texts = Path(scratch) / "messages.txt"
        count = 0
        with write_text(texts) as file:
            for _, words in read_texts(options.messages):
                file.write(f"{words}\n")
                count += 1
        if not count:
            raise Refused([f'{options.messages}: no line is a message with words, {{"id": …, "text": …}}'])
        (_train_locally if options.local else _train_on_aws)(options, given, texts, count)


def _train_locally(options: argparse.Namespace, given: dict[str, str], texts: Path, count: int) -> None:
    values = resolve(options.mode, given)
    done = run_locally(options.mode, texts, options.out, values, progress=sys.stderr.isatty())
    print(f"Wrote {options.out / VECTORS}: {done.words:,} words of {count:,} messages, in {done.seconds:.1f} s")


def _train_on_aws(options: argparse.Namespace, given: dict[str, str], texts: Path, count: int) -> None:
    if not options.bucket:
        raise Refused(["name a bucket with --bucket, or train on this machine with --local"])
    session, region = open_session(options.region)
    name, place, machines = read_name(options, "vectors", LONGEST), read_place(options, region), read_machines(options)
    faults = [
        *check_role(options),
        *check_training_instance(machines.instance, machines.count, options.mode, instance_types("Training")),
        *check_spot(machines),
        *check_ceiling(options, machines),
    ]
    if faults:
        raise Refused(faults)
    sha256 = checksum(texts)
    folder = ("texts", sha256[:12])
    hyperparameters = {"mode": options.mode, **given}
    channels = {TRAIN_CHANNEL: place.uri(*folder) + "/"}
    request = training_request(name, options.role, read_image(region), place, machines, hyperparameters, channels)
    check_request("CreateTrainingJob", request)
    plan = [
        ("data", f"{options.messages}: {count:,} messages ({texts.stat().st_size / 1e6:,.1f} MB)"),
        ("to", place.uri(*folder)),
        ("machine", describe_machines(machines)),
        ("settings", describe_settings(as_strings(options.mode, resolve(options.mode, given)))),
        ("cost", price(options, machines).describe(region)),
        *(("note", doubt) for doubt in find_doubts(options.mode, given)),
    ]
    ask(options, f"Training job {name} in {region}", plan)
    sagemaker, s3 = Sagemaker(session, region), session.client("s3")
    check_bucket(s3, place.bucket, region)
    check_unused(sagemaker, name)
    upload(s3, place, [Upload(texts, place.key(*folder, texts.name), sha256)])
    sagemaker.create("CreateTrainingJob", request)
    print(f"Created {name}")
    if options.no_wait:
        print(f"{describe_way_back(name, region)}; then take its vectors: the same command with --collect {name}")
        return
    _take(options, sagemaker, session, region, name)


def _take(options: argparse.Namespace, sagemaker: Sagemaker, session: Any, region: str, name: str) -> None:
    """Wait for a job, and take its vectors. Raises JobError."""
    from training.sagemaker.jobs.fetch import extract  # scikit-learn takes its time

    try:
        lines = LogStream(session.client("logs"), name).new_lines
        state = watch(lambda: look_at_training(sagemaker, name), lines, name, region, options.poll)
    except Left as error:
        raise Left(f"{error}; then take its vectors: the same command with --collect {name}") from error
    with tempfile.TemporaryDirectory(prefix="vectors-") as scratch:
        archive = Path(scratch) / "model.tar.gz"
        download(session.client("s3"), *split_uri(state.model_uri), archive)
        content = extract(archive, VECTORS)
    with whole_file(options.out / VECTORS) as part:
        part.write_bytes(content)
    words = content[: content.index(b"\n")].split()[0].decode()
    print(f"Wrote {options.out / VECTORS}: {int(words):,} words")
