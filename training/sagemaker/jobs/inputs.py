"""A prepared folder (training/data/prepare.py), on its way to a bucket."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from training.sagemaker import Refused
from training.sagemaker.layout import Place

DESCRIPTION = "prepared.json"
_SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file, where it goes, and its SHA-256."""

    path: Path
    key: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """The text files of a prepared folder that have lines, by split, and the SHA-256 of each file."""

    folder: Path
    files: Mapping[str, Path]
    checksums: Mapping[str, str]
    lines: Mapping[str, int]
    facets: tuple[str, ...]

    def notes(self) -> list[str]:
        """Tell what the figures of a job on these data will look like, where that surprises."""
        if len(self.facets) == 1:
            return []
        return [
            f"each line has the label of one of {len(self.facets)} facets, and a right one of another counts as wrong: "
            f"the accuracies that a job tells are about {1 / len(self.facets):.2f} at best; `fetch` measures each facet"
        ]

    @property
    def has_validation(self) -> bool:
        return "validation" in self.files

    @property
    def digest(self) -> str:
        """Tell this data from other data, in twelve hexadecimal digits."""
        listed = "\n".join(f"{name} {checksum}" for name, checksum in sorted(self.checksums.items()))
        return hashlib.sha256(listed.encode()).hexdigest()[:12]

    @property
    def total_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.files.values())

    def uploads(self, place: Place) -> list[Upload]:
        """Say what goes where: each split in a folder of its own, and the description last."""
        texts = [
            Upload(path, place.key("data", self.digest, split, path.name), self.checksums[path.name])
            for split, path in self.files.items()
        ]
        path = self.folder / DESCRIPTION
        return [*texts, Upload(path, place.key("data", self.digest, DESCRIPTION), self.checksums[DESCRIPTION])]

    def channels(self, place: Place) -> dict[str, str]:
        """Give the S3 prefixes of what a job may see: never the test's rows."""
        splits = [split for split in ("train", "validation") if split in self.files]
        return {split: place.uri("data", self.digest, split) + "/" for split in splits}


def open_prepared(folder: Path) -> Prepared:
    """Read what a prepared folder has. Raises Refused."""
    description = folder / DESCRIPTION
    if not description.is_file():
        raise Refused([f"{folder}: there is no {DESCRIPTION}; write it with `python -m training prepare`"])
    try:
        described = json.loads(description.read_text(encoding="utf-8"))
        lines = {split: sum(described["lines"][f"{split}.csv"].values()) for split in _SPLITS}
        facets = tuple(described["facets"])
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise Refused([f"{description}: not written by `python -m training prepare` ({error!r})"]) from error
    files = {split: folder / f"{split}.txt" for split in _SPLITS if lines[split]}
    faults = [f"{path}: there is no such file; prepare again" for path in files.values() if not path.is_file()]
    faults += [] if lines["train"] else [f"{folder}: there is no line to train on"]
    if faults:
        raise Refused(faults)
    paths = [*files.values(), description]
    return Prepared(folder, files, {path.name: checksum(path) for path in paths}, lines, facets)


def checksum(path: Path) -> str:
    """Give a file's SHA-256."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
