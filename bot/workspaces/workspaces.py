"""Which token to speak to Slack with: that of the workspace a record is about, and never another one's.

Without SLACK_WORKSPACES the bot is in one workspace, whose token is in the secret, and nothing is looked up. With it,
each workspace has the token of its own installation (installations.py), and the secret's token, if there is one, is
used for the workspace that it belongs to alone: with it, what one workspace's customers wrote would be posted in
another's channels.
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from slack_sdk import WebClient
from slack_sdk.oauth.installation_store.models.bot import Bot

from bot.queue.messages import LifecycleRecord
from bot.settings import find_bot_token, read_bot_token, read_workspaces, require
from bot.slack.api import SlackError, WorkspaceUninstalled, build_client, call
from bot.workspaces.installations import DynamoInstallationStore

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

log = logging.getLogger(__name__)

# So long an instance may go on with a token that was replaced elsewhere: less than it takes to install the bot again.
FRESH_SECONDS = 5


@dataclass(frozen=True, slots=True)
class ConnectedWorkspace:
    """A workspace that the bot is in; `installed` means through OAuth, so that it can go without anybody's fault."""

    client: WebClient
    installed: bool = False


class Workspaces(Protocol):
    """The workspaces that the bot is in.

    Methods raise WorkspaceUninstalled, or RetryableError or InstallationsUnavailable where that cannot be told now.
    """

    def client_for(self, team: str) -> WebClient:
        """Give what speaks to Slack in the name of a workspace."""
        ...

    def list_workspaces(self) -> Iterator[ConnectedWorkspace]:
        """Give every workspace that the bot is in; whether Slack takes its token is for whoever uses it to find out."""
        ...

    def uninstall(self, record: LifecycleRecord) -> None:
        """Forget the token of a workspace that took the bot out; doing it twice is doing it once."""
        ...


@dataclass(frozen=True, slots=True)
class OneWorkspace:
    """Workspaces of a deployment whose token is in the secret."""

    client: WebClient

    def client_for(self, team: str) -> WebClient:
        """See Workspaces."""
        return self.client

    def list_workspaces(self) -> Iterator[ConnectedWorkspace]:
        """See Workspaces."""
        yield ConnectedWorkspace(self.client)

    def uninstall(self, record: LifecycleRecord) -> None:
        """See Workspaces. The token is in the secret, and not ours to remove: Slack takes it no more."""
        _log_departure(record)


@dataclass(slots=True)
class ManyWorkspaces:
    """Workspaces of a deployment that takes installations. `own` has the secret's token. `now` gives epoch seconds."""

    installations: DynamoInstallationStore
    build: Callable[[str], WebClient]
    own: WebClient | None
    now: Callable[[], float]
    _known: dict[str, tuple[float, WebClient]] = field(default_factory=dict, repr=False)
    _own_team: str | None = None

    def client_for(self, team: str) -> WebClient:
        """See Workspaces."""
        now = self.now()
        found_at, client = self._known.get(team, (float("-inf"), None))
        if client is None or not found_at <= now < found_at + FRESH_SECONDS:
            client = self._find(team)
            self._known[team] = (now, client)
        return client

    def _find(self, team: str) -> WebClient:
        self._known.pop(team, None)
        bot = self.installations.find_bot(team_id=team)
        if bot is not None:
            return self.build(bot.bot_token)
        if self.own is not None and self._identify(self.own) == team:
            return self.own
        raise WorkspaceUninstalled("not_installed")

    def list_workspaces(self) -> Iterator[ConnectedWorkspace]:
        """See Workspaces."""
        bots = list(self.installations.find_bots())
        yield from (ConnectedWorkspace(self.build(bot.bot_token), installed=True) for bot in bots)
        if self.own is not None and not self._is_among(bots, self.own):
            yield ConnectedWorkspace(self.own)

    def uninstall(self, record: LifecycleRecord) -> None:
        """See Workspaces."""
        _log_departure(record)
        self.installations.delete_bot(team_id=record.team, until=record.at)
        self._known.pop(record.team, None)

    def _is_among(self, bots: Sequence[Bot], own: WebClient) -> bool:
        try:
            return self._identify(own) in {bot.team_id for bot in bots}
        except SlackError:
            return False  # listed, so that what is wrong with it comes up at its turn, and hides no other workspace

    def _identify(self, own: WebClient) -> str:
        if self._own_team is None:
            self._own_team = str(call(own.auth_test)["team_id"])
        return self._own_team


def _log_departure(record: LifecycleRecord) -> None:
    log.warning("workspace gone", extra={"team": record.team, "reason": record.what})


def build_workspaces(environ: Mapping[str, str], dynamodb: "DynamoDBClient", now: Callable[[], float]) -> Workspaces:
    """Raises MissingSetting."""
    api_url = environ.get("SLACK_API_URL")
    if not read_workspaces(environ):
        return OneWorkspace(build_client(read_bot_token(environ), api_url))
    installations = DynamoInstallationStore(dynamodb, require(environ, "INSTALLATIONS_TABLE"))
    token = find_bot_token(environ)
    own = build_client(token, api_url) if token else None
    return ManyWorkspaces(installations, lambda token: build_client(token, api_url), own, now)
