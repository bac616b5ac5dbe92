"""Files that are there whole or not at all: written under a temporary name, then renamed."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO


def write_together(files: Mapping[Path, bytes]) -> None:
    """Put files in place, their folders too, once all of them are written.

    Raises OSError, and then leaves what was there before.
    """
    with ExitStack() as temporaries:
        for path, content in files.items():
            temporaries.enter_context(whole_file(path)).write_bytes(content)


@contextmanager
def write_text(path: Path) -> Iterator[TextIO]:
    """Give a UTF-8 file to write to; it takes its place when the block ends well."""
    with whole_file(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        yield file


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Give a path to write to; the file takes its place when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
