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
        key, step = MessageKey(self.team, channel, f"{_week(self.steps.now())}.000000"), f"notice:{error}"
        if self.admin is None:
            self.steps.act(key, step, partial(self._log, key, error))
        else:
            self.steps.post(self._post(key, step, thread_text.admin_needed(channel, error), self.admin))

    def tell_of_policy(self, unreadable: int, kept: int) -> None:
        """Report that policy version `unreadable` cannot be read; `kept` is used. Raises what `Idempotency` raises."""
        place = self.admin or "NONE"
        key, step = MessageKey(self.team, place, f"{_week(self.steps.now())}.000000"), f"notice:policy#{unreadable}"
        if self.admin is None:
            self.steps.act(key, step, partial(self._log, key, "policy_unreadable"))
        else:
            self.steps.post(self._post(key, step, thread_text.policy_unreadable(unreadable, kept), self.admin))

    def _log(self, key: MessageKey, error: str) -> None:
        log.error("an admin is needed", extra={"team": key.team, "channel": key.channel, "error": error})

    def _post(self, key: MessageKey, step: str, sentence: str, admin: str) -> Post:
        view = build_view(sentence, [section(sentence)])
        find = partial(self.slack.find_sent_on, key, step, admin)
        return Post(key, step, admin, find, partial(self.slack.send_on, key, step, view, admin))


def _week(now: float) -> int:
    """Return the second at which the week began."""
    return int(now) // _WEEK * _WEEK
