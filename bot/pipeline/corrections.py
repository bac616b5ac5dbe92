"""Take a person's correction: one conditional write, then a note in the queue that Slack has to be brought in line.

The calls to Slack are the worker's, because Slack wants its answer within three seconds and does not repeat a click:
what is cut short after the write would be lost with this function, and is not lost with the queue.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from bot.policy.settings import SettingsSource
from bot.queue.messages import CorrectionRecord, MessageKey, RevisionRecord
from bot.queue.sender import Queue
from bot.store.ledger import Ledger, VersionTaken
from bot.triage.case import Case, Correction, FacetResult

# As many people as may well press at the same moment.
_TRIES = 5


class NotAllowed(Exception):
    """The policy leaves corrections to others."""


class NothingToCorrect(Exception):
    """No decision about this message is known (any more), or not with such a facet or label."""


@dataclass(frozen=True, slots=True)
class CorrectionHandler:
    """Where corrections are handed in. `now` returns seconds since the epoch.

    `home_of` returns the workspace that a channel's messages are handled for.
    """

    ledger: Ledger
    queue: Queue
    settings: SettingsSource
    now: Callable[[], float]
    home_of: Callable[[str, str], str] = lambda team, channel: team

    def take(self, key: MessageKey, facet: str, label: str, user: str, said_at: float | None = None) -> None:
        """Record that `user` says the message's `facet` is `label`, and have it shown.

        `said_at` is Slack's time of the press or reaction (seconds since the epoch; now where there is none). What was
        said before something that is known of the facet changes nothing, nor does pressing twice. Raises NotAllowed,
        NothingToCorrect, LedgerUnavailable, VersionTaken, QueueUnavailable.
        """
        key = self._at_home(key)
        self._check(key, user)
        self._record(key, facet, label, user, self.now() if said_at is None else said_at)
        now = int(self.now())
        self.queue.send(CorrectionRecord(key.team, key.channel, key.ts, now))

    def split(self, key: MessageKey, user: str) -> None:
        """Have the messages that were read together with this one handled each for itself.

        Pressing twice does no harm. Raises NotAllowed, LedgerUnavailable, QueueUnavailable.
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
            raise NotAllowed("the policy names who may correct")

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
    """Return the next correction of a case, or None where a person has said the same already, or something later.

    Raises NothingToCorrect.
    """
    labels = {
        facet_result.facet: {score.name for score in facet_result.scores} for facet_result in _facet_results(case)
    }
    if case.decision is None or label not in labels.get(facet, ()):
        raise NothingToCorrect("nothing is known of this message that could be corrected so")
    before = case.labels[facet]
    said = [correction for correction in case.corrections if correction.facet == facet]
    if said and (before == label or (said[-1].said_at or said[-1].corrected_at) > said_at):
        return None
    return Correction(case.version + 1, facet, before, label, user, now, case.decision.model_version, said_at)


def _facet_results(case: Case) -> tuple[FacetResult, ...]:
    return case.decision.facet_results if case.decision else ()
