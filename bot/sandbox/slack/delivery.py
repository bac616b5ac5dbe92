"""Send signed requests to the app: events with Slack's retries, commands and interactions once."""

import asyncio
import hashlib
import hmac
import json
import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias
from urllib.parse import urlencode

import httpx2

from bot.sandbox.slack.events import envelope
from bot.sandbox.slack.settings import Settings
from bot.sandbox.slack.workspace import Json, SlackError, Workspace

FORM = "application/x-www-form-urlencoded"

# Bounds the memory of a long run; a page shows no more.
_KEPT_DELIVERIES = 1_000
_AT_ONCE = 50

State: TypeAlias = Literal["sending", "waiting", "delivered", "given_up"]


@dataclass(frozen=True)
class Attempt:
    """One attempt: the HTTP status of the response, if any, and the `X-Slack-Retry-Reason` if it failed."""

    at: float
    status: int | None
    reason: str | None


@dataclass
class Delivery:
    """An event and its attempts. `channel` and `ts` are those of the message that the event is about."""

    event_id: str
    event: Json
    state: State = "sending"
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def channel(self) -> str:
        return str(self.event.get("channel") or self.event.get("item", {}).get("channel", ""))

    @property
    def ts(self) -> str:
        event = self.event
        about = event.get("message") or event.get("item") or {"ts": event.get("deleted_ts") or event.get("ts")}
        return str(about["ts"] or event["event_ts"])


class DispatchError(SlackError):
    """The app did not acknowledge a command or an interaction. `code` is what Slack shows to the user."""


def sign(secret: str, body: bytes, timestamp: int) -> dict[str, str]:
    """Return the headers of a request that is signed as by Slack. `body`: the exact bytes that are sent."""
    digest = hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": str(timestamp), "X-Slack-Signature": f"v0={digest}"}


class Dispatcher:
    """Sends requests to the app. Use it as an async context manager, in the event loop that serves."""

    def __init__(self, workspace: Workspace, settings: Settings, on_change: Callable[[], None]) -> None:
        self.deliveries: deque[Delivery] = deque(maxlen=_KEPT_DELIVERIES)
        self._workspace = workspace
        self._settings = settings
        self._on_change = on_change
        self._tasks: set[asyncio.Task[None]] = set()
        self._places = asyncio.Semaphore(_AT_ONCE)

    async def __aenter__(self) -> "Dispatcher":
        # No proxy from the environment, because all is on loopback. Slack follows at most two redirects.
        self._http = httpx2.AsyncClient(trust_env=False, follow_redirects=True, max_redirects=2)
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._http.aclose()

    def deliver(self, event: Json) -> None:
        """Start delivering an event and return at once."""
        if self._settings.events_url is None:
            return
        delivery = Delivery(f"Ev{secrets.token_hex(5).upper()}", event)
        self.deliveries.append(delivery)
        task = asyncio.create_task(self._deliver(delivery, self._settings.events_url))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def ask(self, url: str | None, form: Mapping[str, str]) -> httpx2.Response:
        """Send a command or an interaction and return the app's 2xx response. Raises DispatchError."""
        if url is None:
            raise DispatchError("dispatch_failed")
        try:
            response = await self._send(url, urlencode(form).encode(), FORM, {})
        except TimeoutError:
            raise DispatchError("operation_timeout") from None
        except (httpx2.HTTPError, httpx2.InvalidURL):
            raise DispatchError("dispatch_failed") from None
        if not response.is_success:
            raise DispatchError("dispatch_failed")
        return response

    async def verify_events_url(self) -> None:
        """Send the events URL a challenge, as Slack does when the URL is saved.

        Raises SlackError("url_verification_failed") with the status or the reason as `answered`.
        """
        challenge = secrets.token_hex(16)
        body = json.dumps({"token": "", "challenge": challenge, "type": "url_verification"}).encode()
        try:
            response = await self._send(self._settings.events_url or "", body, "application/json", {})
        except (TimeoutError, httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise SlackError("url_verification_failed", answered=_reason_of(error)) from None
        if not response.is_success or challenge not in response.text:
            raise SlackError("url_verification_failed", answered=response.status_code)

    async def _deliver(self, delivery: Delivery, url: str) -> None:
        body = json.dumps(envelope(delivery.event, self._workspace, delivery.event_id)).encode()
        for number, delay in enumerate((0.0, *self._settings.retry_delays)):
            await asyncio.sleep(delay)
            if await self._attempt(delivery, url, body, number):
                return
        self._set_state(delivery, "given_up")

    async def _attempt(self, delivery: Delivery, url: str, body: bytes, number: int) -> bool:
        """Make one attempt and record it; return whether this was the last one."""
        self._set_state(delivery, "sending")
        headers = _retry_headers(number, delivery.attempts)
        status, reason, no_retry = None, None, False
        async with self._places:
            at = self._workspace.clock()
            try:
                response = await self._send(url, body, "application/json", headers)
            except (TimeoutError, httpx2.HTTPError, httpx2.InvalidURL) as error:
                reason = _reason_of(error)
            else:
                status = response.status_code
                reason = None if response.is_success else "http_error"
                no_retry = response.headers.get("X-Slack-No-Retry") == "1"
        delivery.attempts.append(Attempt(at, status, reason))
        self._set_state(delivery, "delivered" if reason is None else "given_up" if no_retry else "waiting")
        return reason is None or no_retry

    async def _send(self, url: str, body: bytes, content_type: str, headers: Mapping[str, str]) -> httpx2.Response:
        signature = sign(self._settings.signing_secret, body, int(self._settings.signing_clock()))
        named = {"Content-Type": content_type, "User-Agent": "Slackbot 1.0 (stand-in)"}
        async with asyncio.timeout(self._settings.timeout):
            try:
                return await self._http.post(url, content=body, timeout=None, headers={**named, **signature, **headers})
            except AttributeError as error:
                # anyio raises this for a connection that is reset before its first read.
                raise httpx2.ConnectError("reset on arrival") from error

    def _set_state(self, delivery: Delivery, state: State) -> None:
        delivery.state = state
        self._on_change()


def _retry_headers(number: int, attempts: list[Attempt]) -> dict[str, str]:
    if number == 0:
        return {}
    return {"X-Slack-Retry-Num": str(number), "X-Slack-Retry-Reason": attempts[-1].reason or "unknown_error"}


def _reason_of(error: Exception) -> str:
    match error:
        case TimeoutError():
            return "http_timeout"
        case httpx2.TooManyRedirects():
            return "too_many_redirects"
        case httpx2.ConnectError():
            return "ssl_error" if "SSL" in str(error) else "connection_failed"
        case httpx2.TransportError():
            return "connection_failed"
        case _:
            return "unknown_error"
