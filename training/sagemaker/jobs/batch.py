"""Batches of past messages: shards of JSON lines, their answers, and the parts of a run on disk."""

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from classifier_infra.inference.classifier import Answer
from classifier_infra.model.decoding import UnexpectedScores
from classifier_infra.model.model import Model
from classifier_infra.model.prediction import Prediction
from classifier_infra.model.text import clean, normalise
from training.data.atomic_files import atomic_path, write_text
from training.data.dataset import checksum


@dataclass(frozen=True, slots=True)
class Message:
    """A message to classify; `line` counts from 1. A message with a `fault` cannot be classified."""

    line: int
    id: str
    text: str
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Shard:
    """Messages classified together; numbers count from 0."""

    number: int
    messages: tuple[Message, ...]

    @property
    def name(self) -> str:
        return f"part-{self.number:06d}.jsonl"


def read_shards(lines: Iterable[str], size: int) -> Iterator[Shard]:
    """Yield the messages of JSON lines (`{"id": …, "text": …}`) in shards of `size`."""
    messages = (_read(number, line) for number, line in enumerate(lines, start=1) if line.strip())
    number = 0
    while chunk := tuple(islice(messages, size)):
        yield Shard(number, chunk)
        number += 1


def _read(number: int, line: str) -> Message:
    try:
        document = json.loads(line)
        identity, text = document["id"], document["text"]
        if not isinstance(identity, str | int) or isinstance(identity, bool) or not isinstance(text, str):
            raise TypeError
        text.encode()
    except (ValueError, TypeError, KeyError, RecursionError):
        # The line may be a customer's text, so the fault does not quote it.
        return Message(number, "", "", 'not {"id": …, "text": …}')
    cleaned = clean(text)
    return Message(number, str(identity), cleaned, "" if cleaned.strip() else "an empty text")


# --- Answers ----------------------------------------------------------------------------------------------------


def write_answers(shard: Shard, answers: Mapping[int, Answer | str]) -> str:
    """Return a JSON line per message, with its prediction or the reason why there is none; `answers` are by line."""
    return "".join(_write(message, answers[message.line]) + "\n" for message in shard.messages)


def _write(message: Message, answer: Answer | str) -> str:
    if isinstance(answer, Prediction):
        facets = {
            name: {"label": facet.name, "confidence": round(facet.confidence, 6)}
            for name, facet in answer.facets.items()
        }
        return json.dumps({"id": message.id, "facets": facets}, ensure_ascii=False)
    reason = answer if isinstance(answer, str) else _explain(answer)
    return json.dumps({"line": message.line, "id": message.id, "failed": reason}, ensure_ascii=False)


def _explain(error: Exception) -> str:
    return "no word to classify" if type(error) is ValueError else str(error)


def is_failure(line: str) -> bool:
    """Report whether a line of `write_answers` has no prediction."""
    return line.startswith('{"line": ')


def answers_of(shard: Shard, found: Sequence[Answer]) -> dict[int, Answer | str]:
    """Return answers by line for all messages of a shard; `found` has those of messages without fault, in order."""
    remaining = iter(found)
    return {message.line: message.fault or next(remaining) for message in shard.messages}


# --- Batch transform --------------------------------------------------------------------------------------------


def to_transform(shard: Shard, labels: int) -> bytes:
    """Return the input of a batch transform job for a shard; ids are line numbers."""
    inputs = (
        {"id": message.line, "source": words, "k": labels}
        for message in shard.messages
        if (words := normalise(message.text))
    )
    return "".join(json.dumps(each) + "\n" for each in inputs).encode()


def read_transformed(shard: Shard, output: Iterable[str], model: Model) -> dict[int, Answer | str]:
    """Decode the output of a batch transform job for a shard; return answers by line."""
    raw = dict(_read_answer(line) for line in output if line.strip())
    return {message.line: _decode(message, raw.get(message.line), model) for message in shard.messages}


def _read_answer(line: str) -> tuple[int, Any]:
    document = json.loads(line)
    return document["id"], document["SageMakerOutput"]


def _decode(message: Message, raw: Any, model: Model) -> Answer | str:
    words = normalise(message.text)
    if message.fault or not words:
        return message.fault or "no word to classify"
    if raw is None:
        return "no answer in the job's output"
    try:
        scores = dict(zip(raw["label"], raw["prob"], strict=True))
        return model.predict(words, scores, "endpoint")
    except (UnexpectedScores, ValueError, TypeError, KeyError) as error:
        return f"invalid answer in the job's output ({type(error).__name__})"


# --- Parts of a run ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Parts:
    """The finished shards of a run, in a folder beside the output file, so that a later run can resume."""

    out: Path
    folder: Path

    def has(self, shard: Shard) -> bool:
        return (self.folder / shard.name).exists()

    def put(self, shard: Shard, lines: str) -> None:
        with write_text(self.folder / shard.name) as file:
            file.write(lines)

    def join(self) -> tuple[int, int]:
        """Join all parts into the output file and a file of failures, delete them, and return both numbers of lines."""
        with atomic_path(self.out) as done, atomic_path(self.failures) as failed:
            counts = _join(sorted(self.folder.glob("part-*.jsonl")), done, failed)
        if not counts[1]:
            self.failures.unlink()
        shutil.rmtree(self.folder, ignore_errors=True)
        return counts

    @property
    def failures(self) -> Path:
        return self.out.with_suffix(".failures.jsonl")


def _join(parts: Iterable[Path], done: Path, failed: Path) -> tuple[int, int]:
    counts = [0, 0]
    with done.open("w", encoding="utf-8") as results, failed.open("w", encoding="utf-8") as failures:
        for part in parts:
            with part.open(encoding="utf-8") as lines:
                for line in lines:
                    has_failed = is_failure(line)
                    (failures if has_failed else results).write(line)
                    counts[has_failed] += 1
    return counts[0], counts[1]


def open_parts(messages: Path, version: str, out: Path, size: int) -> Parts:
    """Open the parts of classifying `messages` with a version of a model in shards of `size`."""
    digest = hashlib.sha256(f"{checksum(messages)} {version} {size}".encode()).hexdigest()[:12]
    return Parts(out, out.with_name(f"{out.name}.{digest}.parts"))
