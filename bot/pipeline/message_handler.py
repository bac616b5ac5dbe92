"""Record customers' messages, edits and answers as facts, for the reconciler to show."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.pipeline.admission import Admission, NotYet
from bot.pipeline.reconcile import Reconciler
from bot.policy.settings import TeamSettings
from bot.queue.messages import MessageKey, MessageRecord, OriginalMessage, ReplyRecord, RevisionRecord
from bot.queue.sender import Queue
from bot.store.ledger import Ledger, VersionTaken
from bot.store.message_groups import MessageGroups
from bot.triage.case import Case, Decision, FirstAnswer
from bot.triage.decide import decide, find_reason_to_ignore, ignore
from bot.triage.ownership import find_assigned
from bot.triage.wanted import revise
from classifier_infra.model.manifest import Manifest
from classifier_infra.model.prediction import Prediction

log = logging.getLogger(__name__)

# Merge delay: a person who writes several lines in a row is classified once, not after every line.
GATHERING_SECONDS = 3

# Enough for the decisions about one message that may be written at the same moment.
_TRIES = 5


@dataclass(frozen=True, slots=True)
class OpenedMessage:
    """A message with its case, and the `text` to classify, if any.

    `message` is as it stood at `as_of` (seconds since the epoch); None if it is gone. `leader` is the message that it
    is merged with. `settings` are a snapshot, the same for all steps up to the decision.
    """

    key: MessageKey
    settings: TeamSettings
    case: Case
    message: MessageRecord | None
    as_of: float
    leader: MessageKey | None = None
    text: str | None = None

    @property
    def is_news(self) -> bool:
        """Report whether there is no decision yet, or one about an older text."""
        decision = self.case.decision
        return decision is None or self.as_of > (decision.text_as_of or float(self.key.ts))

    @property
    def original(self) -> OriginalMessage | None:
        message = self.message
        return OriginalMessage(message.author, message.text, message.author_team, self.as_of) if message else None


@dataclass(frozen=True, slots=True)
class MessageHandler:
    """Methods raise what the collaborators raise: deliver the record again.

    Those that write facts return the key of the case to reconcile, or None if nothing is to be shown.
    """

    manifest: Manifest
    ledger: Ledger
    reconciler: Reconciler
    admission: Admission
    message_groups: MessageGroups
    later: Queue
    now: Callable[[], float]

    # --- Reading --------------------------------------------------------------------------------------------

    def open_message(self, record: MessageRecord, settings: TeamSettings, due: float | None) -> OpenedMessage:
        """Open a new message; `due` is the time from which it may be classified, if it had to wait."""
        case = self.ledger.load(record.key, self.now())
        opened = OpenedMessage(record.key, settings, case, record, as_of=float(record.ts))
        opened = self._read(opened, due, is_new=case.decision is None and not case.is_deleted)
        return self._find_leader(opened, record) if opened.text is not None else opened

    def open_revision(self, record: RevisionRecord, settings: TeamSettings, due: float | None) -> OpenedMessage:
        """Open a changed message as it is in Slack now, with all its parts."""
        key, case = self._load_whole(record.key)
        as_of = self.now()
        message = self.reconciler.slack.read_request(key, record.received_at, case.parts)
        return self._read(OpenedMessage(key, settings, case, message, as_of), due, is_new=not case.corrections)

    def _read(self, opened: OpenedMessage, due: float | None, is_new: bool) -> OpenedMessage:
        """Return the message with its text to classify, if it is new. Raises NotYet if it has to wait."""
        message = opened.message
        if message is None or not is_new or find_reason_to_ignore(message, opened.settings):
            return opened
        try:
            self.admission.admit(message, opened.settings.policy.limits, due)
        except NotYet:
            if due is None:  # so that the sweep does not queue it again
                self.note_seen(opened.key)
            raise
        return replace(opened, text=message.text)

    def _find_leader(self, opened: OpenedMessage, record: MessageRecord) -> OpenedMessage:
        """Find the author's earlier message that a message is to be merged with."""
        window = opened.settings.policy.intake.merge_seconds
        if not window or record.bot:
            return opened
        leader = self.message_groups.find_root(record, window, self.now())
        return opened if leader == record.ts else replace(opened, text=None, leader=replace(record.key, ts=leader))

    def _load_whole(self, key: MessageKey) -> tuple[MessageKey, Case]:
        """Load the case of a message, or of the one that it is a part of."""
        case = self.ledger.load(key, self.now())
        if case.decision is None or case.decision.leader is None:
            return key, case
        leader = replace(key, ts=case.decision.leader)
        whole = self.ledger.load(leader, self.now())
        return (leader, whole) if key.ts in whole.parts else (key, case)

    # --- Writing facts --------------------------------------------------------------------------------------

    def triage(self, opened: OpenedMessage, prediction: Prediction | None) -> MessageKey | None:
        """Decide about a new or changed message."""
        message, case = opened.message, opened.case
        if message is None:
            return self._delete(opened.key, case)
        if opened.leader:
            self._merge(opened.leader, message)
            return None
        if case.is_deleted or not opened.is_news:
            return opened.key
        if case.corrections:  # the correction stands; the new text is still shown
            self.ledger.note_change(opened.key, self.now())
            return opened.key
        standing = self._settle(opened, self._judge(opened, message, prediction))
        return opened.key if standing.outcome != "ignore" or case.decision else None

    def _settle(self, opened: OpenedMessage, decision: Decision) -> Decision:
        """Write a decision, unless one about the same or a newer text exists; return the one in force."""
        key = opened.key
        for tries_left in reversed(range(_TRIES)):
            standing = self.ledger.record_decision(key, decision, self.now())
            revised = None if standing is decision else revise(standing, decision)
            try:
                if revised:
                    self.ledger.revise_decision(key, standing, revised, self.now())
            except VersionTaken:
                if not tries_left:
                    raise
                continue
            _log_decision(key, revised or standing)
            return revised or standing
        raise AssertionError("the last try returns or raises")

    def _judge(self, opened: OpenedMessage, message: MessageRecord, prediction: Prediction | None) -> Decision:
        if prediction:
            decision = decide(message, prediction, opened.settings, self.manifest)
        else:
            reason = find_reason_to_ignore(message, opened.settings)
            assert reason is not None, "only ignored messages are not classified"
            decision = ignore(reason)
        return replace(decision, text_as_of=opened.as_of, decided_at=self.now())

    def _merge(self, leader: MessageKey, message: MessageRecord) -> None:
        """Merge a message with its leader; the order of the writes loses nothing if one fails."""
        self.ledger.add_part(leader, message.ts, self.now())
        self._look_again(leader, GATHERING_SECONDS)
        decision = self.ledger.record_decision(message.key, ignore("merged", leader.ts), self.now())
        _log_decision(message.key, decision)

    def _delete(self, key: MessageKey, case: Case) -> MessageKey:
        if case.parts:  # without their leader, the parts are handled separately
            for ts in self.ledger.split(key, self.now()):
                self._look_again(replace(key, ts=ts))
        if case.decision is None:  # for records about it that are still queued
            self.ledger.record_decision(key, ignore("deleted"), self.now())
        self.ledger.record_deletion(key, self.now())
        return key

    def note_answer(self, record: ReplyRecord, settings: TeamSettings) -> MessageKey | None:
        """Record who answered a customer first."""
        if settings.mode(record.channel) == "off":
            return None
        key, case = self._load_whole(record.key)
        answer, known = FirstAnswer(record.author, float(record.replied_ts), record.author_team), case.first_answer
        # Answers can arrive out of order.
        if known and known.answered_at < answer.answered_at:
            return None
        if answer != known:
            self.ledger.record_answer(key, case, answer, self.now())
        # Where a request is assigned to no one, nothing in Slack depends on the answer. One that is being assigned at
        # this moment is looked at again by the worker that does so, because the counter has been raised.
        return key if find_assigned(case) else None

    def note_seen(self, key: MessageKey) -> None:
        """Record that a message has arrived, so that the sweep does not queue it again."""
        self.ledger.note_seen(key, self.now())

    def _look_again(self, key: MessageKey, delay: float = 0) -> None:
        self.later.send(RevisionRecord(key.team, key.channel, key.ts, int(self.now())), delay)


def _log_decision(key: MessageKey, decision: Decision) -> None:
    log.info(
        "decided",
        extra={
            "message_key": str(key),
            "outcome": decision.outcome,
            "reason": decision.reason,
            "revision": decision.revision,
            "model_version": decision.model_version,
            "served_by": decision.served_by,
        },
    )
