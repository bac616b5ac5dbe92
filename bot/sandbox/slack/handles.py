"""The short-lived handles that Slack gives an app along with a command or an interaction."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.slack.workspace import Refused

RESPONSE_URL_SECONDS = 30 * 60
RESPONSE_URL_USES = 5
TRIGGER_SECONDS = 3


@dataclass
class ResponseUrl:
    """Where an app may answer: who sees an ephemeral answer, and which message it may replace."""

    channel: str
    user: str
    message_ts: str | None
    thread_ts: str | None
    issued_at: float
    uses: int = 0


@dataclass
class Trigger:
    user: str
    issued_at: float
    exchanged: bool = False


class Handles:
    """Issues handles and honours them only as long and as often as Slack does. `clock` gives unix seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._response_urls: dict[str, ResponseUrl] = {}
        self._triggers: dict[str, Trigger] = {}

    def issue_response_url(
        self, channel: str, user: str, *, message_ts: str | None = None, thread_ts: str | None = None
    ) -> str:
        """Give the secret last part of a response URL."""
        token = secrets.token_urlsafe(18)
        self._response_urls[token] = ResponseUrl(channel, user, message_ts, thread_ts, self._clock())
        return token

    def use_response_url(self, token: str) -> ResponseUrl:
        """Count one use. Raises Refused: invalid_url, expired_url, used_url."""
        handle = self._response_urls.get(token)
        if handle is None:
            raise Refused("invalid_url")
        if self._clock() - handle.issued_at > RESPONSE_URL_SECONDS:
            raise Refused("expired_url")
        if handle.uses >= RESPONSE_URL_USES:
            raise Refused("used_url")
        handle.uses += 1
        return handle

    def issue_trigger(self, user: str) -> str:
        """Give a trigger_id, which opens one modal for this user."""
        trigger_id = f"{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._triggers[trigger_id] = Trigger(user, self._clock())
        return trigger_id

    def exchange_trigger(self, trigger_id: str) -> str:
        """Give the user who acted. Raises Refused: invalid_, expired_ or exchanged_trigger_id."""
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise Refused("invalid_trigger_id")
        if trigger.exchanged:
            raise Refused("exchanged_trigger_id")
        if self._clock() - trigger.issued_at > TRIGGER_SECONDS:
            raise Refused("expired_trigger_id")
        trigger.exchanged = True
        return trigger.user
