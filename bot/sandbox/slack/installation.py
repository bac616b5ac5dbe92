"""Hold what Slack keeps about an app in one workspace, and send the app events while it is installed."""

import asyncio
import secrets
from collections import deque
from dataclasses import dataclass

from bot.sandbox.slack.delivery import Dispatcher
from bot.sandbox.slack.events import app_uninstalled, event_of, subscription_of, tokens_revoked
from bot.sandbox.slack.interaction_tokens import InteractionTokens
from bot.sandbox.slack.settings import Settings
from bot.sandbox.slack.workspace import Change, Channel, Json, SlackError, Workspace

_KEPT_CALLS = 1_000


@dataclass(frozen=True)
class ApiCall:
    """One call of the Web API, without its token; `error` is None when it succeeded."""

    at: float
    method: str
    arguments: Json
    error: str | None


@dataclass
class View:
    """A modal or a Home tab, as one user sees it."""

    id: str
    user: str
    form: Json
    hash: str


@dataclass(frozen=True)
class File:
    """A file that a user uploaded."""

    id: str
    name: str
    user: str
    content: bytes


class Installation:
    """One workspace and the app in it.

    `token` is the bot's token, or None while the app is not installed; `revoked` holds its former tokens. `path` is
    the part of URLs, below the server's address, where the workspace's page begins.
    """

    def __init__(self, workspace: Workspace, settings: Settings, token: str | None, path: str = "") -> None:
        self.workspace = workspace
        self.settings = settings
        self.token = token
        self.revoked: set[str] = set()
        self.path = path
        self.version = StateVersion()
        self.dispatcher = Dispatcher(workspace, settings, self.version.increment)
        self.interaction_tokens = InteractionTokens(workspace.clock)
        self.limits = RateLimits()
        self.calls: deque[ApiCall] = deque(maxlen=_KEPT_CALLS)
        self.modals: dict[str, View] = {}
        self.homes: dict[str, View] = {}
        self.files: dict[str, File] = {}
        workspace.observers.append(self._on_change)

    def record(self, method: str, arguments: Json, error: str | None) -> None:
        """Record a call of the Web API."""
        kept = {name: value for name, value in arguments.items() if name != "token"}
        self.calls.append(ApiCall(self.workspace.clock(), method, kept, error))
        self.version.increment()

    def new_view(self, user: str, form: Json) -> View:
        """Return a view with a new id and hash, which is not shown yet."""
        return View(f"V{secrets.token_hex(5).upper()}", user, form, secrets.token_hex(8))

    def modal(self, view_id: str | None, external_id: str | None = None) -> View:
        """Find an open modal by either id. Raises SlackError("not_found")."""
        for view in self.modals.values():
            if view.id == view_id or (external_id and view.form.get("external_id") == external_id):
                return view
        raise SlackError("not_found")

    def view(self, view_id: str) -> View:
        """Find an open modal or a Home tab. Raises SlackError("not_found")."""
        for view in (*self.modals.values(), *self.homes.values()):
            if view.id == view_id:
                return view
        raise SlackError("not_found")

    def install(self) -> str:
        """Install the app and return its token; the same one if it is installed already."""
        if self.token is None:
            self.token = f"xoxb-{secrets.token_hex(12)}"
        self.version.increment()
        return self.token

    def uninstall(self) -> None:
        """Uninstall the app: revoke its token and send it the events. Raises SlackError("not_installed")."""
        if self.token is None:
            raise SlackError("not_installed")
        self.revoked.add(self.token)
        self.token = None
        for event in (tokens_revoked(self.workspace), app_uninstalled(self.workspace)):
            self.send(event)
        self.version.increment()

    def send(self, event: Json) -> None:
        """Send an event to the app, if it subscribes to that type."""
        if subscription_of(event) in self.settings.subscriptions:
            self.dispatcher.deliver(event)

    def _on_change(self, channel: Channel, change: Change) -> None:
        event = event_of(channel, change, self.workspace)
        if event and self.token is not None:
            self.send(event)
        self.version.increment()


class StateVersion:
    """A number that grows with every change, so that a page can wait for the next one."""

    def __init__(self) -> None:
        self.number = 0
        self.stopped = False
        self._changed = asyncio.Event()

    def increment(self) -> None:
        self.number += 1
        self._wake()

    def stop(self) -> None:
        """Release all waiters, because the server is about to close."""
        self.stopped = True
        self._wake()

    async def wait_past(self, number: int) -> int:
        """Wait until the version differs from `number` or `stop` is called, and return it."""
        while self.number == number and not self.stopped:
            await self._changed.wait()
        return self.number

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


@dataclass
class _PlannedRefusals:
    times: int
    retry_after: int


class RateLimits:
    """Rate limits that a person or a test plans for single methods."""

    def __init__(self) -> None:
        self._planned: dict[str, _PlannedRefusals] = {}

    def plan(self, method: str, times: int, retry_after: int) -> None:
        """Refuse the next `times` calls of a method with a `Retry-After` in seconds."""
        self._planned[method] = _PlannedRefusals(times, retry_after)

    def retry_after(self, method: str) -> int | None:
        """Count a call; return the seconds that the caller must wait, or None when the call is allowed."""
        planned = self._planned.get(method)
        if planned is None or planned.times <= 0:
            return None
        planned.times -= 1
        return planned.retry_after
