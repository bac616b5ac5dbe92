"""The app in a workspace: all that Slack keeps about it, and what it hears of changes while it is installed."""

import asyncio
import secrets
from collections import deque
from dataclasses import dataclass

from bot.sandbox.slack.delivery import Courier
from bot.sandbox.slack.events import app_uninstalled, event_of, subscription_of, tokens_revoked
from bot.sandbox.slack.handles import Handles
from bot.sandbox.slack.settings import Settings
from bot.sandbox.slack.workspace import Change, Json, Refused, Workspace


@dataclass
class _Plan:
    times: int
    retry_after: int


class RateLimits:
    def __init__(self) -> None:
        self._plans: dict[str, _Plan] = {}

    def plan(self, method: str, times: int, retry_after: int) -> None:
        """Refuse the next `times` calls of a method, asking for `retry_after` seconds of patience."""
        self._plans[method] = _Plan(times, retry_after)

    def retry_after(self, method: str) -> int | None:
        """Give the seconds that the caller must wait, or None when the call may go on."""
        plan = self._plans.get(method)
        if plan is None or plan.times <= 0:
            return None
        plan.times -= 1
        return plan.retry_after


class Pulse:
    def __init__(self) -> None:
        self.version = 0
        self.stopped = False
        self._changed = asyncio.Event()

    def beat(self) -> None:
        self.version += 1
        self._wake()

    def stop(self) -> None:
        """Let everybody who waits go: the server is about to close."""
        self.stopped = True
        self._wake()

    async def after(self, version: int) -> int:
        """Wait until the version is another than this one, or until the pulse has stopped."""
        while self.version == version and not self.stopped:
            await self._changed.wait()
        return self.version

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()


_KEPT_CALLS = 1_000


@dataclass(frozen=True)
class ApiCall:
    """One call of the Web API, without its token; `error` is None when Slack did what was asked."""

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
    """What somebody uploaded."""

    id: str
    name: str
    user: str
    content: bytes


class Installation:
    """`token` is that of the app's bot, or None where the app is not installed; `revoked` are those it had before.

    `path` is where the workspace's page and its links begin, below the server's own address.
    """

    def __init__(self, workspace: Workspace, settings: Settings, token: str | None, path: str = "") -> None:
        self.workspace = workspace
        self.settings = settings
        self.token = token
        self.revoked: set[str] = set()
        self.path = path
        self.pulse = Pulse()
        self.courier = Courier(workspace, settings, self.pulse.beat)
        self.handles = Handles(workspace.clock)
        self.limits = RateLimits()
        self.calls: deque[ApiCall] = deque(maxlen=_KEPT_CALLS)
        self.modals: dict[str, View] = {}
        self.homes: dict[str, View] = {}
        self.files: dict[str, File] = {}
        workspace.observers.append(self._hear)

    def record(self, method: str, arguments: Json, error: str | None) -> None:
        """Note a call of the Web API."""
        kept = {name: value for name, value in arguments.items() if name != "token"}
        self.calls.append(ApiCall(self.workspace.clock(), method, kept, error))
        self.pulse.beat()

    def new_view(self, user: str, form: Json) -> View:
        """Give a view its id and hash, without showing it."""
        return View(f"V{secrets.token_hex(5).upper()}", user, form, secrets.token_hex(8))

    def modal(self, view_id: str | None, external_id: str | None = None) -> View:
        """Find an open modal by either id. Raises Refused("not_found")."""
        for view in self.modals.values():
            if view.id == view_id or (external_id and view.form.get("external_id") == external_id):
                return view
        raise Refused("not_found")

    def view(self, view_id: str) -> View:
        """Find an open modal or a Home tab. Raises Refused("not_found")."""
        for view in (*self.modals.values(), *self.homes.values()):
            if view.id == view_id:
                return view
        raise Refused("not_found")

    def install(self) -> str:
        """Give the app its token; installing it again gives the same one."""
        if self.token is None:
            self.token = f"xoxb-{secrets.token_hex(12)}"
        self.pulse.beat()
        return self.token

    def uninstall(self) -> None:
        """Take the app out. It hears of it, and its token is none any more. Raises Refused("not_installed")."""
        if self.token is None:
            raise Refused("not_installed")
        self.revoked.add(self.token)
        self.token = None
        for event in (tokens_revoked(self.workspace), app_uninstalled(self.workspace)):
            self._tell(event)
        self.pulse.beat()

    def _hear(self, change: Change) -> None:
        event = event_of(change, self.workspace)
        if event and self.token is not None:
            self._tell(event)
        self.pulse.beat()

    def _tell(self, event: Json) -> None:
        if subscription_of(event) in self.settings.subscriptions:
            self.courier.deliver(event)
