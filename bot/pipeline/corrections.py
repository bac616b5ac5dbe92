"""Record a person's correction with one conditional write, and queue a record so that the worker updates Slack.

Slack expects an answer within three seconds and does not repeat a click. The worker calls Slack, because calls cut
short in this function would be lost, and a queued record is not.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.policy.settings import SettingsSource
from bot.queue.messages import CorrectionRecord, MessageKey, RevisionRecord
from bot.queue.sender import Queue
from bot.store.ledger import Ledger, VersionTaken
from bot.triage.case import Case, Correction

# Enough for the people who may correct the same message at the same moment.
_TRIES = 5


class NotAllowed(Exception):
    """The policy does not allow this person to correct."""


class NothingToCorrect(Exception):
    """The message has no decision (any more), or none with this facet and label."""


@dataclass(frozen=True, slots=True)
class CorrectionHandler:
    """Record corrections and splits. `now` returns seconds since the epoch.

    `home_of` returns the workspace that a channel's messages are handled for.
    """

    ledger: Ledger
    queue: Queue
    settings: SettingsSource
    now: Callable[[], float]
    home_of: Callable[[str, str], str] = lambda team, channel: team

    def take(self, key: MessageKey, facet: str, label: str, user: str, said_at: float | None = None) -> None:
        """Record that `user` set the message's `facet` to `label`, and queue the update of Slack.

        `said_at` is Slack's time of the press or reaction (seconds since the epoch; None: now). A correction older than
        the facet's last one, or equal to it, changes nothing. Raises NotAllowed, NothingToCorrect, LedgerUnavailable,
        VersionTaken, QueueUnavailable.
        """
        key = self._at_home(key)
        self._check(key, user)
        self._record(key, facet, label, user, self.now() if said_at is None else said_at)
        now = int(self.now())
        self.queue.send(CorrectionRecord(key.team, key.channel, key.ts, now))

    def split(self, key: MessageKey, user: str) -> None:
        """Have the messages that were merged with this one handled separately. Idempotent.

        Raises NotAllowed, LedgerUnavailable, QueueUnavailable.
        """
        key = self._at_home(key)
        self._check(key, user)
        now = self.now()
        for ts in (*self.ledger.split(key, now), key.ts):
            self.queue.send(RevisionRecord(key.team, key.channel, ts, int(now)))

    def _at_home(self, key: MessageKey) -> MessageKey:
        return replace(key, team=self.home_of(key.team, key.channel))

    def _check(self, key: MessageKey, user: str) -> None:
        if not self.settings.load(key.team, self.now()).policy.may_change(user):
            raise NotAllowed("the policy does not allow this person to correct")

    def _record(self, key: MessageKey, facet: str, label: str, user: str, said_at: float) -> None:
        version = self.settings.load(key.team, self.now()).version
        for tries_left in reversed(range(_TRIES)):
            now = self.now()
            case = self.ledger.load(key, now)
            correction = correct(case, facet, label, user, int(now), said_at)
            if correction is None:
                return
            correction = replace(correction, policy_version=version)
            try:
                return self.ledger.record_correction(key, case, correction, now)
            except VersionTaken:
                if not tries_left:
                    raise


def correct(case: Case, facet: str, label: str, user: str, now: int, said_at: float) -> Correction | None:
    """Return the next correction of a case, or None if the label is the same already, or a later correction exists.

    Raises NothingToCorrect.
    """
    facet_results = case.decision.facet_results if case.decision else ()
    labels = {score.name for each in facet_results if each.facet == facet for score in each.scores}
    if case.decision is None or label not in labels:
        raise NothingToCorrect("the message has no decision with this facet and label")
    before = case.labels[facet]
    said = [correction for correction in case.corrections if correction.facet == facet]
    if said and (before == label or (said[-1].said_at or said[-1].corrected_at) > said_at):
        return None
    return Correction(case.version + 1, facet, before, label, user, now, case.decision.model_version, said_at)
