"""A zip archive for Lambda: written whole or not at all, the same bytes for the same files."""

import zipfile
from dataclasses import dataclass
from pathlib import Path

from classifier_infra.packaging.libraries import Files

EARLIEST_DATE = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Archive:
    """A written archive, with its sizes in bytes."""

    path: Path
    packed: int
    unpacked: int


def write_archive(files: Files, path: Path) -> Archive:
    """Write a zip whose bytes depend on paths and contents only; an archive of that name stays until it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_suffix(".unfinished")
    unpacked = 0
    with zipfile.ZipFile(unfinished, "w") as zipped:
        for name in sorted(files):
            entry = zipfile.ZipInfo(str(name), EARLIEST_DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            content = files[name].read_bytes()
            zipped.writestr(entry, content)
            unpacked += len(content)
    unfinished.replace(path)
    return Archive(path, path.stat().st_size, unpacked)
