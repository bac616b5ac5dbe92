"""Atomic file writes: to a temporary name, then renamed into place."""

import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO


def write_files(files: Mapping[Path, bytes]) -> None:
    """Write several files and their folders, replacing none before all are written. Raises OSError."""
    with ExitStack() as temporaries:
        for path, content in files.items():
            temporaries.enter_context(atomic_path(path)).write_bytes(content)


@contextmanager
def write_text(path: Path) -> Iterator[TextIO]:
    """Open a UTF-8 file that replaces `path` when the block succeeds."""
    with atomic_path(path) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        yield file


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path that replaces `path` when the block succeeds."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
