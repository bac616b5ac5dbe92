"""A circuit breaker: whether a service that keeps failing is worth asking again yet. Pure.

After a few failures in a row it is left alone for a while, which doubles with each further failure. Then the next
request is the probe. Without it, every caller would wait out a dead service's timeout.
"""

import random
from dataclasses import dataclass

FAILURES_TO_OPEN = 3
FIRST_PAUSE = 1.0  # seconds
LONGEST_PAUSE = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class Breaker:
    """Failures in a row, and the moment (seconds, of any one clock) from which on the service may be asked."""

    failures: int = 0
    retry_at: float = float("-inf")

    def allows(self, now: float) -> bool:
        return now >= self.retry_at

    def after_success(self) -> "Breaker":
        return Breaker()

    def after_failure(self, now: float) -> "Breaker":
        failures = self.failures + 1
        if failures < FAILURES_TO_OPEN:
            return Breaker(failures)
        pause = min(FIRST_PAUSE * 2.0 ** min(failures - FAILURES_TO_OPEN, 30), LONGEST_PAUSE)
        # Many instances of a function see the same outage; they should not all knock at the same moment.
        return Breaker(failures, now + pause * random.uniform(0.5, 1.0))  # noqa: S311, no secret hangs on it
