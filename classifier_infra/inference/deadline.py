"""Deadlines, and calls that are abandoned when theirs has passed."""

import math
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Deadline:
    """A moment of this process's monotonic clock, in seconds."""

    at: float

    def left(self) -> float:
        """Return the seconds until the deadline, 0 after it."""
        return max(0.0, self.at - time.monotonic())

    def at_most(self, seconds: float) -> "Deadline":
        """Return this deadline, or the one in `seconds` from now if that is earlier."""
        return Deadline(min(self.at, time.monotonic() + seconds))


NO_DEADLINE = Deadline(math.inf)


def within(seconds: float) -> Deadline:
    return NO_DEADLINE.at_most(seconds)


class Bounded:
    """Runs calls in threads and waits for each until its deadline.

    A socket's timeout starts anew with each byte, and name resolution has none; so a call that takes too long is
    abandoned and occupies its thread until it returns. While all threads are occupied, calls time out without having
    started.
    """

    def __init__(self, threads: int = 4) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="bounded")

    def call(self, function: Callable[[], T], deadline: Deadline) -> T:
        """Return what the function returns. Raises TimeoutError, or what the function raises."""
        future = self._threads.submit(function)
        seconds = deadline.left()
        try:
            return future.result(None if seconds == math.inf else seconds)
        finally:
            future.cancel()  # if it has not started, it need not start any more
