"""Handle a batch of the queues' records: classify all texts in one call, write the facts, reconcile each case.

Each record ends in one of four ways, independently of the others:

    handled        done, or nothing left to do
    put off        not due, limited by Slack, claimed by another worker, or out of the invocation's time: sent through
                   the queue `effects`, and not counted as a failure
    failed         delivered again, after seconds, up to MOST_TRIES times
    dead-lettered  cannot succeed, or failed too often: in the dead-letter queue, with the reason
"""

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

from bot.pipeline.admission import NotYet
from bot.pipeline.command_handler import CommandHandler, TooLate
from bot.pipeline.message_handler import MessageHandler, OpenedMessage
from bot.pipeline.reconcile import EFFECT_SECONDS, Reconciler
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
    MessageKey,
    MessageRecord,
    NewerRecord,
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

# Expected errors, logged without a traceback. Their messages never quote a text.
_KNOWN = (
    *(ClassifierError, InstallationsUnavailable, InvalidRecord, LedgerUnavailable, QueueUnavailable, SlackError),
    *(NewerRecord, StepTaken, TooLate, VersionTaken, WebhookRefused),
)

# Errors that another delivery cannot fix.
_FINAL = (InvalidRecord, WorkspaceUninstalled, PermanentError, TooLate, WebhookRefused)

# Back-off if Slack limits the rate without a Retry-After.
_BACK_OFF_SECONDS = 30

# A record that has been put off for longer than this counts as failed, and is dead-lettered in the end.
_LONGEST_WAIT = 24 * 3600

# The first retries come after seconds, when most failures are over. Later ones wait for the queue's visibility timeout,
# so that an outage of half an hour dead-letters nothing.
_RETRY_SECONDS = (10, 45)

# The time of one record if every call to Slack is slow. No record begins with less time left.
_RECORD_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Handlers:
    """The handlers of one workspace, with that workspace's token."""

    messages: MessageHandler
    commands: CommandHandler
    reconciler: Reconciler


@dataclass(slots=True)
class _Job:
    """A record of the batch, with its team's settings and, if it is about a message, that message as `opened`.

    `text` is the text to classify, `case` the case to reconcile once all facts of the batch are written.
    """

    delivery: Delivery
    record: Record
    settings: TeamSettings
    handlers: Handlers
    opened: OpenedMessage | None = None
    text: str | None = None
    case: MessageKey | None = None


