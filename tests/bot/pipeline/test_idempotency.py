import uuid
from collections.abc import Callable
from typing import Any

import pytest

from bot.pipeline.idempotency import (
    LONGEST_LINE,
    MOST_IN_A_SUMMARY,
    SUMMARY_WINDOW,
    TIDY_AFTER,
    Idempotency,
    Post,
    choose_kept,
)
from bot.queue.messages import MessageKey, SummaryRecord, TidyRecord
from bot.queue.sender import QueueUnavailable
from bot.slack.api import PermanentError, RetryableError, WorkspaceUninstalled
from bot.store.digests import Digests, Entry
from bot.store.ledger import LEASE_SECONDS
from bot.store.rate_limiter import RateLimiter
from bot.triage.case import StepResult
from bot.ui.posts import build_summary


class Channel:
    """The visible posts: step and message, in order. `fail` breaks the next post."""

    def __init__(self, name: str, clock: Callable[[], float]) -> None:
        self.name = name
        self.clock = clock
        self.posted: list[tuple[MessageKey, float]] = []
        self.fail: Exception | None = None

    def make(self, key: MessageKey) -> str:
        failure, self.fail = self.fail, None
        if failure:
            raise failure
        self.posted.append((key, self.clock()))
        return f"{len(self.posted)}.0"

    def find(self, key: MessageKey) -> str | None:
        return next((f"{number}.0" for number, (each, _) in enumerate(self.posted, 1) if each == key), None)


