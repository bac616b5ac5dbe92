"""`sagemaker vectors` and `similar`: word vectors of unlabelled messages, and search by them."""

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from classifier_infra.model.text import clean, normalise
from training.blazingtext.hyperparameters import VECTOR_MODES, as_strings, resolve
from training.blazingtext.local_run import VECTORS, run_locally
from training.cli.options import number
from training.data.atomic_files import atomic_path, write_text
from training.data.dataset import checksum
from training.sagemaker import JobError, Refused
from training.sagemaker.cli.job import Job
from training.sagemaker.cli.options import add_command, add_job_options, add_settings
from training.sagemaker.cli.train import describe_settings
from training.sagemaker.jobs.batch import Message, read_shards
from training.sagemaker.jobs.inputs import Upload
from training.sagemaker.layout import split_uri
from training.sagemaker.requests import TRAIN_CHANNEL, training_request
from training.sagemaker.s3 import download
from training.sagemaker.service_model import instance_types
from training.sagemaker.validation import check_training_instance, find_faults, find_warnings

_READ_AT_ONCE = 1_000
_SHOWN_CHARACTERS = 90


def add_vectors(commands: Any) -> None:
    command = add_command(commands, "vectors", "learn word vectors from unlabelled messages", _vectors)
    command.add_argument("messages", type=Path, metavar="FILE.jsonl", help='one message per line: {"id": …, "text": …}')
    command.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write vectors.txt")
    command.add_argument("--mode", choices=VECTOR_MODES, default="skipgram", help="default: %(default)s")
    how = command.add_mutually_exclusive_group()
    how.add_argument("--local", action="store_true", help="on this machine with fastText, not on AWS")
    how.add_argument("--collect", metavar="JOB", help="only collect the vectors of a job that was created before")
    add_settings(command)
    add_job_options(command, "ml.c5.2xlarge", minutes=60, needs_bucket=False, several=True)


def _vectors(options: argparse.Namespace) -> None:
    given = dict(options.settings)
    faults = find_faults(options.mode, given, has_validation=False)
    if faults:
        raise Refused(*faults)
    if options.collect:
        _collect(options.out, Job(options, "training", "vectors", results="vectors"))
        return
    with tempfile.TemporaryDirectory(prefix="vectors-") as scratch:
        texts = Path(scratch) / "messages.txt"
        count = 0
        with write_text(texts) as file:
            for _, words in _read_texts(options.messages):
                file.write(f"{words}\n")
                count += 1
        _check_not_empty(options.messages, count)
        (_train_locally if options.local else _train_on_aws)(options, given, texts, count)


def _train_locally(options: argparse.Namespace, given: Mapping[str, str], texts: Path, count: int) -> None:
    values = resolve(options.mode, given)
    done = run_locally(options.mode, texts, options.out, values, progress=sys.stderr.isatty())
    print(f"Wrote {options.out / VECTORS}: {done.words:,} words of {count:,} messages, in {done.seconds:.1f} s")


def _train_on_aws(options: argparse.Namespace, given: Mapping[str, str], texts: Path, count: int) -> None:
    if not options.bucket:
        raise Refused("name a bucket with --bucket, or train on this machine with --local")
    job = Job(options, "training", "vectors", results="vectors")
    types = instance_types("Training")
    cost = job.check(check_training_instance(job.machines.instance, job.machines.count, options.mode, types))
    sha256 = checksum(texts)
    folder = ("texts", sha256[:12])
    settings = {"mode": options.mode, **given}
    channels = {TRAIN_CHANNEL: job.place.uri(*folder) + "/"}
    request = training_request(job.name, options.role, job.image, job.place, job.machines, settings, channels)
    plan = [
        ("data", f"{options.messages}: {count:,} messages ({texts.stat().st_size / 1e6:,.1f} MB)"),
        ("to", job.place.uri(*folder)),
        ("machine", job.machines.describe()),
        ("settings", describe_settings(as_strings(options.mode, resolve(options.mode, given)))),
        ("cost", cost.describe(job.region)),
        *(("note", warning) for warning in find_warnings(options.mode, given)),
    ]
    file = Upload(texts, job.place.key(*folder, texts.name), sha256)
    if job.create(request, plan, lambda: job.upload([file])):
        _collect(options.out, job)


def _collect(out: Path, job: Job) -> None:
    """Wait for the job and write its vectors. Raises JobError."""
    from training.sagemaker.jobs.fetch import extract  # scikit-learn takes seconds to import

    state = job.wait()
    with tempfile.TemporaryDirectory(prefix="vectors-") as scratch:
        archive = Path(scratch) / "model.tar.gz"
        download(job.account.s3, *split_uri(state.model_uri), archive)
        content = extract(archive, VECTORS)
    with atomic_path(out / VECTORS) as part:
        part.write_bytes(content)
    print(f"Wrote {out / VECTORS}: {int(content.split(maxsplit=1)[0]):,} words")


def _read_texts(path: Path) -> Iterator[tuple[Message, str]]:
    """Yield the messages that have words, with their normalised texts. Raises Refused."""
    if not path.is_file():
        raise Refused(f"{path}: no such file")
    with path.open(encoding="utf-8", errors="replace") as lines:
        for shard in read_shards(lines, _READ_AT_ONCE):
            for message in shard.messages:
                if words := normalise(message.text):
                    yield message, words


def _check_not_empty(path: Path, count: int) -> None:
    if not count:
        raise Refused(f'{path}: no line is a message with words, {{"id": …, "text": …}}')


# --- Similar messages -----------------------------------------------------------------------------------------


def add_similar(commands: Any) -> None:
    command = add_command(commands, "similar", "find the past messages most similar to a text", _similar)
    command.add_argument("vectors", type=Path, metavar="DIR", help="the output folder of `vectors`")
    command.add_argument("messages", type=Path, metavar="FILE.jsonl", help='one message per line: {"id": …, "text": …}')
    command.add_argument("text", help="the text; of messages with the same words, only the last is shown")
    command.add_argument("--count", type=number(int, 1, 1000), default=5, help="how many (default: %(default)s)")
    command.add_argument("--json", action="store_true", help="print JSON lines with cosine, id and text")


def _similar(options: argparse.Namespace) -> None:
    from training.sagemaker.jobs.word_vectors import Index, read_vectors  # NumPy takes its time to import

    vectors = read_vectors(options.vectors / VECTORS)
    messages = {words: message for message, words in _read_texts(options.messages)}
    _check_not_empty(options.messages, len(messages))
    nearest = Index(vectors, list(messages)).nearest(normalise(clean(options.text)), options.count)
    if not nearest:
        raise JobError("no word of this text has a vector; try other words, or train on more messages")
    found = list(messages.values())
    for near in nearest:
        message = found[near.message]
        if options.json:
            document = {"cosine": round(near.cosine, 4), "id": message.id, "text": message.text}
            print(json.dumps(document, ensure_ascii=False))
        else:
            print(f"{near.cosine:.3f}  {message.id}  {' '.join(message.text.split())[:_SHOWN_CHARACTERS]}")
