"""Corrections are shown in Slack: in the routed post, the reply and the list of urgent messages."""

import time
from dataclasses import replace
from typing import Any

import pytest

from bot.slack.client import SlackActions
from bot.store.ledger import LEASE_SECONDS
from bot.store.stats import StatsStore
from bot.triage.case import Decision, PostReply


def test_a_corrected_message_moves_with_its_tag_and_its_reply_says_who_did_it(
    reconciler, slack, handled, correct, headline
):
    correct(handled, "category", "billing", "technical")

    reconciler.reconcile(handled)

    [moved] = slack.posts("C0TECH")
    assert headline(moved).endswith("*Technical* from <@U0MAYA> in <#C0SUPPORT>")
    assert moved.content.blocks[1]["text"]["text"] == "a billing matter"
    assert headline(slack.posts("C0BILLING")[0]).startswith("<@U0ANNA> moved this to <#C0TECH>")
    [reply] = slack.thread(handled.ts)
    assert headline(reply) == "*Technical*, sent to <#C0TECH>."
    assert slack.reactions(handled.ts) == ["wrench"]


def test_showing_a_correction_again_changes_nothing(reconciler, slack, handled, correct):
    correct(handled, "category", "billing", "technical")

    for _ in range(3):
        reconciler.reconcile(handled)

    assert (len(slack.posts("C0TECH")), len(slack.posts("C0BILLING")), len(slack.thread(handled.ts))) == (1, 1, 1)


def test_a_message_corrected_back_is_in_full_where_it_was_first(reconciler, slack, handled, correct, headline):
    correct(handled, "category", "billing", "technical")
    reconciler.reconcile(handled)
    correct(handled, "category", "technical", "billing")

    reconciler.reconcile(handled)

    assert headline(slack.posts("C0BILLING")[0]).endswith("*Billing* from <@U0MAYA> in <#C0SUPPORT>")
    assert headline(slack.posts("C0TECH")[0]).startswith("<@U0ANNA> moved this to <#C0BILLING>")


def test_a_corrected_urgency_renews_the_post_where_it_is(reconciler, slack, handled, correct, headline):
    correct(handled, "urgency", "high", "low")

    reconciler.reconcile(handled)

    [post] = slack.posts("C0BILLING")
    assert headline(post) == "*Billing* from <@U0MAYA> in <#C0SUPPORT>"


def test_a_corrected_message_that_cannot_be_moved_stays_where_it_is_and_says_why(
    reconciler, slack, handled, correct, headline
):
    correct(handled, "category", "billing", "general")  # the policy sends these to an archived channel

    reconciler.reconcile(handled)

    assert headline(slack.posts("C0BILLING")[0]).endswith("*Billing* from <@U0MAYA> in <#C0SUPPORT>")
    assert "that channel is archived" in headline(slack.thread(handled.ts)[0])


def test_a_question_that_a_person_answers_sends_the_message_on(
    reconciler, ledger, slack, written, facet_results, correct, clock, headline, carry_out
):
    asked = Decision("ask", "below-threshold", facet_results, "model-1", "endpoint", (PostReply(),))
    ledger.record_decision(written.key, asked, clock.now)
    carry_out(reconciler, written, asked)
    correct(written.key, "category", "billing", "billing")

    reconciler.reconcile(written.key)

    assert len(slack.posts("C0BILLING")) == 1
    assert headline(slack.thread(written.ts)[0]) == "*Billing*, sent to <#C0BILLING>."


def test_a_text_is_redacted_again_when_it_is_read_again(
    reconciler, ledger, slack, build_record, facet_results, correct, clock, carry_out
):
    record = build_record(ts=slack.write("call me: maya@example.com"), text="call me: [email]")
    asked = Decision("ask", "below-threshold", facet_results, "model-1", "endpoint", (PostReply(),))
    ledger.record_decision(record.key, asked, clock.now)
    carry_out(reconciler, record, asked)
    correct(record.key, "category", "billing", "technical")

    reconciler.reconcile(record.key)

    assert slack.posts("C0TECH")[0].content.blocks[1]["text"]["text"] == "call me: [email]"


def test_a_correction_of_a_message_nobody_knows_shows_nothing(reconciler, slack, build_record):
    reconciler.reconcile(build_record(ts="1600000000.000100").key)

    assert slack.calls("chat.update") == 0


def test_a_reply_whose_result_was_lost_is_found_and_edited(
    reconciler, slack, written, decision, correct, clock, crash_after, ledger, headline
):
    ledger.record_decision(written.key, decision, clock.now)
    crash_after("reply", written, decision)
    correct(written.key, "category", "billing", "technical")
    clock.now += LEASE_SECONDS + 1

    reconciler.reconcile(written.key)

    assert headline(slack.thread(written.ts)[0]) == "*Technical*, sent to <#C0TECH>."


def test_a_correction_of_a_message_that_was_deleted_ends_quietly(
    reconciler, ledger, slack, build_record, decision, correct, clock
):
    record = build_record(ts=f"1600000000.{time.time_ns() % 10**6:06}")
    ledger.record_decision(record.key, decision, clock.now)
    correct(record.key, "category", "billing", "technical")

    reconciler.reconcile(record.key)

    assert slack.posts("C0TECH") == []


def test_a_correction_made_while_another_is_shown_is_shown_as_well(
    slack, build_reconciler, build_steps, handled, correct, clock, settings_of, headline, policy
):
    interruptions = [lambda: correct(handled, "category", "technical", "billing")]

    class Interrupted(SlackActions):
        """While the first correction is being shown, a second is made."""

        def edit(self, channel: str, ts: str, view: Any) -> None:
            if interruptions:
                interruptions.pop()()
            super().edit(channel, ts, view)

    reconciler = build_reconciler(Interrupted(slack.client), build_steps(now=clock), settings_of(policy))
    correct(handled, "category", "billing", "technical")

    reconciler.reconcile(handled)

    assert headline(slack.thread(handled.ts)[0]) == "*Billing*, sent to <#C0BILLING>."


# --- Who waits for an answer ----------------------------------------------------------------------------------


@pytest.fixture
def open_requests(dynamodb, ledger_table, clock):
    """Return the messages that are listed as urgent and open."""
    stats = StatsStore(dynamodb, ledger_table)
    return lambda: [waiting.key for waiting in stats.load("T0SANDBOX", clock.now).urgent]


def test_what_a_person_calls_urgent_waits_for_an_answer(reconciler, ledger, written, decision, correct, open_requests):
    ledger.record_decision(written.key, decision, time.time())
    correct(written.key, "urgency", "high", "low")
    reconciler.reconcile(written.key)
    assert written.key not in open_requests()

    correct(written.key, "urgency", "low", "high")
    reconciler.reconcile(written.key)
    assert written.key in open_requests()


def test_what_is_not_urgent_after_all_need_not_wait(reconciler, ledger, written, decision, correct, open_requests):
    ledger.record_decision(written.key, replace(decision, urgent=True), time.time())
    assert written.key in open_requests()

    correct(written.key, "urgency", "high", "low")
    reconciler.reconcile(written.key)

    assert written.key not in open_requests()
