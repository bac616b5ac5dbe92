"""Notify admins of problems that only they can fix: a channel without the bot, a missing permission.

Each channel and error is reported once a week, as an idempotent step in the ledger. If the policy names no admin
channel, the notice is an error in the log, for an alarm to watch.
"""

import logging
from dataclasses import dataclass
from functools import partial

from bot.pipeline.idempotency import Idempotency, Post
from bot.queue.messages import MessageKey
from bot.slack.blocks import build_view, section
from bot.slack.client import SlackActions
from bot.ui.text import thread as thread_text

log = logging.getLogger(__name__)

_WEEK = 7 * 24 * 3600

# Errors of ordinary operation, which need no admin.
_NEEDS_NO_ADMIN = frozenset({"message_not_found", "thread_not_found", "thread_locked", "too_many_reactions"})


@dataclass(frozen=True, slots=True)
class AdminNotices:
    """Notices to the admins of a team, in the channel `admin` if the policy names one."""

    slack: SlackActions
    steps: Idempotency
    team: str
    admin: str | None

    def tell(self, channel: str, error: str) -> None:
        """Report that `error` prevents work in `channel`. Raises what `Idempotency` raises."""
        if error in _NEEDS_NO_ADMIN:
            return
        self._notify(channel, f"notice:{error}", error, thread_text.admin_needed(channel, error))

    def tell_of_policy(self, unreadable: int, kept: int) -> None:
        """Report that policy version `unreadable` cannot be read; `kept` is used. Raises what `Idempotency` raises."""
        sentence = thread_text.policy_unreadable(unreadable, kept)
        self._notify(self.admin or "NONE", f"notice:policy#{unreadable}", "policy_unreadable", sentence)

    def _notify(self, channel: str, step: str, error: str, sentence: str) -> None:
        key = MessageKey(self.team, channel, f"{_week(self.steps.now())}.000000")
        if self.admin is None:
            self.steps.act(key, step, partial(self._log, key, error))
            return
        view = build_view(sentence, [section(sentence)])
        find = partial(self.slack.find_sent_on, key, step, self.admin)
        make = partial(self.slack.send_on, key, step, view, self.admin)
        self.steps.post(Post(key, step, self.admin, find, make))

    def _log(self, key: MessageKey, error: str) -> None:
        log.error("an admin is needed", extra={"team": key.team, "channel": key.channel, "error": error})


def _week(now: float) -> int:
    """Return the second at which the week began."""
    return int(now) // _WEEK * _WEEK
