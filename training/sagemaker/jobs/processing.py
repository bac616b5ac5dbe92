"""Inputs of processing jobs, which prepare a data folder on several machines, and the merging of their outputs."""

import csv
import hashlib
import heapq
import json
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TextIO

from training.data.atomic_files import write_text
from training.data.dataset import CLASSES, FACETS, SPLITS, VALIDATION
from training.data.prepare import DEFAULT_SHARE, FacetFolder, find_facet_folders
from training.sagemaker import JobError
from training.sagemaker.jobs.inputs import DESCRIPTION

ROWS, CODE = "rows", "code"
CLASSES_INPUT = "classes"
MODULES = (
    "classifier_infra/__init__.py",
    "classifier_infra/model/__init__.py",
    "classifier_infra/model/manifest.py",
    "classifier_infra/model/text.py",
    "training/__init__.py",
    "training/data/__init__.py",
    "training/data/atomic_files.py",
    "training/data/dataset.py",
    "training/data/prepare.py",
    "training/data/external_sort.py",
)
"""The modules that `prepare` needs, beside the standard library."""

_PROJECT = Path(__file__).parents[3]
_KEY_DIGITS = 16


# --- Inputs -----------------------------------------------------------------------------------------------------


def validation_share(folder: Path) -> float:
    """Return the share of validation rows that `prepare` would choose for the whole folder. Raises DataError."""
    has_validation = any(VALIDATION in facet.sources() for facet in find_facet_folders(folder))
    return 0.0 if has_validation else DEFAULT_SHARE


def write_inputs(folder: Path, target: Path, parts: int) -> int:
    """Write the inputs of a processing job below `target` (`rows`, `classes`, `code`); return the number of rows.

    Each CSV file is split by rows into `parts`, and no byte of a row changes. Raises DataError, OSError.
    """
    rows = 0
    for facet in find_facet_folders(folder):
        classes = target / CLASSES_INPUT / facet.name
        classes.mkdir(parents=True)
        shutil.copyfile(facet.path / CLASSES, classes / CLASSES)
        for split in facet.sources():
            rows += _split(facet, split, target / ROWS / facet.name / split, parts)
    if (folder / FACETS).exists():
        shutil.copyfile(folder / FACETS, target / CLASSES_INPUT / FACETS)
    _write_code(target / CODE)
    return rows


def _split(facet: FacetFolder, split: str, target: Path, parts: int) -> int:
    target.mkdir(parents=True)
    rows = 0
    with ExitStack() as stack:
        files: dict[int, TextIO] = {}
        source = stack.enter_context(
            (facet.path / split).open(encoding="utf-8-sig", errors="surrogateescape", newline="")
        )
        for number, row in enumerate(raw_rows(source)):
            part = number % parts
            if part not in files:
                path = target / f"part-{part:05d}.csv"
                files[part] = stack.enter_context(
                    path.open("w", encoding="utf-8", errors="surrogateescape", newline="")
                )
            files[part].write(row)
            rows += 1
    return rows


def raw_rows(lines: Iterable[str]) -> Iterator[str]:
    """Yield the rows of a CSV file unchanged, each with its line breaks."""
    read: list[str] = []

    def remember() -> Iterator[str]:
        for line in lines:
            read.append(line)
            yield line

    reader = csv.reader(remember(), strict=True)
    while True:
        try:
            next(reader)
        except StopIteration:
            return
        except csv.Error:
            pass  # `prepare` reports the row
        row = "".join(read)
        read.clear()
        yield row if row.endswith(("\n", "\r")) else row + "\n"


def _write_code(target: Path) -> None:
    for name in MODULES:
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_PROJECT / name, path)
    shutil.copyfile(Path(__file__).with_name("processing_child.py"), target / "process.py")


# --- Outputs ----------------------------------------------------------------------------------------------------


def merge(outputs: Path, out: Path) -> Mapping[str, int]:
    """Merge the machines' outputs into a prepared folder, the same as one machine's; return lines by split.

    Raises JobError, OSError.
    """
    descriptions = sorted(outputs.glob("prepared-*.json"))
    if not descriptions:
        raise JobError("no machine wrote any lines")
    described = _merge_descriptions([json.loads(path.read_text(encoding="utf-8")) for path in descriptions])
    machines = [path.stem.removeprefix("prepared-") for path in descriptions]
    out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        written = {}
        for split in SPLITS:
            name = Path(split).stem
            paths = [outputs / f"{name}-{machine}.txt" for machine in machines]
            file = stack.enter_context(write_text(out / f"{name}.txt"))
            written[name] = _merge_lines(paths, file)
            if written[name] != sum(described["lines"][split].values()):
                raise JobError(f"{name}: the machines wrote other numbers of lines than they counted; start again")
        file = stack.enter_context(write_text(out / DESCRIPTION))
        file.write(json.dumps(described, indent=2, ensure_ascii=False) + "\n")
    return written


def _merge_lines(paths: Sequence[Path], target: TextIO) -> int:
    count = 0
    with ExitStack() as stack:
        files = [stack.enter_context(path.open(encoding="utf-8", newline="\n")) for path in paths]
        for line in heapq.merge(*files, key=_order):
            target.write(line)
            count += 1
    return count


def _order(line: str) -> tuple[str, str]:
    """Return the sort key of `prepare`."""
    words = line.partition(" ")[2].rstrip("\n")
    return hashlib.sha256(words.encode()).hexdigest()[:_KEY_DIGITS], line


def _merge_descriptions(found: Sequence[dict[str, Any]]) -> dict[str, Any]:
    first = found[0]
    if any({**each, "lines": None} != {**first, "lines": None} for each in found):
        raise JobError("the machines prepared differently (normaliser, validation or facets); start again")
    lines = {}
    for split in SPLITS:
        total: Counter[str] = Counter()
        for each in found:
            total.update(each["lines"][split])
        lines[split] = {label: total[label] for label in first["lines"][split]}
    return {**first, "lines": lines}
