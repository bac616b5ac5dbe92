"""Conversion of data folders to BlazingText's training format: one shuffled line per row.

A line is `__label__billing where is my refund`; labels of facets other than the main one are `__label__tone=negative`.
Each row becomes one line, so a text labelled in three facets has three. A line and its file depend only on its row, so
shards of the rows, prepared apart, have the same lines together as the whole.

Lines are sorted by a hash. BlazingText reads a file from start to end in every epoch, and learns badly from classes in
sequence; and the sorted files of several machines merge into what one machine would have written.
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
"""Share of the texts of `train.csv` used for validation when there is no `validation.csv`."""


@dataclass(frozen=True, slots=True)
class FacetFolder:
    """A facet, the folder of its CSV files, and its labels in the order of classes."""

    name: str
    path: Path
    labels: tuple[Label, ...]
    raw_labels: tuple[str, ...]

    def sources(self) -> list[str]:
        """Return the names of the CSV files that exist."""
        return [split for split in SPLITS if (self.path / split).exists()]


class Line(NamedTuple):
    """A line of a prepared file, with its split, its sort key, its label and its words."""

    split: str
    key: str
    raw_label: str
    words: str

    def __str__(self) -> str:
        return f"{self.raw_label} {self.words}"


@dataclass(frozen=True, slots=True)
class Prepared:
    """The prepared files by split, and their numbers of lines by raw label."""

    files: Mapping[str, Path]
    lines: Mapping[str, Mapping[str, int]]


def prepare_row(row: Example, split: str, raw_labels: Sequence[str], validation: float) -> Line:
    """Return the line of a row of the CSV file `split`.

    A share `validation` of the texts of `train.csv` goes to the validation split. A hash of the words chooses them, so
    that equal texts go to the same file in every facet and shard.
    """
    digest = hashlib.sha256(row.words.encode()).hexdigest()
    # Other digits than the key's: otherwise all validation lines would have the lowest keys.
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
    """Write `train.txt`, `validation.txt`, `test.txt` and `prepared.json` into `out`, all of them or none.

    `folder` is a data folder (dataset.py), which may lack CSV files and rows of some classes. `validation` is the share
    (0 to below 1) of the texts of `train.csv` that go to `validation.txt`; by default 0 if there is a `validation.csv`,
    else a tenth. With a `part`, files are named `train-PART.txt` and so on. `on_row` is called for every row. Raises
    OSError, and DataError with all faults; given a list `dropped`, skips bad rows and appends their faults to it.
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
    """Return the facets of a data folder, main facet first. Raises DataError."""
    problems: list[Problem] = []
    facets: list[FacetFolder] = []
    for name, path in find_facets(folder, problems):
        labels = read_classes(path / CLASSES, problems)
        prefix = name if facets else None
        facets.append(FacetFolder(name, path, labels, tuple(raw_label(prefix, label.name) for label in labels)))
    if not problems and not any(facet.sources() for facet in facets):
        problems.append(Problem(folder, 0, f"none of {', '.join(SPLITS)} exists", "write the labelled rows to them"))
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
