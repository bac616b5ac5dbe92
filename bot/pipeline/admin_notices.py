"""Tell an admin, once, what only an admin can mend: a channel the bot is not in, a permission it lacks.

Once means once a week for each channel and error, guarded like every other step in the ledger. Without an admin's
channel in the policy it is a line in the log for an alarm to watch.
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

# What happens to messages in the ordinary course of things.
_NOBODYS_TASK = frozenset({"message_not_found", "thread_not_found", "thread_locked", "too_many_reactions"})


@dataclass(frozen=True, slots=True)
class AdminNotices:
    """What an admin of a team is told, in the channel `admin` if the policy names one."""

    slack: SlackActions
    steps: Idempotency
    team: str
    admin: str | None

    def tell(self, channel: str, error: str) -> None:
        """Say that `error` stands in the way in `channel`. Raises what `Idempotency` raises."""
        if error in _NOBODYS_TASK:
            return
        key, step = MessageKey(self.team, channel, f"{_week(self.steps.now())}.000000"), f"notice:{error}"
        if self.admin is None:
            self.steps.act(key, step, partial(self._log, key, error))
        else:
            self.steps.post(self._post(key, step, thread_text.admin_needed(channel, error), self.admin))

    def tell_of_policy(self, unreadable: int, kept: int) -> None:
        """Say that the policy in force cannot be read, so that an older one is. Raises what `Idempotency` raises."""
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
    """Give the second with which the week began."""
    return int(now) // _WEEK * _WEEK
