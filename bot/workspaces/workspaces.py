"""Find the Slack client of the workspace that a record is about.

Without SLACK_WORKSPACES the bot serves one workspace, whose token is in the secret. With it, each workspace has the
token of its own installation (installations.py). The secret's token, if any, is then used only for its own workspace:
otherwise messages of one workspace could be posted in another one's channels.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from slack_sdk import WebClient
from slack_sdk.oauth.installation_store.models.bot import Bot

from bot.policy.settings import SettingsSource
from bot.queue.messages import LifecycleRecord
from bot.settings import Renewed, find_bot_token, read_bot_token, read_workspaces, require
from bot.slack.api import SlackError, WorkspaceUninstalled, build_client, call
from bot.store.channel_homes import ChannelHomes
from bot.workspaces.installations import DynamoInstallationStore

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

log = logging.getLogger(__name__)

# How long an instance caches a token that may have been replaced: shorter than a new installation takes.
FRESH_SECONDS = 5

# The home of a channel is decided once; it changes only where a workspace uninstalls the bot.
HOME_SECONDS = 60


@dataclass(frozen=True, slots=True)
class ConnectedWorkspace:
    """A workspace that the bot is in; `installed` through OAuth, so that it may uninstall the bot at any time."""

    client: WebClient
    installed: bool = False


class Workspaces(Protocol):
    """The workspaces that the bot is in.

    Methods raise WorkspaceUninstalled, and RetryableError or InstallationsUnavailable if a retry may help.
    """

    def client_for(self, team: str) -> WebClient:
        """Return the Slack client of a workspace."""

    def list_workspaces(self) -> Iterator[ConnectedWorkspace]:
        """Yield every workspace that the bot is in; their tokens are not checked."""

    def home_of(self, team: str, channel: str) -> str:
        """Return the workspace that a channel's messages are handled for, where `team` told of one; see ManyWorkspaces.

        Raises LedgerUnavailable.
        """
        ...

    def renew(self) -> bool:
        """Report whether the token in the secret was rotated since it was read."""
        ...

    def uninstall(self, record: LifecycleRecord) -> None:
        """Remove the token of a workspace that uninstalled the bot; idempotent."""


@dataclass(frozen=True, slots=True)
class OneWorkspace:
    """The only workspace of a deployment whose token is in the secret; see Workspaces for the methods."""

    client: WebClient
    renewed: Renewed[str] | None = None

    def client_for(self, team: str) -> WebClient:
        if self.renewed:
            self.client.token = self.renewed.get()
        return self.client

    def home_of(self, team: str, channel: str) -> str:
        return team

    def renew(self) -> bool:
        return self.renewed is not None and self.renewed.renew()

    def list_workspaces(self) -> Iterator[ConnectedWorkspace]:
        yield ConnectedWorkspace(self.client_for(""))

    def uninstall(self, record: LifecycleRecord) -> None:
        """Only log it: the token is in the operator's secret, and Slack no longer accepts it."""
        _log_departure(record)


@dataclass(slots=True)
class ManyWorkspaces:
    """Workspaces of a deployment with OAuth. `own` uses the secret's token; `now` returns seconds since the epoch.

    `homes` remembers which workspace a channel's messages are handled for; `names` returns the workspaces whose policy
    names a channel.
    """

    installations: DynamoInstallationStore
    build: Callable[[str], WebClient]
    own: WebClient | None
    now: Callable[[], float]
    homes: ChannelHomes | None = None
    names: Callable[[str], Sequence[str]] = lambda channel: ()
    _homes: dict[str, tuple[float, str]] = field(default_factory=dict, repr=False)
    _known: dict[str, tuple[float, WebClient]] = field(default_factory=dict, repr=False)
    _own_team: str | None = None

    def client_for(self, team: str) -> WebClient:
        now = self.now()
        found_at, client = self._known.get(team, (float("-inf"), None))
        if client is None or not found_at <= now < found_at + FRESH_SECONDS:
            client = self._find(team)
            self._known[team] = (now, client)
        return client

    def home_of(self, team: str, channel: str) -> str:
        """See Workspaces. Decided once: the first installed workspace whose policy names the channel, else `team`.

        Where that workspace has uninstalled the bot, `team` takes the channel over.
        """
        if self.homes is None:
            return team
        found_at, home = self._homes.get(channel, (float("-inf"), ""))
        if found_at <= self.now() < found_at + HOME_SECONDS:
            return home
        home = self.homes.find(channel) or self.homes.settle(channel, self._choose_home(team, channel))
        if home != team and not self._is_installed(home):
            home = self.homes.settle(channel, team, instead_of=home)
        self._homes[channel] = (self.now(), home)
        return home

    def _choose_home(self, team: str, channel: str) -> str:
        return next((each for each in sorted(self.names(channel)) if self._is_installed(each)), team)

    def _is_installed(self, team: str) -> bool:
        try:
            self.client_for(team)
        except WorkspaceUninstalled:
            return False
        return True

    def renew(self) -> bool:
        """See Workspaces. The token of an installation is looked up every few seconds anyway."""
        return False

    def _find(self, team: str) -> WebClient:
        self._known.pop(team, None)
        bot = self.installations.find_bot(team_id=team)
        if bot is not None:
            return self.build(bot.bot_token)
        if self.own is not None and self._identify(self.own) == team:
            return self.own
        raise WorkspaceUninstalled("not_installed")

    def list_workspaces(self) -> Iterator[ConnectedWorkspace]:
        bots = list(self.installations.find_bots())
        yield from (ConnectedWorkspace(self.build(bot.bot_token), installed=True) for bot in bots)
        if self.own is not None and not self._is_among(bots, self.own):
            yield ConnectedWorkspace(self.own)

    def uninstall(self, record: LifecycleRecord) -> None:
        _log_departure(record)
        self.installations.delete_bot(team_id=record.team, until=record.at)
        self._known.pop(record.team, None)

    def _is_among(self, bots: Sequence[Bot], own: WebClient) -> bool:
        try:
            return self._identify(own) in {bot.team_id for bot in bots}
        except SlackError:
            return False  # it is listed, and its error comes up when it is used, after the other workspaces

    def _identify(self, own: WebClient) -> str:
        if self._own_team is None:
            self._own_team = str(call(own.auth_test)["team_id"])
        return self._own_team


def _log_departure(record: LifecycleRecord) -> None:
    log.warning("workspace gone", extra={"team": record.team, "reason": record.what})


def build_workspaces(
    environ: Mapping[str, str],
    dynamodb: "DynamoDBClient",
    now: Callable[[], float],
    settings: SettingsSource | None = None,
) -> Workspaces:
    """Build what knows the workspaces. Raises MissingSetting.

    With `settings`, a channel that several workspaces share has one home.
    """
    api_url = environ.get("SLACK_API_URL")
    allowed = read_workspaces(environ)
    if not allowed:
        token = Renewed(lambda: read_bot_token(environ), now)
        return OneWorkspace(build_client(token.get(), api_url), token)
    installations = DynamoInstallationStore(dynamodb, require(environ, "INSTALLATIONS_TABLE"))
    own_token = find_bot_token(environ)
    own = build_client(own_token, api_url) if own_token else None
    workspaces = ManyWorkspaces(installations, lambda token: build_client(token, api_url), own, now)
    if settings:
        workspaces.homes = ChannelHomes(dynamodb, require(environ, "LEDGER_TABLE"))
        workspaces.names = lambda channel: [
            team for team in allowed if team[0] == "T" and settings.load(team, now()).policy.names(channel)
        ]
    return workspaces
