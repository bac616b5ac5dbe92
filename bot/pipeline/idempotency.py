"""Carry out each step once (claim → act → result), and pace posts to Slack's rate limit per channel.

A post carries its key as message metadata. If an earlier try left no result, that metadata is looked for before posting
again. Slack may still complete the earlier try, so a TidyRecord has the worker look again a minute later and leave one
copy.

Slack takes about one post a second for each channel. A post whose turn has not come releases its claim, with the turn
noted, and comes again through the queue `effects`. When `LONGEST_LINE` posts wait for a team's channel, the next ones
go into a summary: one post for all that came within a window of time.
"""

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.queue.messages import MessageKey, SummaryRecord, TidyRecord
from bot.queue.sender import Queue
from bot.slack.api import PermanentError, RetryableError, WorkspaceUninstalled
from bot.store.digests import Digests, Entry
from bot.store.ledger import Claim, Ledger
from bot.store.rate_limiter import RateLimiter, RateLimitExceeded
from bot.triage.case import StepResult

log = logging.getLogger(__name__)

SECONDS_BETWEEN_POSTS = 1.0

# In posts: people do not read more than these one by one.
LONGEST_LINE = 30

SUMMARY_WINDOW = 30
# A summary with this many links stays well under Slack's limit for one message.
MOST_IN_A_SUMMARY = 100

TIDY_AFTER = 60

# One try is enough to join a summary, unless its window closes at that moment.
_TRIES_TO_JOIN = 3


@dataclass(frozen=True, slots=True)
class Post:
    """A post to be made once in `channel`: `find` returns the ts of an earlier one, `make` posts and returns the ts.

    `entry` builds the post's entry in a summary; without it, the post waits for its turn however long that takes.
    `fingerprint`, called after `make`, returns the fingerprint of the view that was posted.
    """

    key: MessageKey
    step: str
    channel: str
    find: Callable[[], str | None]
    make: Callable[[], str]
    entry: Callable[[], Entry] | None = None
    fingerprint: Callable[[], str | None] = lambda: None


def choose_kept(copies: Sequence[str], result: StepResult | None) -> str | None:
    """Return the copy (ts) of a post to keep, given its step's result, if any. Pure.

    Keep the one in the ledger, even if it was removed since; else the oldest. If the message went into a summary, keep
    none.
    """
    if result and result.ts:
        return result.ts
    in_a_summary = result is not None and not result.error
    return None if in_a_summary else min(copies, default=None)


