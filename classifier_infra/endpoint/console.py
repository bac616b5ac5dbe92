"""Show steps and progress on the terminal, and ask for confirmation."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TextIO

from classifier_infra.endpoint.plan import Step
from classifier_infra.errors import CommandError


@dataclass(frozen=True, slots=True)
class Console:
    """The output streams, and whether to ask for confirmation."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)
    asks: bool = True

    def say(self, line: str) -> None:
        self.out.write(f"{line}\n")
        self.out.flush()

    def show(self, steps: Sequence[Step]) -> None:
        for number, step in enumerate(steps, start=1):
            self.say(f"  {number}. {step.description}.")

    def confirm(self) -> None:
        """Ask whether to go on; raise CommandError if the answer is no, or if there is no terminal."""
        if not self.asks:
            return
        if not sys.stdin.isatty():
            raise CommandError(
                "Nothing was done: there is no terminal to ask on. Say --yes, or look with --dry-run.", 2
            )
        self.out.write("Go on? [y/N] ")
        self.out.flush()
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            raise CommandError("Nothing was done.", 1)

    def progress(self, what: str, since: float) -> None:
        """Show what is waited for, on the same line, with the seconds since `since` (monotonic clock)."""
        if self.err.isatty():
            self.err.write(f"\r\x1b[K     {what}, {time.monotonic() - since:.0f} s")
            self.err.flush()

    def end_progress(self) -> None:
        if self.err.isatty():
            self.err.write("\r\x1b[K")
            self.err.flush()
