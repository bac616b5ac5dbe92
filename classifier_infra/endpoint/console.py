"""What a person sees and is asked: steps before they are carried out, and progress, on a terminal alone."""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TextIO

from classifier_infra.endpoint.plan import Step
from classifier_infra.errors import CommandError


@dataclass(frozen=True, slots=True)
class Console:
    """Where to write to, and whether everything is agreed to beforehand."""

    out: TextIO
    err: TextIO
    asks: bool = True

    def say(self, line: str) -> None:
        self.out.write(f"{line}\n")
        self.out.flush()

    def show(self, steps: Sequence[Step]) -> None:
        for number, step in enumerate(steps, start=1):
            self.say(f"  {number}. {step.says}.")

    def confirm(self) -> None:
        """Raises CommandError where a person says no, or where there is nobody to ask."""
        if not self.asks:
            return
        if not sys.stdin.isatty():
            raise CommandError("Nothing was done: nobody can be asked here. Say --yes, or look with --dry-run.", 2)
        self.out.write("Go on? [y/N] ")
        self.out.flush()
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            raise CommandError("Nothing was done.", 1)

    def progress(self, what: str, since: float) -> None:
        """Show what is being waited for, in place, with the seconds since `since` of the monotonic clock."""
        if self.err.isatty():
            self.err.write(f"\r\x1b[K     {what}, {time.monotonic() - since:.0f} s")
            self.err.flush()

    def end_progress(self) -> None:
        if self.err.isatty():
            self.err.write("\r\x1b[K")
            self.err.flush()


def console_for(asks: bool) -> Console:
    return Console(sys.stdout, sys.stderr, asks)