@dataclass(frozen=True, slots=True)
class Idempotency:
    """Run steps once, and remember their results.

    Methods raise RetryableError, WorkspaceUninstalled, StepTaken, LedgerUnavailable and QueueUnavailable: deliver the
    record again, after the delay that a RetryableError names.
    """

    ledger: Ledger
    rate_limiter: RateLimiter
    summaries: Digests
    later: Queue
    now: Callable[[], float]
    between_posts: float = SECONDS_BETWEEN_POSTS

    def act(self, key: MessageKey, step: str, act: Callable[[], None]) -> StepResult:
        """Run an action that is idempotent by itself."""

        def do(claim: Claim) -> StepResult:
            act()
            return StepResult()

        return self._once(key, step, do)

    def choose(self, key: MessageKey, step: str, choose: Callable[[], str | None]) -> StepResult:
        """Choose a person once; later calls return the same choice."""
        return self._once(key, step, lambda claim: StepResult(person=choose()))

    def post(self, post: Post) -> StepResult:
        """Make a post, or find it. A result with neither ts nor error is in a summary."""
        return self._once(post.key, post.step, lambda claim: self._post(claim, post))

    def find_made(self, post: Post) -> StepResult | None:
        """Look for a post whose result was lost, without making it; None if it is not there (yet)."""
        claim = self.ledger.claim(post.key, post.step, self.now())
        if claim.result:
            return claim.result
        self._look_again_later(post)
        try:
            ts = post.find()
        except PermanentError:
            ts = None
        if ts:
            return self.ledger.complete(claim, StepResult(ts=ts))
        self.ledger.release(claim)
        return None

    def _once(self, key: MessageKey, step: str, do: Callable[[Claim], StepResult]) -> StepResult:
        claim = self.ledger.claim(key, step, self.now())
        if claim.result:
            return claim.result
        try:
            result = do(claim)
        except PermanentError as failure:
            log.error("step given up", extra={"message_key": str(key), "step": step, "error": failure.error})
            result = StepResult(error=failure.error)
        except _PutOff as failure:
            self.ledger.release(claim, failure.turn)
            raise
        except (RetryableError, WorkspaceUninstalled) as failure:
            if isinstance(failure, WorkspaceUninstalled) or failure.refused:
                self.ledger.release(claim)
            raise
        return self.ledger.complete(claim, result)

    def _post(self, claim: Claim, post: Post) -> StepResult:
        if claim.attempt > 1:
            self._look_again_later(post)
            ts = post.find()
            if ts:
                return StepResult(ts=ts)
        if claim.summary is not None and post.entry:
            return self._join_summary(claim, post, post.entry())
        try:
            turn = claim.turn or self._take_turn(post)
        except RateLimitExceeded:
            assert post.entry, "the line is only limited for posts with an entry"
            return self._join_summary(claim, post, post.entry())
        if turn > self.now():
            raise _early(turn, self.now())
        try:
            return StepResult(ts=post.make(), view=post.fingerprint())
        except RetryableError as failure:
            if not failure.refused:
                raise
            raise _PutOff(turn, failure.error, failure.after) from failure

    def _take_turn(self, post: Post) -> float:
        longest = LONGEST_LINE * self.between_posts if post.entry else None
        return self.rate_limiter.take(f"{post.key.team}#{post.channel}", self.between_posts, self.now(), longest)

    def _look_again_later(self, post: Post) -> None:
        key, now = post.key, int(self.now())
        self.later.send(TidyRecord(key.team, key.channel, key.ts, post.step, post.channel, now), TIDY_AFTER)

    # --- Summaries ------------------------------------------------------------------------------------------

    def _join_summary(self, claim: Claim, post: Post, entry: Entry) -> StepResult:
        at = claim.summary
        for _ in range(_TRIES_TO_JOIN):
            summary = self._choose_summary(post) if at is None else self._summary(post, at)
            # This order loses nothing: first the summary's post is queued, then the claim notes the summary, then the
            # entry is added.
            if not self.summaries.exists(summary):
                self.later.send(summary, summary.at - self.now())
            if at is None:
                self.ledger.note_summary(claim, summary.at)
            if self.summaries.join(summary, entry):
                return StepResult()
            at = None
        raise RetryableError("summary_closed", refused=True, after=1)

    def _choose_summary(self, post: Post) -> SummaryRecord:
        # A rate limit of its own: its interval lets at most MOST_IN_A_SUMMARY entries into one window.
        interval = SUMMARY_WINDOW / MOST_IN_A_SUMMARY
        turn = self.rate_limiter.take(f"{post.key.team}#{post.channel}#summary", interval, self.now())
        return self._summary(post, (int(turn) // SUMMARY_WINDOW + 1) * SUMMARY_WINDOW)

    def _summary(self, post: Post, at: int) -> SummaryRecord:
        return SummaryRecord(post.key.team, post.channel, at, int(self.now()))

    def gather(self, summary: SummaryRecord) -> tuple[Entry, ...]:
        """Close a summary and return its entries. Raises RetryableError before its time."""
        if self.now() < summary.at:
            raise _early(summary.at, self.now())
        return self.summaries.close(summary)


class _PutOff(RetryableError):
    """Nothing was posted; the post keeps its turn for the next try."""

    def __init__(self, turn: float, error: str, after: int | None) -> None:
        super().__init__(error, refused=True, after=after)
        self.turn = turn


def _early(turn: float, now: float) -> _PutOff:
    return _PutOff(turn, "paced", math.ceil(turn - now))
