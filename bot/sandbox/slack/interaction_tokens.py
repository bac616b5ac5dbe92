"""Issue and check the response URLs and trigger ids that Slack sends along with a command or an interaction."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.slack.workspace import SlackError

RESPONSE_URL_SECONDS = 30 * 60
RESPONSE_URL_USES = 5
TRIGGER_SECONDS = 3


@dataclass
class ResponseUrl:
    """A URL to respond to: `user` sees ephemeral responses, `message_ts` is the message that it may replace."""

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


class InteractionTokens:
    """Honours tokens as long and as often as Slack does. `clock` returns Unix seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._response_urls: dict[str, ResponseUrl] = {}
        self._triggers: dict[str, Trigger] = {}

    def issue_response_url(
        self, channel: str, user: str, *, message_ts: str | None = None, thread_ts: str | None = None
    ) -> str:
        """Return the secret last part of a new response URL."""
        token = secrets.token_urlsafe(18)
        self._response_urls[token] = ResponseUrl(channel, user, message_ts, thread_ts, self._clock())
        return token

    def use_response_url(self, token: str) -> ResponseUrl:
        """Count one use and return the response URL. Raises SlackError: invalid_url, expired_url, used_url."""
        response_url = self._response_urls.get(token)
        if response_url is None:
            raise SlackError("invalid_url")
        if self._clock() - response_url.issued_at > RESPONSE_URL_SECONDS:
            raise SlackError("expired_url")
        if response_url.uses >= RESPONSE_URL_USES:
            raise SlackError("used_url")
        response_url.uses += 1
        return response_url

    def issue_trigger(self, user: str) -> str:
        """Return a new trigger_id, which opens one modal for this user."""
        trigger_id = f"{secrets.randbelow(10**12)}.{secrets.token_hex(16)}"
        self._triggers[trigger_id] = Trigger(user, self._clock())
        return trigger_id

    def exchange_trigger(self, trigger_id: str) -> str:
        """Consume a trigger_id and return its user. Raises SlackError: invalid_, expired_ or exchanged_trigger_id."""
        trigger = self._triggers.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.exchanged:
            raise SlackError("exchanged_trigger_id")
        if self._clock() - trigger.issued_at > TRIGGER_SECONDS:
            raise SlackError("expired_trigger_id")
        trigger.exchanged = True
        return trigger.user
