"""What becomes of customers' messages: read, alone or together, decided about, acted on, and read anew when changed."""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.pipeline.admission import Admission
from bot.pipeline.effects import Effects
from bot.policy.settings import TeamSettings
from bot.queue.messages import MessageKey, MessageRecord, ReplyRecord, RevisionRecord
from bot.queue.sender import Queue
from bot.store.ledger import Ledger
from bot.store.message_groups import MessageGroups
from bot.triage.case import Case, Decision, FirstAnswer
from bot.triage.decide import decide, find_reason_to_ignore, ignore
from bot.triage.follow_up import revise, shows
from classifier_infra.model.manifest import Manifest
from classifier_infra.model.prediction import Prediction

log = logging.getLogger(__name__)

# So that a person who goes on writing is read once, and not after every line.
GATHERING_SECONDS = 3


@dataclass(frozen=True, slots=True)
class OpenedMessage:
    """A message that was looked at: what is known of it, and what the classifier has to read of it, if anything.

    `message` is as it came, or as it stands now where it was changed; None where it is gone. `leader` is the message
    that it is a part of. `settings` are the same ones from the first look at it to the decision.
    """

    key: MessageKey
    settings: TeamSettings
    case: Case
    message: MessageRecord | None
    leader: MessageKey | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class MessageHandler:
    """What it takes. Methods raise what the collaborators raise: deliver the record again."""

    manifest: Manifest
    ledger: Ledger
    effects: Effects
    admission: Admission
    message_groups: MessageGroups
    later: Queue
    now: Callable[[], float]

    # --- First looks ----------------------------------------------------------------------------------------

    def open_message(self, record: MessageRecord, settings: TeamSettings, due: float | None) -> OpenedMessage:
        """RuleContext at a message that came in; `due` is from when on it may be read, where it had to wait."""
        case = self.ledger.load(record.key, self.now())
        opened = self._read(OpenedMessage(record.key, settings, case, record), due, is_new=case.decision is None)
        return self._find_leader(opened, record) if opened.text is not None else opened

    def open_revision(self, record: RevisionRecord, settings: TeamSettings, due: float | None) -> OpenedMessage:
        """RuleContext at a message that was changed, as a whole with all its parts."""
        key, case = self._load_whole(record.key)
        message = self.effects.slack.read_request(key, record.received_at, case.parts)
        return self._read(OpenedMessage(key, settings, case, message), due, is_new=not case.corrections)

    def _read(self, opened: OpenedMessage, due: float | None, is_new: bool) -> OpenedMessage:
        """Have a message read if what it says is new."""
        message = opened.message
        if message is None or not is_new or find_reason_to_ignore(message, opened.settings):
            return opened
        self.admission.admit(message, opened.settings.policy.limits, due)
        return replace(opened, text=message.text)

    def _find_leader(self, opened: OpenedMessage, record: MessageRecord) -> OpenedMessage:
        """See whether a message belongs to an earlier one of its author; then it is read with that."""
        window = opened.settings.policy.intake.merge_seconds
        if not window or record.bot:
            return opened
        leader = self.message_groups.find_root(record, window, self.now())
        return opened if leader == record.ts else replace(opened, text=None, leader=replace(record.key, ts=leader))

    def _load_whole(self, key: MessageKey) -> tuple[MessageKey, Case]:
        """Load what is known of a message, or of the one that it is a part of."""
        case = self.ledger.load(key, self.now())
        if case.decision is None or case.decision.leader is None:
            return key, case
        leader = replace(key, ts=case.decision.leader)
        whole = self.ledger.load(leader, self.now())
        return (leader, whole) if key.ts in whole.parts else (key, case)

    # --- What is made of them -------------------------------------------------------------------------------

    def triage(self, opened: OpenedMessage, prediction: Prediction | None) -> None:
        """Decide about a message that came in, and act; what was decided before stands."""
        message = opened.message
        assert message is not None, "what is gone is not triaged"
        if opened.leader:
            self._merge(opened.leader, message)
        elif opened.case.corrections:  # a person's word stands, whatever was left undone before it
            self.effects.show_changes(message.key)
        elif not opened.case.is_withdrawn:
            decision = opened.case.decision or self._decide(message, opened.settings, prediction)
            self.effects.carry_out(message, decision)
            self.effects.check_policy(message.team)

    def revise(self, opened: OpenedMessage, prediction: Prediction | None) -> None:
        """Bring what was made of a message in line with what it says now."""
        message, before = opened.message, opened.case.decision
        if message is None:
            self._withdraw(opened.key, opened.case)
        elif before is None:
            self.triage(opened, prediction)
        elif opened.case.corrections:
            self.effects.show_changes(opened.key)
        else:
            self._replace(message, before, revise(before, self._judge(message, opened.settings, prediction)))

    def note_answer(self, record: ReplyRecord, settings: TeamSettings) -> None:
        """Remember who answered a customer first, and hand the request over to them."""
        if settings.mode(record.channel) == "off":
            return
        key, case = self._load_whole(record.key)
        answer, known = FirstAnswer(record.author, float(record.replied_ts), record.author_team), case.first_answer
        # Answers can arrive in another order than they were written in.
        if known and known.answered_at < answer.answered_at:
            return
        if answer != known:
            self.ledger.record_answer(key, case, answer, self.now())
        self.effects.hand_over(key, known)

    def _decide(self, message: MessageRecord, settings: TeamSettings, prediction: Prediction | None) -> Decision:
        decision = self._judge(message, settings, prediction)
        standing = self.ledger.record_decision(message.key, decision, self.now())
        _log_decision(message.key, standing)
        return standing

    def _judge(self, message: MessageRecord, settings: TeamSettings, prediction: Prediction | None) -> Decision:
        if prediction:
            return decide(message, prediction, settings, self.manifest)
        reason = find_reason_to_ignore(message, settings)
        assert reason is not None, "only what is ignored is not classified"
        return ignore(reason)

    def _merge(self, leader: MessageKey, message: MessageRecord) -> None:
        """Have a message read together with the one that it belongs to: in an order in which nothing can be lost."""
        self.ledger.add_part(leader, message.ts, self.now())
        self._look_again(leader, GATHERING_SECONDS)
        decision = self.ledger.record_decision(message.key, ignore("merged", leader.ts), self.now())
        _log_decision(message.key, decision)

    def _replace(self, message: MessageRecord, before: Decision, after: Decision) -> None:
        if after != before:
            self.ledger.revise_decision(message.key, before, after, self.now())
            _log_decision(message.key, after)
        if shows(before):
            self.effects.show_changes(message.key)
        self.effects.carry_out(message, after)

    def _withdraw(self, key: MessageKey, case: Case) -> None:
        if case.parts:  # without the one that they were read with, they stand for themselves
            for ts in self.ledger.split(key, self.now()):
                self._look_again(replace(key, ts=ts))
        if case.decision is None:  # what is still in the queue of it finds this
            self.ledger.record_decision(key, ignore("deleted"), self.now())
        else:
            self.effects.withdraw(key, case)
            self.ledger.end_waiting(key, self.now())

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
