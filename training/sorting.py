"""More lines than memory holds, sorted: put into boxes by the beginning of their keys, then sorted box by box."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

_DIGITS_OF_BOX = 1


class SortedLines:
    """Lines by key, kept in files of a folder for the length of a `with` block.

    Keys are hexadecimal digests of one length: evenly spread, so that no box holds much more than the others. Lines of
    one key are sorted themselves: the order does not depend on the order in which they came.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[str, TextIO] = {}
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._open.close()

    def put(self, key: str, line: str) -> None:
        """Keep a line, which has no line break in it."""
        box = key[:_DIGITS_OF_BOX]
        file = self._files.get(box) or self._begin(box)
        file.write(f"{key} {line}\n")

    def _begin(self, box: str) -> TextIO:
        # Only once there is a line for it: making and removing empty files was a tenth of the time of 2,500 lines.
        file = self._open.enter_context((self._folder / box).open("w+", encoding="utf-8", newline="\n"))
        self._files[box] = file
        return file

    def __iter__(self) -> Iterator[str]:
        """Give all lines, each with its line break, in the order of their keys."""
        for _, file in sorted(self._files.items()):
            file.seek(0)
            for line in sorted(file):
                yield line.partition(" ")[2]
