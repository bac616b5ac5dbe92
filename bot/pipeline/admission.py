"""How many messages are read in a minute, of one channel and of a workspace: the others wait, and none is refused.

A message first stands in its channel's line and only then in the workspace's, so that a noisy channel cannot take the
places of the others. One that had to wait is let in when it comes back, because its line lets so many through only.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bot.policy.policy import Limits
from bot.queue.messages import MessageRecord
from bot.slack.api import RetryableError
from bot.store.rate_limiter import RateLimiter

# People write in bursts: half a minute's worth is let in at once.
_BURST_SECONDS = 30


class NotYet(RetryableError):
    """The message has a place in line, and is to come back at `due` (seconds since the epoch)."""

    def __init__(self, due: float, now: float) -> None:
        super().__init__("over_rate", refused=True, after=int(due - now) + 1)
        self.due = due


@dataclass(frozen=True, slots=True)
class Admission:
    """Where messages are counted. `now` gives seconds since the epoch."""

    rate_limiter: RateLimiter
    now: Callable[[], float]

    def admit(self, record: MessageRecord, limits: Limits, due: float | None) -> None:
        """Let a message in; where it had to wait, `due` is from when on. Raises NotYet, LedgerUnavailable."""
        now = self.now()
        if due is not None:
            if due > now:
                raise NotYet(due, now)
            return
        self._stand_in(f"{record.team}#{record.channel}#messages", limits.channel_minute, now)
        self._stand_in(f"{record.team}#messages", limits.workspace_minute, now)

    def _stand_in(self, line: str, per_minute: int, now: float) -> None:
        due = self.rate_limiter.take(line, 60 / per_minute, now) - _BURST_SECONDS
        if due > now:
            raise NotYet(due, now)
