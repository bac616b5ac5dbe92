"""Handle a batch of the triage queue: read all its texts in one call of the classifier, decide, act.

Each record ends in one of four ways, by itself:

    handled      done, or nothing left to do
    put off      its turn has not come, or Slack asked for patience: back through the queue `effects`, not a failure
    failed       delivered again, so many times
    set aside    trying again is no use, or has been tried too often: in the dead-letter queue, with the reason
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bot.pipeline.admission import NotYet
from bot.pipeline.command_handler import CommandHandler, TooLate
from bot.pipeline.effects import Effects
from bot.pipeline.message_handler import MessageHandler, OpenedMessage
from bot.pipeline.webhooks import WebhookRefused
from bot.policy.settings import SettingsSource, TeamSettings
from bot.queue.deliveries import MOST_TRIES, DeadLetters, Delivery, read_delivery
from bot.queue.messages import (
    AskRecord,
    CommandRecord,
    CorrectionRecord,
    EscalationRecord,
    ForwardRecord,
    GiveOutRecord,
    HomeRecord,
    InspectRecord,
    InvalidRecord,
    LifecycleRecord,
    MessageRecord,
    ReactionRecord,
    Record,
    ReplyRecord,
    RevisionRecord,
    RouteDialogRecord,
    RuleFormRecord,
    SavedRecord,
    SummaryRecord,
    TidyRecord,
    TrialRecord,
    UploadRecord,
    WebhookRecord,
    from_json,
)
from bot.queue.sender import Queue, QueueUnavailable
from bot.slack.api import PermanentError, RetryableError, SlackError, WorkspaceUninstalled
from bot.store.ledger import LedgerUnavailable, StepTaken, VersionTaken
from bot.workspaces.installations import InstallationsUnavailable
from classifier_infra.inference.classifier import Answer, Classifier, ClassifierError, predict_each

log = logging.getLogger(__name__)

# Expected now and then: worth a line in the log, not a traceback. Their sentences have nobody's text in them.
_KNOWN = (
    *(ClassifierError, InstallationsUnavailable, InvalidRecord, LedgerUnavailable, QueueUnavailable, SlackError),
    *(StepTaken, TooLate, VersionTaken, WebhookRefused),
)

# Another delivery does not cure these.
_FINAL = (InvalidRecord, WorkspaceUninstalled, PermanentError, TooLate, WebhookRefused)

# Where Slack asks for patience and does not say for how long.
_PATIENCE_SECONDS = 30

# What has been put off for as long as this is counted as failing, and so ends in front of a person.
_LONGEST_WAIT = 24 * 3600


@dataclass(frozen=True, slots=True)
class Handlers:
    """What acts in one workspace, with that workspace's token."""

    requests: MessageHandler
    command_handler: CommandHandler
    effects: Effects


