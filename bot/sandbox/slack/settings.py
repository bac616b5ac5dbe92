"""The app's settings in the stand-in Slack: URLs, scopes, subscriptions, commands, time-outs."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.sandbox.slack.seed import EXAMPLES

BOT_SCOPES = frozenset(
    {
        "commands", "chat:write", "chat:write.public", "channels:history", "channels:join", "channels:read",
        "files:read", "groups:history", "groups:read", "reactions:read", "reactions:write", "usergroups:read",
        "users:read",
    }
)  # fmt: skip

SUBSCRIPTIONS = frozenset(
    {
        "message.channels", "message.groups", "reaction_added", "reaction_removed", "member_joined_channel",
        "app_home_opened", "app_uninstalled", "tokens_revoked",
    }
)  # fmt: skip


@dataclass(frozen=True)
class Command:
    """A slash command, as the app's manifest declares it."""

    name: str
    description: str
    usage_hint: str = ""


@dataclass(frozen=True)
class Shortcut:
    """A message shortcut, as the app's manifest declares it."""

    name: str
    callback_id: str


@dataclass(frozen=True)
class OAuth:
    """The app's OAuth credentials and the redirect URLs that it is allowed to use."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_urls: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Settings:
    """An URL is None where the app does not listen. Times are in seconds.

    `retry_delays` are the delays before each retry of an event. Slack's own are (0, 60, 300); the default is shorter,
    for people who watch. `signing_clock` returns the Unix time that requests are signed with. The app compares it with
    its own clock, so it is the real time even where the workspace's clock is not.
    """

    signing_secret: str = field(repr=False)
    bot_token: str = field(repr=False)
    events_url: str | None = None
    commands_url: str | None = None
    interactivity_url: str | None = None
    demo_url: str | None = None
    timeout: float = 3.0
    signing_clock: Callable[[], float] = time.time
    retry_delays: tuple[float, ...] = (0.0, 5.0, 20.0)
    scopes: frozenset[str] = BOT_SCOPES
    subscriptions: frozenset[str] = SUBSCRIPTIONS
    commands: tuple[Command, ...] = (Command("/classify", "Classify a message", "[text]"),)
    shortcuts: tuple[Shortcut, ...] = (Shortcut("Classify this message", "classify_message"),)
    examples: tuple[str, ...] = EXAMPLES
    oauth: OAuth | None = None
