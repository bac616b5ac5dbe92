"""Do something within a given time, whatever it hangs on."""

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
        """Give the seconds that are left, 0 where there are none."""
        return max(0.0, self.at - time.monotonic())

    def at_most(self, seconds: float) -> "Deadline":
        """Give this deadline, or the one in `seconds` from now where that is earlier."""
        return Deadline(min(self.at, time.monotonic() + seconds))


NO_DEADLINE = Deadline(math.inf)


def within(seconds: float) -> Deadline:
    return NO_DEADLINE.at_most(seconds)


class Bounded:
    """Runs calls in a thread, and waits for them no longer than told.

    A socket's timeout starts anew with each byte, and looking a name up has none; so a call that takes too long is
    left alone, and keeps its thread until it ends by itself. When all threads are taken that way, calls time out
    without having been made.
    """

    def __init__(self, threads: int = 4) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="bounded")

    def call(self, function: Callable[[], T], deadline: Deadline) -> T:
        """Raises TimeoutError, or what the function raises."""
        future = self._threads.submit(function)
        seconds = deadline.left()
        try:
            return future.result(None if seconds == math.inf else seconds)
        finally:
            future.cancel()  # what has not begun need not begin any more
