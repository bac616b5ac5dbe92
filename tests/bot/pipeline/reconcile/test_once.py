"""Each effect is visible once, even if a process dies or an answer is lost."""

import json

import pytest

from bot.queue.messages import SummaryRecord
from bot.slack.api import TIMEOUT, RetryableError
from bot.slack.client import CALLS_OF_A_STEP
from bot.store.digests import Entry
from bot.store.ledger import LEASE_SECONDS, StepTaken


def test_a_decision_becomes_one_tag_one_post_and_one_reply(reconciler, slack, written, decision, headline, carry_out):
    carry_out(reconciler, written, decision)

    assert slack.reactions(written.ts) == ["credit_card"]
    assert [headline(post) for post in slack.posts("C0BILLING")] == [
        "<!subteam^S0ONCALL> *Urgent:* *Billing* from <@U0MAYA> in <#C0SUPPORT>"
    ]
    assert [headline(reply) for reply in slack.thread(written.ts)] == ["*Billing*, sent to <#C0BILLING>."]


def test_the_post_leads_back_to_the_message(reconciler, slack, written, decision, carry_out):
    carry_out(reconciler, written, decision)

    note = slack.posts("C0BILLING")[0].content.blocks[2]["elements"][0]["text"]
    assert f"/archives/C0SUPPORT/p{written.ts.replace('.', '')}|Open the thread>" in note


def test_the_same_decision_four_times_shows_the_same_once(reconciler, slack, written, decision, carry_out):
    for _ in range(4):
        carry_out(reconciler, written, decision)

    assert slack.calls("reactions.add") == 1
    assert len(slack.posts("C0BILLING")) == 1
    assert len(slack.thread(written.ts)) == 1


def test_while_another_worker_acts_the_message_waits(reconciler, ledger, slack, written, decision, clock, carry_out):
    ledger.claim(written.key, "route:C0BILLING", clock.now)

    with pytest.raises(StepTaken):
        carry_out(reconciler, written, decision)

    assert slack.thread(written.ts) == []


@pytest.mark.parametrize("died_before", ["react:credit_card", "route:C0BILLING", "reply"])
def test_after_a_crash_before_an_effect_the_next_worker_completes_it(
    reconciler, ledger, slack, written, decision, clock, died_before, carry_out
):
    ledger.claim(written.key, died_before, clock.now)
    clock.now += LEASE_SECONDS + 1

    carry_out(reconciler, written, decision)

    assert (len(slack.posts("C0BILLING")), len(slack.thread(written.ts))) == (1, 1)


@pytest.mark.parametrize("step", ["react:credit_card", "route:C0BILLING", "reply"])
def test_after_a_crash_between_an_effect_and_its_result_nothing_is_seen_twice(
    slack, written, decision, clock, step, crash_after, reconciler, carry_out
):
    crash_after(step, written, decision)

    clock.now += LEASE_SECONDS + 1
    carry_out(reconciler, written, decision)

    assert slack.reactions(written.ts) == ["credit_card"]
    assert (len(slack.posts("C0BILLING")), len(slack.thread(written.ts))) == (1, 1)


@pytest.mark.parametrize("method", ["chat.postMessage", "reactions.add", "chat.getPermalink"])
def test_when_slacks_answer_is_lost_nothing_is_seen_twice(
    reconciler, slack, written, decision, clock, method, carry_out
):
    slack.client.lose.append(method)
    with pytest.raises(RetryableError):
        carry_out(reconciler, written, decision)
    with pytest.raises(StepTaken):  # Slack may still be at it
        carry_out(reconciler, written, decision)

    clock.now += LEASE_SECONDS + 1
    carry_out(reconciler, written, decision)

    assert slack.reactions(written.ts) == ["credit_card"]
    assert (len(slack.posts("C0BILLING")), len(slack.thread(written.ts))) == (1, 1)


def test_a_post_is_found_among_many_others(reconciler, slack, written, decision, clock, crash_after, carry_out):
    crash_after("route:C0BILLING", written, decision)
    for number in range(5):
        slack.write(f"something else {number}", channel="C0BILLING", user="U0ANNA")

    clock.now += LEASE_SECONDS + 1
    carry_out(reconciler, written, decision)

    assert slack.calls("chat.postMessage") == 2


def test_a_lease_outlasts_a_step_whose_every_call_times_out():
    assert CALLS_OF_A_STEP * TIMEOUT < LEASE_SECONDS


def test_the_post_of_another_message_is_not_taken_for_this_ones(
    reconciler, ledger, slack, written, build_record, decision, clock, carry_out
):
    ledger.claim(written.key, "route:C0BILLING", clock.now)  # and died
    carry_out(reconciler, build_record(ts=slack.write("another billing matter")), decision)

    clock.now += LEASE_SECONDS + 1
    carry_out(reconciler, written, decision)

    assert len(slack.posts("C0BILLING")) == 2


def test_a_rate_limit_loses_nothing_and_lets_the_next_try_begin_at_once(
    reconciler, slack, written, decision, carry_out
):
    slack.installation.limits.plan("chat.postMessage", times=1, retry_after=1)
    with pytest.raises(RetryableError):
        carry_out(reconciler, written, decision)

    carry_out(reconciler, written, decision)

    assert (len(slack.posts("C0BILLING")), len(slack.thread(written.ts))) == (1, 1)
    assert slack.calls("conversations.history") == 0


def test_a_summary_is_posted_once_with_its_links(reconciler, slack, clock):
    summary = SummaryRecord("T0SANDBOX", "C0BILLING", int(clock.now), 0)
    reconciler.steps.summaries.join(summary, Entry("C0SUPPORT", "Billing", "https://slack.test/p1"))

    for _ in range(2):
        reconciler.post_summary(summary)

    [post] = slack.posts("C0BILLING")
    assert "https://slack.test/p1" in json.dumps(post.content.blocks)
