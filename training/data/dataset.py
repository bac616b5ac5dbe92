"""Reading of labelled texts in DBpedia format, which reports every fault at once.

A facet is a folder with `classes.txt` (line i names class i, counted from 1) and CSV files without a header and with
three columns: class index, title, content. `train.csv` is needed for training; `validation.csv` and `test.csv` are
optional. A data folder is one such folder (its facet is called `category`) or has one such folder per facet. The main
facet comes first: `facets.txt` may list the folders in order, one per line; otherwise `category` comes first, if
present, and the others follow by name.
"""

import csv
import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from classifier_infra.model.manifest import Label, Manifest
from classifier_infra.model.text import clean, normalise
from training.data.atomic_files import write_text

MAIN_FACET = "category"
CLASSES = "classes.txt"
FACETS = "facets.txt"
TRAIN, VALIDATION, TEST = "train.csv", "validation.csv", "test.csv"
SPLITS = (TRAIN, VALIDATION, TEST)

_COLUMNS = 3
_CLASS_INDEX = re.compile(r"\s*[0-9]{1,9}\s*")
_FACET_NAME = re.compile(r"[^\s=]+")


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault in the data and its remedy; line 0 stands for the whole file or folder."""

    path: Path
    line: int
    what: str
    remedy: str

    def __str__(self) -> str:
        where = f"{self.path}:{self.line}" if self.line else f"{self.path}"
        return f"{where}: {self.what}; {self.remedy}"


class DataError(ValueError):
    """The data cannot be used; `problems` lists every fault in the order of files and lines."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Example:
    """A text without mark-up and personal data, its normalised words, and its class, counted from 0.

    `line` is the first line of its row in its file; 0 for a text from no file.
    """

    text: str
    words: str
    label: int
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Facet:
    """A classification question with its labels, and the examples of each CSV file."""

    name: str
    path: Path
    labels: tuple[Label, ...]
    examples: Mapping[str, tuple[Example, ...]]
    checksums: Mapping[str, str]
    """SHA-256 of every file read, by file name."""

    def split(self, name: str) -> tuple[Example, ...]:
        """Return the examples of `train.csv`, `validation.csv` or `test.csv`."""
        return self.examples.get(name, ())


def read_dataset(
    folder: Path, splits: Sequence[str] = SPLITS, dropped: list[Problem] | None = None
) -> tuple[Facet, ...]:
    """Read the named CSV files of every facet of a data folder, the main facet first.

    Only `train.csv`, if named, must exist. Raises DataError with all faults of all files; given a list `dropped`, skips
    bad rows and appends their faults to it instead.
    """
    problems: list[Problem] = []
    bad_rows = problems if dropped is None else dropped
    facets = tuple(_read_facet(name, path, splits, problems, bad_rows) for name, path in find_facets(folder, problems))
    if problems:
        raise DataError(problems)
    return facets


def unknown_labels(facets: Sequence[Facet], manifest: Manifest) -> list[str]:
    """Return the facets, and labels as `facet=label`, that are in the data but not in the model."""
    known = {facet.name: {label.name for label in facet.labels} for facet in manifest.facets}
    missing = [facet.name for facet in facets if facet.name not in known]
    return missing + [
        f"{facet.name}={label.name}"
        for facet in facets
        for label in facet.labels
        if facet.name in known and label.name not in known[facet.name]
    ]


def write_examples(path: Path, rows: Iterable[tuple[int, str, str]]) -> None:
    """Write a CSV file in DBpedia format from (class counted from 1, title, content), atomically."""
    with write_text(path) as file:
        # By default, Python writes a lone carriage return without the quotes that its own reader needs.
        csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC).writerows(rows)


# --- Folders --------------------------------------------------------------------------------------------------


def find_facets(folder: Path, problems: list[Problem]) -> list[tuple[str, Path]]:
    """Return the name and folder of every facet of a data folder, main facet first; append faults to `problems`."""
    if (folder / CLASSES).exists() or (folder / TRAIN).exists():
        return [(MAIN_FACET, folder)]
    paths = [path for path in _folders_of(folder) if (path / CLASSES).exists() or (path / TRAIN).exists()]
    if not paths:
        what = f"no {CLASSES} in it or in its folders" if folder.is_dir() else "no such folder"
        problems.append(Problem(folder, 0, what, "pass a folder in DBpedia format"))
    for path in paths:
        if not _FACET_NAME.fullmatch(path.name):
            problems.append(Problem(path, 0, "white space or '=' in a facet's name", "rename the folder"))
    order = _read_order(folder, {path.name for path in paths}, problems)
    return sorted(((path.name, path) for path in paths), key=lambda facet: order(facet[0]))


def _read_order(folder: Path, names: set[str], problems: list[Problem]) -> Callable[[str], tuple[int, str]]:
    """Return the sort key of facet names."""
    path = folder / FACETS
    if not path.exists():
        return lambda name: (name != MAIN_FACET, name)
    listed = path.read_text(encoding="utf-8-sig", errors="replace").split()
    if sorted(listed) != sorted(names):
        what = f"it does not list the facets of this folder ({', '.join(sorted(names))})"
        problems.append(Problem(path, 0, what, "list each facet once, one per line, or delete the file"))
    return lambda name: (listed.index(name) if name in listed else len(listed), name)


def _folders_of(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.is_dir()] if folder.is_dir() else []


