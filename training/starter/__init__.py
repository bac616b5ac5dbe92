"""The starter data: hand-written customer messages with category, urgency and tone, as a data folder."""

import csv
import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from classifier_infra.model.text import clean, normalise
from training.data import dataset
from training.data.atomic_files import write_text
from training.data.dataset import CLASSES, TEST, TRAIN, VALIDATION, DataError, Problem, write_examples

MESSAGES = Path(__file__).parent / "messages"

FACETS: Mapping[str, Sequence[str]] = {
    "category": ("billing", "technical", "general"),
    "urgency": ("low", "normal", "high"),
    "tone": ("negative", "neutral", "positive"),
}
_HEADER = [*FACETS, "text"]


@dataclass(frozen=True, slots=True)
class Message:
    """A message and its label by facet."""

    text: str
    labels: Mapping[str, str]


def read_messages(folder: Path = MESSAGES) -> list[Message]:
    """Read all CSV files of a folder (header `category,urgency,tone,text`) in the order of their names.

    Raises DataError with all faults: unknown labels, empty texts, duplicates.
    """
    messages: list[Message] = []
    problems = []
    seen: dict[str, str] = {}
    for item in _read_files(sorted(folder.glob("*.csv")), seen):
        if isinstance(item, Message):
            messages.append(item)
        else:
            problems.append(item)
    if not messages and not problems:
        problems.append(Problem(folder, 0, "no messages", f"add CSV files with the header {','.join(_HEADER)}"))
    if problems:
        raise DataError(problems)
    return messages


def write_dataset(messages: Sequence[Message], folder: Path) -> None:
    """Write a data folder with one folder per facet: eight tenths for training, one each for validation and test.

    A hash of its words chooses a message's split, so the split is the same in every facet and does not change with the
    other messages.
    """
    with write_text(folder / dataset.FACETS) as file:
        file.writelines(f"{facet}\n" for facet in FACETS)
    for facet, labels in FACETS.items():
        with write_text(folder / facet / CLASSES) as file:
            file.writelines(f"{label}\n" for label in labels)
        for split in (TRAIN, VALIDATION, TEST):
            chosen = (message for message in messages if _split(message.text) == split)
            write_examples(folder / facet / split, _rows(chosen, facet, labels))


def _rows(messages: Iterable[Message], facet: str, labels: Sequence[str]) -> Iterator[tuple[int, str, str]]:
    return ((labels.index(message.labels[facet]) + 1, "", message.text) for message in messages)


def _split(text: str) -> str:
    tenth = int.from_bytes(hashlib.sha256(normalise(clean(text)).encode()).digest()) % 10
    return {0: TEST, 1: VALIDATION}.get(tenth, TRAIN)


def _read_files(paths: Iterable[Path], seen: dict[str, str]) -> Iterator[Message | Problem]:
    for path in paths:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.reader(file, strict=True)
            if next(reader, None) != _HEADER:
                yield Problem(path, 1, "unexpected header", f"write {','.join(_HEADER)}")
                continue
            for row in reader:
                yield _read_message(row, path, reader.line_num, seen)


def _read_message(row: Sequence[str], path: Path, line: int, seen: dict[str, str]) -> Message | Problem:
    if len(row) != len(_HEADER):
        return Problem(path, line, f"{len(row)} columns, not {len(_HEADER)}", 'put the text between "')
    *labels, text = row
    for (facet, known), label in zip(FACETS.items(), labels, strict=True):
        if label not in known:
            return Problem(path, line, f"unknown {facet} {label!r}", f"write one of {', '.join(known)}")
    words = normalise(clean(text))
    if not words:
        return Problem(path, line, "empty text", "delete the row")
    if words in seen:
        return Problem(path, line, f"same text as {seen[words]}", "write another")
    seen[words] = f"{path.name}:{line}"
    return Message(text, dict(zip(FACETS, labels, strict=True)))
