"""Limit how many messages are classified a minute, per channel and per workspace; excess messages wait.

A message takes a slot of its channel first and of the workspace second, so that a busy channel cannot use up the
workspace's slots. A delayed message is admitted when it is due, without taking another slot.
"""

from collections.abc import Callable
from dataclasses import dataclass

from bot.policy.policy import Limits
from bot.queue.messages import MessageRecord
from bot.slack.api import RetryableError
from bot.store.rate_limiter import RateLimiter

# People write in bursts: the messages of half a minute are admitted at once.
_BURST_SECONDS = 30


class NotYet(RetryableError):
    """The message has a slot, and is to be delivered again at `due` (seconds since the epoch)."""

    def __init__(self, due: float, now: float) -> None:
        super().__init__("over_rate", refused=True, after=int(due - now) + 1)
        self.due = due


@dataclass(frozen=True, slots=True)
class Admission:
    """Rate limits of messages. `now` returns seconds since the epoch."""

    rate_limiter: RateLimiter
    now: Callable[[], float]

    def admit(self, record: MessageRecord, limits: Limits, due: float | None) -> None:
        """Admit a message; `due` is the time of its slot if it had to wait. Raises NotYet, LedgerUnavailable."""
        now = self.now()
        if due is not None:
            if due > now:
                raise NotYet(due, now)
            return
        self._take_slot(f"{record.team}#{record.channel}#messages", limits.channel_minute, now)
        self._take_slot(f"{record.team}#messages", limits.workspace_minute, now)

    def _take_slot(self, key: str, per_minute: int, now: float) -> None:
        due = self.rate_limiter.take(key, 60 / per_minute, now) - _BURST_SECONDS
        if due > now:
            raise NotYet(due, now)