@dataclass(frozen=True, slots=True)
class _Job:
    """A record of the batch, with its team's settings; `opened` is what is known of the message that it is about.

    `text` is what the classifier has to read.
    """

    delivery: Delivery
    record: Record
    settings: TeamSettings
    handlers: Handlers
    opened: OpenedMessage | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Worker:
    """The collaborators of one instance of the function. `now` gives seconds since the epoch.

    `handlers` returns what acts in a workspace, or raises WorkspaceUninstalled; `part` forgets a workspace that
    uninstalled the bot.
    """

    classifier: Classifier
    settings: SettingsSource
    handlers: Callable[[str], Handlers]
    part: Callable[[LifecycleRecord], None]
    later: Queue
    dead_letters: DeadLetters
    now: Callable[[], float]

    def handle(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Handle an SQS event; give the messages that have to be delivered again, for Lambda."""
        failed: list[str] = []
        jobs: list[_Job] = []
        for delivery in map(read_delivery, event["Records"]):
            with self._alone(delivery, failed):
                record = from_json(delivery.body)
                if isinstance(record, LifecycleRecord):
                    self.part(record)
                else:
                    jobs.append(self._open(delivery, record))
        answers = self._classify(jobs)
        for job in jobs:
            with self._alone(job.delivery, failed):
                self._finish(job, answers.get(job.delivery.id))
        return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}

    def _open(self, delivery: Delivery, record: Record) -> _Job:
        handlers = self.handlers(record.team)
        settings = self.settings.load(record.team, self.now())
        opened: OpenedMessage | None = None
        match record:
            case MessageRecord():
                opened = handlers.requests.open_message(record, settings, delivery.due)
            case RevisionRecord():
                opened = handlers.requests.open_revision(record, settings, delivery.due)
            case CommandRecord() | InspectRecord() | TrialRecord():
                return _Job(delivery, record, settings, handlers, text=handlers.command_handler.text_of(record))
        return _Job(delivery, record, settings, handlers, opened, opened.text if opened else None)

    def _classify(self, jobs: Sequence[_Job]) -> dict[str, Answer]:
        texts = {job.delivery.id: job.text for job in jobs if job.text is not None}
        return dict(zip(texts, predict_each(self.classifier, list(texts.values())), strict=True))

    def _finish(self, job: _Job, answer: Answer | None) -> None:
        if isinstance(answer, Exception):
            raise answer
        match job.record:
            case MessageRecord() if job.opened:
                job.handlers.requests.triage(job.opened, answer)
            case RevisionRecord() if job.opened:
                job.handlers.requests.revise(job.opened, answer)
            case ReplyRecord():
                job.handlers.requests.note_answer(job.record, job.settings)
            case CommandRecord():
                job.handlers.command_handler.answer_command(job.record, job.settings, answer)
            case AskRecord():
                job.handlers.command_handler.answer_question(job.record, job.settings)
            case HomeRecord():
                job.handlers.command_handler.show_home(job.record)
            case InspectRecord():
                job.handlers.command_handler.inspect(job.record, job.settings, answer)
            case TrialRecord():
                job.handlers.command_handler.try_policy(job.record, job.settings, answer)
            case UploadRecord():
                job.handlers.command_handler.review_upload(job.record, job.settings)
            case RouteDialogRecord():
                job.handlers.command_handler.show_routes(job.record)
            case RuleFormRecord():
                job.handlers.command_handler.show_rule_form(job.record)
            case SavedRecord():
                job.handlers.command_handler.look_at_saved(job.record)
            case ForwardRecord():
                job.handlers.command_handler.forward(job.record)
            case ReactionRecord():
                job.handlers.command_handler.take_reaction(job.record, job.settings)
            case CorrectionRecord():
                job.handlers.effects.show_changes(job.record.key)
            case SummaryRecord():
                job.handlers.effects.post_summary(job.record)
            case WebhookRecord():
                job.handlers.effects.follow_ups.call_webhook(job.record)
            case EscalationRecord():
                job.handlers.effects.follow_ups.escalate(job.record)
            case GiveOutRecord():
                job.handlers.effects.give_out(job.record)
            case TidyRecord():
                job.handlers.effects.deduplicate(job.record)

    # --- What does not succeed ------------------------------------------------------------------------------

    @contextmanager
    def _alone(self, delivery: Delivery, failed: list[str]) -> Iterator[None]:
        """Let what happens to one delivery be no concern of the others."""
        try:
            yield
        except Exception as error:
            self._log(delivery, error)
            try:
                is_disposed = self._put_off(delivery, error) or self._dead_letter(delivery, error)
            except QueueUnavailable as unavailable:
                self._log(delivery, unavailable)
                is_disposed = False
            if not is_disposed:
                failed.append(delivery.id)

    def _put_off(self, delivery: Delivery, error: Exception) -> bool:
        if not (isinstance(error, RetryableError) and error.refused):
            return False
        record = from_json(delivery.body)
        if self.now() - record.received_at > _LONGEST_WAIT:
            return False
        due = error.due if isinstance(error, NotYet) else delivery.due
        self.later.send(record, _PATIENCE_SECONDS if error.after is None else error.after, due)
        return True

    def _dead_letter(self, delivery: Delivery, error: Exception) -> bool:
        if not isinstance(error, _FINAL) and delivery.tries < MOST_TRIES:
            return False
        name = type(error).__name__
        self.dead_letters.dead_letter(delivery, f"{name}: {error}" if isinstance(error, _KNOWN) else name)
        return True

    def _log(self, delivery: Delivery, error: Exception) -> None:
        place = {"sqs_message": delivery.id, "tries": delivery.tries}
        if not isinstance(error, _KNOWN):
            log.error("message failed", extra=place, exc_info=error)
            return
        level = logging.ERROR if isinstance(error, _FINAL) else logging.WARNING
        log.log(level, "message failed", extra={**place, "error": type(error).__name__, "detail": str(error)})
