"""External merge sort of lines, which writes sorted runs to disk when memory is full."""

import heapq
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryFile
from types import TracebackType
from typing import Self, TextIO

MOST_CHARACTERS = 1 << 25
"""Characters kept in memory. Ten gigabytes of lines need some three hundred open files, within the usual limit."""


class SortedLines:
    """Lines sorted by key and then by text, in memory and in temporary files of a folder; a context manager.

    All keys must have the same length.
    """

    def __init__(self, folder: Path, most_characters: int = MOST_CHARACTERS) -> None:
        self._folder = folder
        self._most_characters = most_characters
        self._lines: list[str] = []
        self._characters = 0
        self._runs: list[TextIO] = []
        self._open = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._open.close()

    def put(self, key: str, line: str) -> None:
        """Add a line without a line break. Raises OSError."""
        self._lines.append(f"{key} {line}\n")
        self._characters += len(line)
        if self._characters > self._most_characters:
            self._write_run()

    def _write_run(self) -> None:
        run = TemporaryFile("w+", encoding="utf-8", newline="\n", dir=self._folder)  # noqa: SIM115, closed by __exit__
        self._runs.append(self._open.enter_context(run))
        run.writelines(sorted(self._lines))
        self._lines.clear()
        self._characters = 0

    def __iter__(self) -> Iterator[str]:
        """Yield all lines with their line breaks, in order."""
        for run in self._runs:
            run.seek(0)
        for line in heapq.merge(*self._runs, sorted(self._lines)):
            yield line.partition(" ")[2]
