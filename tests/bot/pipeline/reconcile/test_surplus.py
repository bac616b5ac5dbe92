"""Surplus posts are removed: copies, and replies to deleted messages."""

import time
from collections.abc import Sequence

import pytest

from bot.queue.messages import MessageKey, OriginalMessage, SummaryRecord, TidyRecord
from bot.slack.client import METADATA_TYPE, SlackActions
from bot.triage.case import PostReply


def test_of_two_copies_of_a_post_the_one_that_the_ledger_knows_stays(reconciler, slack, handled):
    [post] = slack.posts("C0BILLING")
    slack.client.chat_postMessage(channel="C0BILLING", text="a copy", metadata=post.content.metadata)

    reconciler.deduplicate(TidyRecord(handled.team, handled.channel, handled.ts, "route:C0BILLING", "C0BILLING", 0))

    assert slack.posts("C0BILLING") == [post]


def test_of_two_copies_of_a_reply_one_stays_and_nobody_elses_goes(reconciler, slack, handled):
    [reply] = slack.thread(handled.ts)
    slack.client.chat_postMessage(
        channel="C0SUPPORT", thread_ts=handled.ts, text="a copy", metadata=reply.content.metadata
    )
    slack.client.chat_postMessage(channel="C0SUPPORT", thread_ts=handled.ts, text="something else")

    reconciler.deduplicate(TidyRecord(handled.team, handled.channel, handled.ts, "reply", "C0SUPPORT", 0))

    assert [each.content.text for each in slack.thread(handled.ts)] == [reply.content.text, "something else"]


@pytest.mark.parametrize("step", ["summary", "route:C0BILLING"])
def test_of_two_copies_of_a_post_beside_what_it_is_about_one_stays(reconciler, slack, step):
    key = SummaryRecord("T0SANDBOX", "C0BILLING", int(time.time()), 0).key
    for text in ("the first", "a copy"):
        metadata = {"event_type": METADATA_TYPE, "event_payload": {"key": str(key), "step": step}}
        slack.client.chat_postMessage(channel="C0BILLING", text=text, metadata=metadata)

    reconciler.deduplicate(TidyRecord(key.team, key.channel, key.ts, step, "C0BILLING", 0))

    assert [post.content.text for post in slack.posts("C0BILLING")] == ["the first"]


def test_nothing_is_removed_where_nothing_is_surplus(reconciler, slack, handled):
    reconciler.deduplicate(TidyRecord(handled.team, handled.channel, handled.ts, "reply", "C0SUPPORT", 0))

    assert (len(slack.thread(handled.ts)), slack.calls("chat.delete")) == (1, 0)


@pytest.mark.parametrize("is_answered", [True, False])
def test_a_message_that_is_gone_is_not_answered_into_the_channel(
    reconciler, slack, written, is_answered, decide_to, carry_out
):
    if is_answered:  # a deleted message with answers leaves a tombstone
        slack.client.chat_postMessage(channel="C0SUPPORT", thread_ts=written.ts, text="hello")
    slack.delete(written.ts)
    before = slack.posts("C0SUPPORT")

    carry_out(reconciler, written, decide_to(PostReply()))

    assert slack.posts("C0SUPPORT") == before
    assert slack.calls("chat.postMessage") == int(is_answered)


def test_an_answer_that_landed_in_the_channel_is_taken_away(
    slack, build_reconciler, build_steps, written, settings_of, decide_to, policy, carry_out
):
    class Hasty(SlackActions):
        """The message is deleted after it was looked for, and before it is answered."""

        def read_original(self, key: MessageKey, parts: Sequence[str] = ()) -> OriginalMessage:
            original = super().read_original(key, parts)
            slack.delete(key.ts)
            return original

    reconciler = build_reconciler(Hasty(slack.client), build_steps(), settings_of(policy))

    carry_out(reconciler, written, decide_to(PostReply()))

    assert slack.posts("C0SUPPORT") == []