def _read_facet(
    name: str, folder: Path, splits: Sequence[str], problems: list[Problem], bad_rows: list[Problem]
) -> Facet:
    labels = read_classes(folder / CLASSES, problems)
    # Without classes every row would be out of range, which repeats the fault of classes.txt.
    paths = [folder / split for split in splits if labels and ((folder / split).exists() or split == TRAIN)]
    examples = {path.name: _read_split(path, labels, problems, bad_rows) for path in paths}
    read = [path for path in (folder / CLASSES, *paths) if path.exists()]
    return Facet(
        name=name,
        path=folder,
        labels=labels,
        examples=examples,
        checksums={path.name: checksum(path) for path in read},
    )


def checksum(path: Path) -> str:
    """Return a file's SHA-256 in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


# --- classes.txt ----------------------------------------------------------------------------------------------


def read_classes(path: Path, problems: list[Problem]) -> tuple[Label, ...]:
    """Read `classes.txt`; if it has faults, append them to `problems` and return no labels."""
    try:
        lines = path.read_text(encoding="utf-8-sig").rstrip().split("\n")
    except FileNotFoundError:
        problems.append(Problem(path, 0, "no such file", "write the name of class i in line i"))
        return ()
    except UnicodeDecodeError as error:
        problems.append(Problem(path, 0, f"not UTF-8 (byte {error.start})", "save the file as UTF-8"))
        return ()
    labels = tuple(Label(re.sub(r"\s+", "_", line.strip()), display_name(line.strip())) for line in lines)
    faults = list(_check_labels(path, labels))
    problems.extend(faults)
    return () if faults else labels


def display_name(name: str) -> str:
    """Return a readable name: "Country support" for `country_support`, "Educational Institution" for CamelCase."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).replace("_", " ").strip()
    return words[:1].upper() + words[1:]


def _check_labels(path: Path, labels: Sequence[Label]) -> Iterator[Problem]:
    first_line: dict[str, int] = {}
    for line, label in enumerate(labels, start=1):
        if not label.name.isprintable() or not label.name:
            yield Problem(path, line, "a class without a readable name", "name it, or delete the empty line")
        elif "=" in label.name:
            yield Problem(path, line, f"'=' in class {label.name!r}", "rename it: a model's labels are facet=class")
        elif label.name in first_line:
            what = f"class {label.name!r} is already in line {first_line[label.name]}"
            yield Problem(path, line, what, "list each class once")
        first_line.setdefault(label.name, line)
    if len(labels) < 2:
        yield Problem(path, 0, "fewer than two classes", "list at least two")


# --- CSV files ------------------------------------------------------------------------------------------------


def _read_split(
    path: Path, labels: Sequence[Label], problems: list[Problem], bad_rows: list[Problem]
) -> tuple[Example, ...]:
    if not path.exists():
        problems.append(Problem(path, 0, "no such file", "write the labelled rows to it"))
        return ()
    examples: list[Example] = []
    faults: list[Problem] = []
    for item in read_rows(path, len(labels)):
        if isinstance(item, Example):
            examples.append(item)
        else:
            faults.append(item)
    bad_rows.extend(faults)
    if not faults or bad_rows is not problems:
        problems.extend(_check_classes_have_rows(path, labels, examples))
    return tuple(examples)


def _check_classes_have_rows(path: Path, labels: Sequence[Label], examples: Sequence[Example]) -> Iterator[Problem]:
    if path.name != TRAIN:
        return
    rows = Counter(example.label for example in examples)
    for index, label in enumerate(labels):
        if not rows[index]:
            what = f"class {index + 1} ({label.display}) has no row"
            yield Problem(path, 0, what, f"add examples, or delete the class from {CLASSES} and renumber the rows")


def read_rows(path: Path, classes: int) -> Iterator[Example | Problem]:
    """Yield an example for each good row of a CSV file, and a problem for each bad one."""
    # surrogateescape reads on after bytes that are not UTF-8, so that every such row is reported with its line.
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        reader = csv.reader(file, strict=True)
        line, has_more = 1, True
        while has_more:
            try:
                for row in reader:
                    if row:
                        yield _read_row(row, classes, path, line)
                    line = reader.line_num + 1
                has_more = False
            except csv.Error as error:
                yield Problem(path, line, f"invalid CSV ({error})", 'put texts between " and double each " in them')
                line = reader.line_num + 1


def _is_utf8(text: str) -> bool:
    """Report whether a text read with surrogateescape was valid UTF-8."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _read_row(row: Sequence[str], classes: int, path: Path, line: int) -> Example | Problem:
    if not _is_utf8("".join(row)):
        return Problem(path, line, "not UTF-8", "save the file as UTF-8")
    if len(row) != _COLUMNS:
        what = f"{len(row)} columns, not {_COLUMNS}"
        return Problem(path, line, what, 'write class index, title, content, with texts between "')
    index, title, content = row
    if not _CLASS_INDEX.fullmatch(index):
        # The column may hold a customer's text, so the message does not quote it.
        what = "the first column is not a class index"
        return Problem(path, line, what, f"write a number from 1 to {classes}, and no header line")
    number = int(index)
    if not 1 <= number <= classes:
        what = f"class index {number} is out of range"
        return Problem(path, line, what, f"{CLASSES} lists classes 1 to {classes}")
    text = clean(f"{title} {content}" if title and content else title or content)
    words = normalise(text)
    if not words:
        return Problem(path, line, "empty text", "delete the row")
    return Example(text, words, number - 1, line)
