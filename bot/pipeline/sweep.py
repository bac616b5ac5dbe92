"""Sweep the history of channels for messages, edits and deletions that were never delivered.

Slack retries an event for about six minutes. Messages written during a longer outage of the front are only in the
channel's history, as are those written before the bot joined: the sweep is the way to backfill, too. Edits
and deletions are found up to an hour after their message was written.

Each channel has a watermark, and queued messages are noted, so that each is queued at most once. Channels swept least
recently come first, so a sweep that ends early (Slack's rate limit, the function's time) resumes where it ended.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bot.policy.settings import SettingsSource, TeamSettings
from bot.queue.messages import InvalidRecord, MessageKey, MessageRecord, RevisionRecord, TidyRecord, build
from bot.queue.sender import Queue
from bot.slack.api import RetryableError, SlackError, WorkspaceUninstalled
from bot.slack.client import METADATA_TYPE, Identity, SlackActions
from bot.slack.events import read_standing
from bot.store.ledger import Ledger
from bot.store.watermarks import Watermarks
from bot.triage.decide import find_reason_to_ignore
from bot.workspaces.workspaces import ConnectedWorkspace

log = logging.getLogger(__name__)

# In seconds. Younger messages may still be delivered, and younger posts still be deduplicated.
SETTLED_AFTER = 600

# Messages before a watermark are read again, for their edits and deletions, but not queued again.
_OVERLAP_SECONDS = 3600

# Back-off if Slack limits the rate without a Retry-After.
_BACK_OFF_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Swept:
    """The result of one channel's sweep: messages in all, those never seen, steps that were posted twice, and messages
    that were edited or deleted after the bot last read them.
    """

    channel: str
    seen: int
    missing: tuple[MessageRecord, ...]
    surplus: tuple[TidyRecord, ...]
    changed: tuple[RevisionRecord, ...]


def read_requests(
    history: Sequence[Mapping[str, Any]], channel: str, identity: Identity, settings: TeamSettings, now: int
) -> list[MessageRecord]:
    """Return, oldest first, the messages of a channel's history that the bot should have read."""
    team, user = identity.team, identity.user
    records = (read_standing(message, channel, team, now, user) for message in reversed(history))
    wanted = (record for record in records if isinstance(record, MessageRecord))
    return [record for record in wanted if find_reason_to_ignore(record, settings) is None]


def read_edits(history: Sequence[Mapping[str, Any]], bot: str, since: float, until: float) -> dict[str, float]:
    """Return when messages were last edited, by their ts: edits after `since` and up to `until`, none of `bot`'s own.

    Times are in seconds since the epoch.
    """
    others = (message for message in history if message.get("bot_id") != bot)
    edits = {str(message.get("ts")): float((message.get("edited") or {}).get("ts", 0)) for message in others}
    return {ts: edited for ts, edited in edits.items() if since < edited <= until}


def find_standing(history: Sequence[Mapping[str, Any]]) -> set[str]:
    """Return the ts of the messages that are not deleted; a tombstone is what remains of one with replies."""
    return {str(message.get("ts")) for message in history if message.get("subtype") != "tombstone"}