@dataclass(frozen=True, slots=True)
class Worker:
    """The collaborators of one instance of the function. `now` returns seconds since the epoch.

    `handlers` returns a workspace's handlers, or raises WorkspaceUninstalled; `part` deletes a workspace that
    uninstalled the bot. `home_of` returns the workspace that a channel's messages are handled for, `renew` reports
    whether the bot's token was rotated, `hasten` has a failed message delivered again after a number of seconds.
    """

    classifier: Classifier
    settings: SettingsSource
    handlers: Callable[[str], Handlers]
    part: Callable[[LifecycleRecord], None]
    later: Queue
    dead_letters: DeadLetters
    now: Callable[[], float]
    home_of: Callable[[str, str], str] = lambda team, channel: team
    renew: Callable[[], bool] = lambda: False
    hasten: Callable[[Delivery, int], None] = lambda delivery, seconds: None

    def handle(self, event: Mapping[str, Any], seconds_left: float = float("inf")) -> dict[str, Any]:
        """Handle an SQS event within the time left; return Lambda's partial batch response."""
        end = self.now() + seconds_left
        failed: list[str] = []
        jobs: list[_Job] = []
        for delivery in map(read_delivery, event["Records"]):
            with self._isolated([delivery], failed):
                self._require_time(end)
                record = from_json(delivery.body)
                if isinstance(record, LifecycleRecord):
                    self.part(record)
                else:
                    jobs.append(self._open(delivery, record))
        answers = self._classify(jobs)
        cases: dict[MessageKey, list[_Job]] = {}
        for job in jobs:
            with self._isolated([job.delivery], failed):
                self._require_time(end)
                job.case = self._handle(job, answers.get(job.delivery.id))
                if job.case:
                    cases.setdefault(job.case, []).append(job)
        for key, concerned in cases.items():
            with self._isolated([job.delivery for job in concerned], failed):
                self._require_time(end)
                last = concerned[-1]
                original = last.opened.original if last.opened else None
                last.handlers.reconciler.reconcile(key, original, end - EFFECT_SECONDS)
                last.handlers.reconciler.check_policy(key.team)
        return {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}

    def _open(self, delivery: Delivery, record: Record) -> _Job:
        record = self._at_home(record)
        handlers = self.handlers(record.team)
        settings = self.settings.load(record.team, self.now())
        opened: OpenedMessage | None = None
        match record:
            case MessageRecord():
                opened = handlers.messages.open_message(record, settings, delivery.due)
            case RevisionRecord():
                opened = handlers.messages.open_revision(record, settings, delivery.due)
            case CommandRecord() | InspectRecord() | TrialRecord():
                return _Job(delivery, record, settings, handlers, text=handlers.commands.text_of(record))
        return _Job(delivery, record, settings, handlers, opened, opened.text if opened else None)

    def _at_home(self, record: Record) -> Record:
        """Assign a fact about a message to the workspace that its channel's messages are handled for."""
        if not isinstance(record, MessageRecord | RevisionRecord | ReplyRecord | ReactionRecord | CorrectionRecord):
            return record
        home = self.home_of(record.team, record.channel)
        if home == record.team:
            return record
        if isinstance(record, MessageRecord | ReplyRecord) and record.author_team == home:
            return replace(record, team=home, author_team=None)
        return replace(record, team=home)

    def _classify(self, jobs: Sequence[_Job]) -> dict[str, Answer]:
        texts = {job.delivery.id: job.text for job in jobs if job.text is not None}
        return dict(zip(texts, predict_each(self.classifier, list(texts.values())), strict=True))

    def _handle(self, job: _Job, answer: Answer | None) -> MessageKey | None:
        """Write the facts of a record, or carry out its request; return the case to reconcile, if any."""
        if isinstance(answer, Exception):
            raise answer
        messages, commands, reconciler = job.handlers.messages, job.handlers.commands, job.handlers.reconciler
        match job.record:
            case MessageRecord() | RevisionRecord() if job.opened:
                return messages.triage(job.opened, answer)
            case ReplyRecord():
                return messages.note_answer(job.record, job.settings)
            case CorrectionRecord():
                return job.record.key
            case ReactionRecord():
                commands.take_reaction(job.record, job.settings)
            case CommandRecord():
                commands.answer_command(job.record, job.settings, answer)
            case AskRecord():
                commands.answer_question(job.record, job.settings)
            case HomeRecord():
                commands.show_home(job.record)
            case InspectRecord():
                commands.inspect(job.record, job.settings, answer)
            case TrialRecord():
                commands.try_policy(job.record, job.settings, answer)
            case UploadRecord():
                commands.review_upload(job.record, job.settings)
            case RouteDialogRecord():
                commands.show_routes(job.record)
            case RuleFormRecord():
                commands.show_rule_form(job.record)
            case SavedRecord():
                commands.look_at_saved(job.record)
            case ForwardRecord():
                commands.forward(job.record)
            case SummaryRecord():
                reconciler.post_summary(job.record)
            case WebhookRecord():
                reconciler.follow_ups.call_webhook(job.record)
            case EscalationRecord():
                reconciler.follow_ups.escalate(job.record)
            case GiveOutRecord():
                reconciler.give_out(job.record)
            case TidyRecord():
                reconciler.deduplicate(job.record)
        return None

    # --- Failures -------------------------------------------------------------------------------------------

    def _require_time(self, end: float) -> None:
        """Raise if too little time is left; another invocation gets the record."""
        if end - self.now() < _RECORD_SECONDS:
            raise RetryableError("out_of_time", refused=True, after=1)

    @contextmanager
    def _isolated(self, deliveries: Sequence[Delivery], failed: list[str]) -> Iterator[None]:
        """Catch errors of these deliveries, so that the others are still handled."""
        waiting = [delivery for delivery in deliveries if delivery.id not in failed]
        try:
            yield
        except Exception as error:
            for delivery in waiting:
                self._log(delivery, error)
                if not self._dispose(delivery, error):
                    failed.append(delivery.id)
                    if delivery.tries <= len(_RETRY_SECONDS):
                        self.hasten(delivery, _RETRY_SECONDS[delivery.tries - 1])

    def _dispose(self, delivery: Delivery, error: Exception) -> bool:
        try:
            return self._put_off(delivery, error) or self._dead_letter(delivery, error)
        except QueueUnavailable as unavailable:
            self._log(delivery, unavailable)
            return False

    def _put_off(self, delivery: Delivery, error: Exception) -> bool:
        if isinstance(error, StepTaken):
            after: float | None = error.after
        elif isinstance(error, RetryableError) and error.refused:
            after = error.after
        elif isinstance(error, WorkspaceUninstalled) and self.renew():
            after = 1
        else:
            return False
        since = self.now() if delivery.since is None else delivery.since
        if self.now() - since > _LONGEST_WAIT:
            return False
        due = error.due if isinstance(error, NotYet) else delivery.due
        self.later.send(from_json(delivery.body), _BACK_OFF_SECONDS if after is None else after, due, since)
        return True

    def _dead_letter(self, delivery: Delivery, error: Exception) -> bool:
        if not isinstance(error, _FINAL) and delivery.tries < MOST_TRIES:
            return False
        self._note_seen(delivery)
        name = type(error).__name__
        self.dead_letters.dead_letter(delivery, f"{name}: {error}" if isinstance(error, _KNOWN) else name)
        return True

    def _note_seen(self, delivery: Delivery) -> None:
        """Keep the sweep from queueing a dead-lettered message again, on a best-effort basis."""
        with suppress(InvalidRecord, NewerRecord, LedgerUnavailable, SlackError, InstallationsUnavailable):
            record = self._at_home(from_json(delivery.body))
            if isinstance(record, MessageRecord):
                self.handlers(record.team).messages.note_seen(record.key)

    def _log(self, delivery: Delivery, error: Exception) -> None:
        place = {"sqs_message": delivery.id, "tries": delivery.tries}
        if not isinstance(error, _KNOWN):
            log.error("message failed", extra=place, exc_info=error)
            return
        level = logging.ERROR if isinstance(error, _FINAL) else logging.WARNING
        log.log(level, "message failed", extra={**place, "error": type(error).__name__, "detail": str(error)})
