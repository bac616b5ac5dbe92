"""Sweep the history of channels for messages that were never delivered. The comparison is pure.

Slack delivers an event for about six minutes. What was written while the front door was closed for longer stands in the
channel's history only; so does what was written before the bot was there, which makes this the way to backfill, too.

Each channel has a watermark, and what was queued is noted: a message is queued at most once. Channels that were swept
least recently come first, so a sweep that ends early (Slack's rate limit, the function's time) goes on where it ended.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bot.policy.settings import SettingsSource, TeamSettings
from bot.queue.messages import InvalidRecord, MessageRecord, TidyRecord, build
from bot.queue.sender import Queue
from bot.slack.api import RetryableError, SlackError, WorkspaceUninstalled
from bot.slack.client import METADATA_TYPE, Identity, SlackActions
from bot.slack.events import read_standing
from bot.store.ledger import Ledger
from bot.store.watermarks import Watermarks
from bot.triage.decide import find_reason_to_ignore
from bot.workspaces.workspaces import ConnectedWorkspace

log = logging.getLogger(__name__)

# Younger messages are still being delivered, younger posts still being settled.
SETTLED_AFTER = 600

# Clocks differ: what lies just before a watermark is looked at again, and not queued again.
_OVERLAP_SECONDS = 300

# Where Slack asks for patience and does not say for how long.
_PATIENCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Swept:
    """What a sweep of one channel found: how many messages, those never seen, and steps that were posted twice."""

    channel: str
    seen: int
    missing: tuple[MessageRecord, ...]
    surplus: tuple[TidyRecord, ...]


def read_requests(
    history: Sequence[Mapping[str, Any]], channel: str, identity: Identity, settings: TeamSettings, now: int
) -> list[MessageRecord]:
    """Return, oldest first, the messages of a channel's history that the bot should have read."""
    team, user = identity.team, identity.user
    records = (read_standing(message, channel, team, now, user) for message in reversed(history))
    wanted = (record for record in records if isinstance(record, MessageRecord))
    return [record for record in wanted if find_reason_to_ignore(record, settings) is None]


def find_surplus(
    history: Sequence[Mapping[str, Any]], channel: str, identity: Identity, now: int
) -> tuple[TidyRecord, ...]:
    """Return a clean-up for each step of a message that the bot has more than one post of in a channel."""
    ours = (message for message in history if message.get("bot_id") == identity.bot)
    copies = Counter(step for message in ours if (step := _read_step(message)))
    found = (_build_clean_up(key, step, channel, now) for (key, step), count in sorted(copies.items()) if count > 1)
    return tuple(record for record in found if record)


def _read_step(message: Mapping[str, Any]) -> tuple[str, str] | None:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != METADATA_TYPE:
        return None
    payload = metadata.get("event_payload") or {}
    return str(payload.get("key")), str(payload.get("step"))


def _build_clean_up(key: str, step: str, place: str, now: int) -> TidyRecord | None:
    team, _, rest = key.partition("#")
    channel, _, ts = rest.partition("#")
    values = {"team": team, "channel": channel, "ts": ts, "step": step, "place": place, "received_at": now}
    try:
        return build(TidyRecord, values)
    except InvalidRecord:  # metadata that another app may have written
        return None


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Sweeps channels of one workspace. Methods raise what their collaborators raise; a sweep can always be repeated.

    `clock` and `sleep` are for Slack's requests to wait.
    """

    slack: SlackActions
    ledger: Ledger
    triage: Queue
    settings: SettingsSource
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    @property
    def watermarks(self) -> Watermarks:
        return Watermarks(self.ledger.client, self.ledger.table)

    def sweep_all(self, oldest: float, now: float, until: float | None = None) -> Iterator[Swept]:
        """Sweep every channel that the bot is in, those first that were swept least recently.

        A channel that cannot be read keeps no other from being swept. Slack's Retry-After is waited for if it ends
        before `until`; else the sweep ends there, and the next one begins with the channels that are left.
        """
        identity = self.slack.identify()
        watermarks = self.watermarks.load(identity.team)
        for channel in sorted(self.slack.list_channels(), key=lambda each: watermarks.get(each, 0)):
            try:
                begin = max(oldest, watermarks.get(channel, 0) - _OVERLAP_SECONDS)
                swept = self._patiently(partial(self.sweep, channel, identity, begin, now), until or now)
            except WorkspaceUninstalled:
                raise
            except RetryableError as failure:
                if failure.refused:
                    log.warning("sweep ended early", extra={"team": identity.team, "error": failure.error})
                    return
                log.error("channel not swept", extra={"channel": channel, "error": failure.error})
            except SlackError as failure:
                log.error("channel not swept", extra={"channel": channel, "error": failure.error})
            else:
                self.watermarks.save(identity.team, channel, now - SETTLED_AFTER)
                yield swept

    def _patiently(self, sweep: Callable[[], Swept], until: float) -> Swept:
        """Sweep, and where Slack asks to wait, do so while there is time. Raises RetryableError when there is not."""
        while True:
            try:
                return sweep()
            except RetryableError as failure:
                pause = _PATIENCE_SECONDS if failure.after is None else failure.after
                if not failure.refused or self.clock() + pause > until:
                    raise
                self.sleep(pause)

    def sweep(self, channel: str, identity: Identity, oldest: float, now: float, dry_run: bool = False) -> Swept:
        """Sweep what was written in one channel since `oldest`; see SETTLED_AFTER for where it ends."""
        settings = self.settings.load(identity.team, now)
        history = self.slack.read_history(channel, oldest, now - SETTLED_AFTER)
        requests = read_requests(history, channel, identity, settings, int(now))
        known = self.ledger.find_known(record.key for record in requests)
        missing = tuple(record for record in requests if record.key not in known)
        swept = Swept(channel, len(history), missing, find_surplus(history, channel, identity, int(now)))
        if not dry_run:
            self._mend(swept, now)
        return swept

    def _mend(self, swept: Swept, now: float) -> None:
        for record in swept.missing:
            self.triage.send(record)
            self.ledger.note_seen(record.key, now)
        for clean_up in swept.surplus:  # which copy stays is for the worker to say, as for every other
            self.triage.send(clean_up)
        if swept.missing or swept.surplus:
            extra = {"channel": swept.channel, "missing": len(swept.missing), "surplus": len(swept.surplus)}
            log.warning("swept", extra=extra)


def sweep_workspaces(
    workspaces: Iterable[ConnectedWorkspace],
    sweeper_for: Callable[[ConnectedWorkspace], Sweeper],
    oldest: float,
    now: float,
    until: float | None = None,
) -> list[Swept]:
    """Sweep every workspace. What stands in the way in one is raised when the others have been swept.

    A workspace that installed the bot and uninstalled it again is passed over.
    """
    swept: list[Swept] = []
    failures: list[SlackError] = []
    for workspace in workspaces:
        try:
            swept += sweeper_for(workspace).sweep_all(oldest, now, until)
        except SlackError as failure:
            if not (workspace.installed and isinstance(failure, WorkspaceUninstalled)):
                failures.append(failure)
            log.error("workspace not swept", extra={"error": failure.error, "installed": workspace.installed})
    if failures:
        raise failures[0]
    return swept