def find_surplus(
    history: Sequence[Mapping[str, Any]], channel: str, identity: Identity, now: int
) -> tuple[TidyRecord, ...]:
    """Return a record for each step of a message that the bot posted more than once in a channel."""
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
    except InvalidRecord:  # another app may write metadata of this type
        return None


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Sweeps the channels of one workspace. Methods raise what their collaborators raise; all are idempotent.

    `clock` and `sleep` serve Slack's Retry-After. `home_of` returns the workspace that a channel's messages are handled
    for: where several share a channel, what one of them delivered is known to the sweeps of all.
    """

    slack: SlackActions
    ledger: Ledger
    triage: Queue
    settings: SettingsSource
    clock: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    home_of: Callable[[str, str], str] = lambda team, channel: team

    @property
    def watermarks(self) -> Watermarks:
        return Watermarks(self.ledger.client, self.ledger.table)

    def sweep_all(self, oldest: float, now: float, until: float | None = None) -> Iterator[Swept]:
        """Sweep every channel that the bot is in, the least recently swept first.

        A channel that cannot be read does not stop the others. A Retry-After that ends before `until` is waited for;
        otherwise the sweep ends, and the next one begins with the remaining channels.
        """
        identity = self.slack.identify()
        watermarks = self.watermarks.load(identity.team)
        for channel in sorted(self.slack.list_channels(), key=lambda each: watermarks.get(each, 0)):
            watermark = watermarks.get(channel, 0)
            begin = max(oldest, watermark - _OVERLAP_SECONDS)
            try:
                sweep = partial(self.sweep, channel, identity, begin, now, edited_since=watermark)
                swept = self._retry(sweep, until or now)
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

    def _retry(self, sweep: Callable[[], Swept], until: float) -> Swept:
        """Sweep, waiting as long as Slack asks. Raises RetryableError if that would end after `until`."""
        while True:
            try:
                return sweep()
            except RetryableError as failure:
                pause = _BACK_OFF_SECONDS if failure.after is None else failure.after
                if not failure.refused or self.clock() + pause > until:
                    raise
                self.sleep(pause)

    def sweep(
        self,
        channel: str,
        identity: Identity,
        oldest: float,
        now: float,
        dry_run: bool = False,
        edited_since: float = 0,
    ) -> Swept:
        """Sweep one channel's messages from `oldest` up to SETTLED_AFTER before `now`.

        Edits up to `edited_since` are passed over, because an earlier sweep has looked at them.
        """
        until = now - SETTLED_AFTER
        identity = replace(identity, team=self.home_of(identity.team, channel))
        settings = self.settings.load(identity.team, now)
        history = self.slack.read_history(channel, oldest, until)
        requests = read_requests(history, channel, identity, settings, int(now))
        known = self.ledger.find_known(record.key for record in requests)
        missing = tuple(record for record in requests if record.key not in known)
        changed: set[str] = set()
        if settings.mode(channel) != "off":
            edits = read_edits(history, identity.bot, edited_since, until)
            changed = {
                ts for ts, at in edits.items() if self._is_older(MessageKey(identity.team, channel, ts), at, now)
            }
            changed |= self.ledger.find_traced(identity.team, channel, oldest, until) - find_standing(history)
        swept = Swept(
            channel,
            len(history),
            missing,
            find_surplus(history, channel, identity, int(now)),
            tuple(RevisionRecord(identity.team, channel, ts, int(now)) for ts in sorted(changed)),
        )
        if not dry_run:
            self._queue(swept, now)
        return swept

    def _is_older(self, key: MessageKey, edited_at: float, now: float) -> bool:
        """Report whether a message was decided about as it was before an edit."""
        decision = self.ledger.load(key, now).decision
        return decision is not None and (decision.text_as_of or float(key.ts)) < edited_at

    def _queue(self, swept: Swept, now: float) -> None:
        for record in swept.missing:
            self.triage.send(record)
            self.ledger.note_seen(record.key, now)
        for clean_up in swept.surplus:  # the worker chooses the copy to keep
            self.triage.send(clean_up)
        for revision in swept.changed:
            self.triage.send(revision)
        counts = {"missing": len(swept.missing), "surplus": len(swept.surplus), "changed": len(swept.changed)}
        if any(counts.values()):
            log.warning("swept", extra={"channel": swept.channel, **counts})


def sweep_workspaces(
    workspaces: Iterable[ConnectedWorkspace],
    sweeper_for: Callable[[ConnectedWorkspace], Sweeper],
    oldest: float,
    now: float,
    until: float | None = None,
) -> list[Swept]:
    """Sweep every workspace, and raise the first error when all have been tried.

    Workspaces that have uninstalled the bot are skipped.
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
