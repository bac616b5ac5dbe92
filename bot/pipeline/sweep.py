"""Compare what stands in a channel with what the ledger knows: what was missed, what is there twice. The diff is pure.

Slack delivers an event for about six minutes. What was written while the front door was closed for longer stands in the
channel's history only; so does what was written before the bot was there, which makes this the way to backfill, too.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.policy.settings import SettingsSource, TeamSettings
from bot.queue.messages import MessageRecord
from bot.queue.sender import Queue
from bot.slack.api import SlackError, WorkspaceUninstalled
from bot.slack.client import METADATA_TYPE, Identity, SlackActions
from bot.slack.events import read_standing
from bot.store.ledger import Ledger
from bot.triage.decide import find_reason_to_ignore
from bot.workspaces.workspaces import ConnectedWorkspace

log = logging.getLogger(__name__)

# Younger messages are still being delivered, younger posts still being settled.
SETTLED_AFTER = 600


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep of one channel found: how many messages, those never decided about, the ts of surplus posts."""

    channel: str
    seen: int
    missing: tuple[MessageRecord, ...]
    surplus: tuple[str, ...]


def read_requests(
    history: Sequence[Mapping[str, Any]], channel: str, identity: Identity, settings: TeamSettings, now: int
) -> list[MessageRecord]:
    """Give, oldest first, the messages of a channel's history that the bot should have read."""
    team, user = identity.team, identity.user
    records = (read_standing(message, channel, team, now, user) for message in reversed(history))
    wanted = (record for record in records if isinstance(record, MessageRecord))
    return [record for record in wanted if find_reason_to_ignore(record, settings) is None]


def find_surplus(history: Sequence[Mapping[str, Any]], identity: Identity) -> list[str]:
    """Give the ts of all but the oldest of the bot's own posts that were made for one step of one message."""
    seen: set[tuple[str, str]] = set()
    surplus: list[str] = []
    for message in sorted(history, key=lambda each: str(each["ts"])):
        step = _step(message) if message.get("bot_id") == identity.bot else None
        if step in seen:
            surplus.append(str(message["ts"]))
        elif step:
            seen.add(step)
    return surplus


def _step(message: Mapping[str, Any]) -> tuple[str, str] | None:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != METADATA_TYPE:
        return None
    payload = metadata.get("event_payload") or {}
    return str(payload.get("key")), str(payload.get("step"))


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Looks and, unless it is only to look, mends. Methods raise what their collaborators raise; nothing is half done,
    because a sweep can be repeated at any time.
    """

    slack: SlackActions
    ledger: Ledger
    triage: Queue
    settings: SettingsSource

    def sweep_all(self, oldest: float, now: float) -> Iterator[Swept]:
        """Sweep every channel that the bot is in."""
        identity = self.slack.identify()
        for channel in self.slack.list_channels():
            yield self.sweep(channel, identity, oldest, now)

    def sweep(self, channel: str, identity: Identity, oldest: float, now: float, dry_run: bool = False) -> Swept:
        """Sweep what was written in one channel since `oldest`; see SETTLED_AFTER for where it ends."""
        settings = self.settings.load(identity.team, now)
        history = self.slack.read_history(channel, oldest, now - SETTLED_AFTER)
        requests = read_requests(history, channel, identity, settings, int(now))
        decided = self.ledger.find_decided(record.key for record in requests)
        missing = tuple(record for record in requests if record.key not in decided)
        swept = Swept(channel, len(history), missing, tuple(find_surplus(history, identity)))
        if not dry_run:
            self._mend(swept)
        return swept

    def _mend(self, swept: Swept) -> None:
        for record in swept.missing:
            self.triage.send(record)
        for ts in swept.surplus:
            self.slack.remove(swept.channel, ts)
        if swept.missing or swept.surplus:
            extra = {"channel": swept.channel, "missing": len(swept.missing), "surplus": len(swept.surplus)}
            log.warning("swept", extra=extra)


def sweep_workspaces(
    workspaces: Iterable[ConnectedWorkspace],
    sweeper_for: Callable[[ConnectedWorkspace], Sweeper],
    oldest: float,
    now: float,
) -> list[Swept]:
    """Sweep every workspace. What stands in the way in one is raised when the others have been swept.

    A workspace that installed the bot and took it out again is nobody's fault, and passed over.
    """
    swept: list[Swept] = []
    failures: list[SlackError] = []
    for workspace in workspaces:
        try:
            swept += sweeper_for(workspace).sweep_all(oldest, now)
        except SlackError as failure:
            if not (workspace.installed and isinstance(failure, WorkspaceUninstalled)):
                failures.append(failure)
            log.error("workspace not swept", extra={"error": failure.error, "installed": workspace.installed})
    if failures:
        raise failures[0]
    return swept
