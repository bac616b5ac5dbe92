"""Data folders as BlazingText takes them: one message a line, its label in front, in an order like chance.

A line is `__label__billing where is my refund`; labels of other facets than the main one read `__label__tone=negative`.
A row becomes one line, so a text that is labelled in three facets has three. What a line is, and which file it goes to,
depends on its row alone: folders that have parts of the rows (shards) give the same lines together as one that has all.

The lines stand in the order of a hash. BlazingText reads a file from its beginning to its end, pass after pass, and
learns badly where one class comes after the other; and files sorted alike merge to what one machine would have written.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from classifier_infra.model.manifest import Label, raw_label
from classifier_infra.model.text import VERSION
from training.data.atomic_files import write_text
from training.data.dataset import (
    CLASSES,
    SPLITS,
    TRAIN,
    VALIDATION,
    DataError,
    Example,
    Problem,
    find_facets,
    read_classes,
    read_rows,
)
from training.data.external_sort import SortedLines

DEFAULT_SHARE = 0.1
"""The share of the texts of `train.csv` that is validated, where there is no `validation.csv`."""


@dataclass(frozen=True, slots=True)
class FacetFolder:
    """A facet, where its CSV files are, and its labels, the first of which is class 1 there."""

    name: str
    path: Path
    labels: tuple[Label, ...]
    raw_labels: tuple[str, ...]

    def sources(self) -> list[str]:
        """Give the names of the CSV files that are there."""
        return [split for split in SPLITS if (self.path / split).exists()]


class Line(NamedTuple):
    """A line of a prepared file: which CSV file's rows it is among, what it is sorted by, its label, its words."""

    split: str
    key: str
    raw_label: str
    words: str

    def __str__(self) -> str:
        return f"{self.raw_label} {self.words}"


@dataclass(frozen=True, slots=True)
class Prepared:
    """What was written: the prepared files by CSV file, and the numbers of their lines by raw label."""

    files: Mapping[str, Path]
    lines: Mapping[str, Mapping[str, int]]


def prepare_row(row: Example, split: str, raw_labels: Sequence[str], validation: float) -> Line:
    """Give the line of a row of one of the CSV files (`split`).

    Of the texts of `train.csv`, the share `validation` is validated, chosen by their words alone: equal texts go to the
    same file, in every facet and every shard.
    """
    digest = hashlib.sha256(row.words.encode()).hexdigest()
    # Not chosen by the digits of the key: validated lines would have the first keys only.
    is_validated = split == TRAIN and int(digest[-8:], 16) < validation * 16**8
    return Line(VALIDATION if is_validated else split, digest[:16], raw_labels[row.label], row.words)


def prepare(
    folder: Path,
    out: Path,
    validation: float | None = None,
    part: str = "",
    dropped: list[Problem] | None = None,
    on_row: Callable[[], object] = lambda: None,
) -> Prepared:
    """Write `train.txt`, `validation.txt`, `test.txt` and `prepared.json` into `out`: all of them, or none.

    `folder` is a data folder (dataset.py) that need not have all CSV files, nor rows of all classes. `validation` is
    the share (0 to below 1) of the texts of `train.csv` that go to `validation.txt`; without it, none where there is a
    `validation.csv`, else a tenth. With a `part`, the files are called `train-PART.txt` and so on. `on_row` is called
    for every row. Raises DataError with all faults; where there is a list `dropped`, bad rows are left out and put
    there instead. Raises OSError.
    """
    facets = find_facet_folders(folder)
    share = _choose_share(facets) if validation is None else validation
    problems: list[Problem] = []
    out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        lines = {split: stack.enter_context(SortedLines(out)) for split in SPLITS}
        counts: dict[str, Counter[str]] = {split: Counter() for split in SPLITS}
        for item in _prepare_rows(facets, share):
            on_row()
            if isinstance(item, Problem):
                (problems if dropped is None else dropped).append(item)
            else:
                lines[item.split].put(item.key, str(item))
                counts[item.split][item.raw_label] += 1
        if problems:
            raise DataError(problems)
        return _write(out, f"-{part}" if part else "", lines, _describe(facets, share, counts))


def find_facet_folders(folder: Path) -> list[FacetFolder]:
    """Find what there is to prepare, the main facet first. Raises DataError where it cannot be read at all."""
    problems: list[Problem] = []
    facets: list[FacetFolder] = []
    for name, path in find_facets(folder, problems):
        labels = read_classes(path / CLASSES, problems)
        prefix = name if facets else None
        facets.append(FacetFolder(name, path, labels, tuple(raw_label(prefix, label.name) for label in labels)))
    if not problems and not any(facet.sources() for facet in facets):
        problems.append(Problem(folder, 0, f"there is none of {', '.join(SPLITS)}", "put the labelled rows there"))
    if problems:
        raise DataError(problems)
    return facets


def _choose_share(facets: Sequence[FacetFolder]) -> float:
    return 0.0 if any(VALIDATION in facet.sources() for facet in facets) else DEFAULT_SHARE


def _prepare_rows(facets: Sequence[FacetFolder], validation: float) -> Iterator[Line | Problem]:
    for facet in facets:
        for split in facet.sources():
            for row in read_rows(facet.path / split, len(facet.labels)):
                if isinstance(row, Problem):
                    yield row
                else:
                    yield prepare_row(row, split, facet.raw_labels, validation)


def _describe(facets: Sequence[FacetFolder], validation: float, counts: Mapping[str, Counter[str]]) -> dict[str, Any]:
    return {
        "normaliser": VERSION,
        "validation": validation,
        "facets": {
            facet.name: [{"name": label.name, "display": label.display} for label in facet.labels] for facet in facets
        },
        "lines": {
            split: {label: counts[split][label] for facet in facets for label in facet.raw_labels} for split in SPLITS
        },
    }


def _write(out: Path, suffix: str, lines: Mapping[str, SortedLines], description: Mapping[str, Any]) -> Prepared:
    paths = {split: out / f"{Path(split).stem}{suffix}.txt" for split in SPLITS}
    with ExitStack() as stack:
        for split, path in paths.items():
            stack.enter_context(write_text(path)).writelines(lines[split])
        file = stack.enter_context(write_text(out / f"prepared{suffix}.json"))
        file.write(json.dumps(description, indent=2, ensure_ascii=False) + "\n")
    return Prepared(paths, description["lines"])