@pytest.fixture
def clock(clock):
    """At the beginning of a summary's window, so that what comes at once falls into one."""
    clock.now = float(int(clock.now) // SUMMARY_WINDOW * SUMMARY_WINDOW)
    return clock


@pytest.fixture
def channel(clock) -> Channel:
    return Channel(f"C{uuid.uuid4().hex.upper()}", clock)


@pytest.fixture
def steps(build_steps, dynamodb, ledger_table, clock) -> Idempotency:
    return build_steps(rate_limiter=RateLimiter(dynamodb, ledger_table), now=clock)


@pytest.fixture
def post(channel) -> Callable[..., Post]:
    """Build the post of a message's step `route`; `number` tells messages apart."""

    def build(number: int, summarised: bool = True) -> Post:
        key = MessageKey("T0", channel.name, f"1700000000.{number:06}")
        entry = Entry("C0SUPPORT", "Billing", f"https://slack.test/p{number:06}")
        return Post(
            key, "route", channel.name, lambda: channel.find(key), lambda: channel.make(key),
            (lambda: entry) if summarised else None,
        )  # fmt: skip

    return build


def wait(steps: Idempotency, post: Post) -> int:
    """Return the seconds for which a post is put off."""
    with pytest.raises(RetryableError) as caught:
        steps.post(post)
    assert caught.value.refused
    assert caught.value.after is not None
    return caught.value.after


# --- Turns --------------------------------------------------------------------------------------------------


def test_posts_to_one_channel_are_a_second_apart(steps, channel, clock, post):
    steps.post(post(1))
    delays = [wait(steps, post(number)) for number in (2, 3)]

    for number in (2, 3):
        clock.now += 1
        steps.post(post(number))

    assert delays == [1, 2]
    assert [at - clock.now for _, at in channel.posted] == [-2, -1, 0]


def test_a_post_that_waits_keeps_its_turn_however_often_it_is_delivered(steps, clock, post):
    steps.post(post(1))

    assert [wait(steps, post(2)) for _ in range(3)] == [1, 1, 1]
    assert wait(steps, post(3)) == 2


def test_waiting_is_no_try(steps, later, clock, post):
    steps.post(post(1))
    wait(steps, post(2))
    clock.now += 1

    steps.post(post(2))

    assert later.sent == []


def test_after_a_rate_limit_the_post_goes_out_without_a_second_turn(steps, channel, post):
    channel.fail = RetryableError("ratelimited", refused=True, after=5)
    with pytest.raises(RetryableError):
        steps.post(post(1))

    assert steps.post(post(1)) == StepResult("1.0")


def test_a_workspace_that_is_gone_leaves_the_step_free_for_its_return(steps, channel, clock, post):
    channel.fail = WorkspaceUninstalled("token_revoked")
    with pytest.raises(WorkspaceUninstalled):
        steps.post(post(1))
    clock.now += 1

    assert steps.post(post(1)) == StepResult("1.0")


def test_what_can_never_be_posted_is_not_tried_again(steps, channel, post):
    channel.fail = PermanentError("is_archived")

    assert steps.post(post(1)) == StepResult(error="is_archived")
    assert steps.post(post(1)) == StepResult(error="is_archived")
    assert channel.posted == []


# --- Surplus copies -----------------------------------------------------------------------------------------


def test_after_a_lost_answer_somebody_looks_again_a_minute_later(steps, channel, later, clock, post):
    channel.fail = RetryableError("TimeoutError")
    with pytest.raises(RetryableError):
        steps.post(post(1))
    clock.now += LEASE_SECONDS + 1

    steps.post(post(1))

    record = TidyRecord("T0", channel.name, "1700000000.000001", "route", channel.name, int(clock.now))
    assert later.sent == [(record, TIDY_AFTER)]


def test_nothing_is_posted_again_unless_somebody_will_look(steps, channel, later, clock, post):
    channel.fail = RetryableError("TimeoutError")
    with pytest.raises(RetryableError):
        steps.post(post(1))
    clock.now += LEASE_SECONDS + 1
    later.failure = QueueUnavailable("SQS did not take the record")

    with pytest.raises(QueueUnavailable):
        steps.post(post(1))

    assert channel.posted == []


# --- Digests ----------------------------------------------------------------------------------------------


def flood(steps: Idempotency, post: Callable[..., Post], count: int) -> list[Any]:
    """Post `count` messages at once; give each one's result, or None where it has to wait."""

    def outcome(number: int) -> StepResult | None:
        try:
            return steps.post(post(number))
        except RetryableError:
            return None

    return [outcome(number) for number in range(count)]


def test_of_a_flood_the_first_are_posted_and_the_rest_is_one_summary(steps, later, clock, post):
    results = flood(steps, post, LONGEST_LINE + 20)

    assert results[0] == StepResult("1.0")
    assert results[1 : LONGEST_LINE + 1] == [None] * LONGEST_LINE
    assert results[LONGEST_LINE + 1 :] == [StepResult()] * 19
    [(summary, delay)] = later.sent
    assert 0 < delay <= SUMMARY_WINDOW
    clock.now = summary.at
    assert len(steps.gather(summary)) == 19


def test_a_summary_is_not_posted_before_its_time(steps, clock):
    with pytest.raises(RetryableError) as caught:
        steps.gather(SummaryRecord("T0", "C0", int(clock.now) + 20, 0))

    assert caught.value.after == 20


def test_a_summary_has_no_more_links_than_slack_takes(steps, later, post):
    flood(steps, post, LONGEST_LINE + 2 * MOST_IN_A_SUMMARY)

    sizes = [len(Digests.close(steps.summaries, summary)) for summary in later.records]

    assert sum(sizes) == 2 * MOST_IN_A_SUMMARY - 1
    assert max(sizes) <= MOST_IN_A_SUMMARY


def test_what_joined_a_summary_before_a_crash_is_not_posted_as_well(steps, ledger, channel, clock, later, post):
    flood(steps, post, LONGEST_LINE + 2)
    clock.now += SUMMARY_WINDOW
    [summary] = later.records
    unlucky = post(99)
    claim = ledger.claim(unlucky.key, unlucky.step, clock.now)
    ledger.note_summary(claim, summary.at)
    steps.summaries.join(summary, unlucky.entry())  # and died
    gathered = steps.gather(summary)
    clock.now += LEASE_SECONDS + 1

    assert steps.post(unlucky) == StepResult()

    assert (len(gathered), len(channel.posted)) == (2, 1)


def test_what_comes_too_late_for_its_summary_goes_into_the_next(steps, ledger, clock, later, post):
    late = post(99)
    first = SummaryRecord("T0", late.channel, int(clock.now), 0)
    ledger.note_summary(ledger.claim(late.key, late.step, clock.now - LEASE_SECONDS - 1), first.at)
    assert steps.gather(first) == ()

    assert steps.post(late) == StepResult()

    summary = later.records[-1]
    assert summary.at > first.at
    clock.now = summary.at
    assert steps.gather(summary) == (late.entry(),)


def test_what_must_be_seen_at_once_is_in_no_summary(steps, post):
    flood(steps, post, LONGEST_LINE + 1)

    assert wait(steps, post(99, summarised=False)) == LONGEST_LINE + 1


def test_a_summary_links_to_all_that_is_in_it_by_what_it_is_about():
    entries = [Entry("C0SUPPORT", "Billing", f"https://slack.test/p{number:03}") for number in range(40)]
    entries += [Entry("C0SUPPORT", "R&D", f"https://slack.test/q{number:03}") for number in range(60)]

    view = build_summary(entries)

    shown = "".join(block["text"]["text"] for block in view.blocks)
    assert view.text.startswith("100 messages")
    assert all(f"<{entry.permalink}|" in shown for entry in entries)
    assert "*R&amp;D* in <#C0SUPPORT>: <https://slack.test/q000|1>" in shown
    assert len(shown) < 13_000


# --- Surplus copies -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "kept"),
    [
        pytest.param(StepResult(ts="2.0"), "2.0", id="the one that the ledger knows"),
        pytest.param(StepResult(ts="9.0"), "9.0", id="none, where the one that the ledger knows was taken back"),
        pytest.param(None, "1.0", id="the oldest, where the step has not ended"),
        pytest.param(StepResult(error="is_archived"), "1.0", id="the oldest, where the step was given up"),
        pytest.param(StepResult(), None, id="none, where the message went into a summary"),
    ],
)
def test_of_several_copies_there_stays(result, kept):
    assert choose_kept(["1.0", "2.0"], result) == kept


def test_where_there_is_no_copy_none_stays():
    assert choose_kept([], None) is None
