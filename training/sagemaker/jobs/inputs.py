"""Prepared folders (training/data/prepare.py) as inputs of training jobs: uploads and channels."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from training.data.dataset import checksum
from training.sagemaker import Refused
from training.sagemaker.layout import Place

DESCRIPTION = "prepared.json"
_SPLITS = ("train", "validation", "test")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file with its key in the bucket and its SHA-256."""

    path: Path
    key: str
    sha256: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """The non-empty text files of a prepared folder by split, and the SHA-256 of each file."""

    folder: Path
    files: Mapping[str, Path]
    checksums: Mapping[str, str]
    lines: Mapping[str, int]
    facets: tuple[str, ...]

    def notes(self) -> list[str]:
        """Return notes on how to read the accuracies of a job on these data."""
        if len(self.facets) == 1:
            return []
        return [
            f"each line has the label of one of {len(self.facets)} facets, and right labels of the others count as "
            f"wrong, so jobs report accuracies of about {1 / len(self.facets):.2f} at best; `fetch` measures each facet"
        ]

    @property
    def has_validation(self) -> bool:
        return "validation" in self.files

    @property
    def digest(self) -> str:
        """Twelve hexadecimal digits that identify these data."""
        listed = "\n".join(f"{name} {checksum}" for name, checksum in sorted(self.checksums.items()))
        return hashlib.sha256(listed.encode()).hexdigest()[:12]

    @property
    def total_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.files.values())

    def uploads(self, place: Place) -> list[Upload]:
        """Return the uploads: one folder per split, and the description last, which marks the data as complete."""
        texts = [
            Upload(path, place.key("data", self.digest, split, path.name), self.checksums[path.name])
            for split, path in self.files.items()
        ]
        path = self.folder / DESCRIPTION
        return [*texts, Upload(path, place.key("data", self.digest, DESCRIPTION), self.checksums[DESCRIPTION])]

    def channels(self, place: Place) -> dict[str, str]:
        """Return the S3 prefixes of a job's channels, which never include test rows."""
        splits = [split for split in ("train", "validation") if split in self.files]
        return {split: place.uri("data", self.digest, split) + "/" for split in splits}


def open_prepared(folder: Path) -> Prepared:
    """Read a prepared folder. Raises Refused."""
    description = folder / DESCRIPTION
    if not description.is_file():
        raise Refused(f"{folder}: no {DESCRIPTION}; write it with `python -m training prepare`")
    try:
        described = json.loads(description.read_text(encoding="utf-8"))
        lines = {split: sum(described["lines"][f"{split}.csv"].values()) for split in _SPLITS}
        facets = tuple(described["facets"])
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise Refused(f"{description}: not written by `python -m training prepare` ({error!r})") from error
    files = {split: folder / f"{split}.txt" for split in _SPLITS if lines[split]}
    faults = [f"{path}: no such file; prepare again" for path in files.values() if not path.is_file()]
    faults += [] if lines["train"] else [f"{folder}: no training lines"]
    if faults:
        raise Refused(*faults)
    paths = [*files.values(), description]
    return Prepared(folder, files, {path.name: checksum(path) for path in paths}, lines, facets)
