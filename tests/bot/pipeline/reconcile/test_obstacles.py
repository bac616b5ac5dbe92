"""A failed effect does not stop the other effects."""

import pytest

from bot.store.ledger import LEASE_SECONDS
from bot.triage.case import AddReaction, PostReply, PostRoute


def test_a_tag_that_is_there_already_is_a_success(reconciler, slack, written, decision, carry_out):
    slack.client.reactions_add(channel="C0SUPPORT", timestamp=written.ts, name="credit_card")

    carry_out(reconciler, written, decision)

    assert slack.reactions(written.ts) == ["credit_card"]


def test_a_public_channel_is_joined_before_its_posts_are_searched(
    slack, written, clock, crash_after, reconciler, decide_to, carry_out
):
    decision = decide_to(PostRoute("C0RANDOM"), PostReply())
    crash_after("route:C0RANDOM", written, decision)

    clock.now += LEASE_SECONDS + 1
    carry_out(reconciler, written, decision)

    assert slack.calls("conversations.join") == 1
    assert sum(post.bot_id is not None for post in slack.posts("C0RANDOM")) == 1


@pytest.mark.parametrize(
    ("channel", "said"),
    [("C0OLD", "that channel is archived"), ("C0BOARD", "I cannot see that channel"), ("C0NONE", "I cannot see")],
)
def test_a_message_that_cannot_be_sent_on_says_so_in_its_thread(
    reconciler, slack, written, channel, said, decide_to, headline, carry_out
):
    carry_out(reconciler, written, decide_to(PostRoute(channel), PostReply()))

    [reply] = slack.thread(written.ts)
    assert said in headline(reply)


def test_an_emoji_that_does_not_exist_keeps_nothing_else_from_happening(
    reconciler, slack, written, decide_to, carry_out
):
    decision = decide_to(AddReaction("no_such_emoji"), PostRoute("C0BILLING"), PostReply())

    carry_out(reconciler, written, decision)

    assert (len(slack.posts("C0BILLING")), len(slack.thread(written.ts))) == (1, 1)


def test_a_message_that_was_deleted_meanwhile_is_let_go(reconciler, slack, build_record, decision, carry_out):
    record = build_record(ts="1700000000.000100")

    carry_out(reconciler, record, decision)

    assert slack.posts("C0BILLING") == []
