from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.policy.parsing.parser import parse_policy
from bot.policy.policy import Policy
from bot.policy.rules import MessageContext
from bot.queue.messages import MessageKey
from bot.triage.backtest import Backtest, Decided, Move, compare

KEY = MessageKey("T0SANDBOX", "C0SUPPORT", "1767614400.000100")  # a Monday, noon in UTC
OLD = Policy(routes={"billing": "C0BILLING"})
BY_WORDS = parse_policy("""\
version: 2
routes: {billing: C0BILLING}
rules:
  - when: {keywords: refund}
    then: {post: C0REFUNDS}
""")


@pytest.fixture
def billing() -> Decided:
    return Decided(KEY, "category", {"category": "billing", "urgency": "high"})


def test_what_a_new_policy_sends_elsewhere_is_listed_with_from_and_to(billing):
    other = replace(billing, key=replace(KEY, channel="C0VIP"))
    new = parse_policy("version: 2\nrules:\n  - {when: {category: billing, channel: C0VIP}, then: {post: C0KEY}}\n")
    new = replace(new, routes=OLD.routes)

    assert compare(OLD, new, [billing, other]) == Backtest((Move(other.key, "C0BILLING", "C0KEY"),), same=1)


def test_a_message_may_stay_where_it_was(billing):
    assert compare(OLD, Policy(), [billing]) == Backtest((Move(KEY, "C0BILLING", None),))


def test_what_is_not_settled_goes_nowhere_under_either(billing):
    assert compare(OLD, Policy(routes={"billing": "C0X"}), [replace(billing, labels={})]) == Backtest(same=1)


def test_routes_go_by_the_main_facet_of_the_message(billing):
    assert compare(OLD, Policy(), [replace(billing, main="urgency")]) == Backtest(same=1)


def test_a_policy_that_can_be_read_in_many_ways_is_held_against_the_newest_messages_only(billing):
    rules = "".join(f"  - {{when: {{keywords: word{number}}}, then: {{post: C0A{number}}}}}\n" for number in range(200))
    new = parse_policy(f"version: 2\nrules:\n{rules}")

    dry_run = compare(OLD, new, [billing] * 500)

    assert 100 < len(dry_run.open) < 200
    assert len(compare(OLD, OLD, [billing] * 500).open) + compare(OLD, OLD, [billing] * 500).same == 500


def test_the_time_is_that_of_the_message(billing):
    hours = "version: 2\nhours: {office: {zone: UTC, open: {mon: '09:00-17:00'}}}\nrules:\n"
    new = parse_policy(f"{hours}  - {{when: {{during: office}}, then: {{post: C0DAY}}}}\n")
    night = replace(billing, key=replace(KEY, ts="1767650400.000100"))

    assert [move.key.ts for move in compare(Policy(), new, [billing, night]).moves] == [KEY.ts]


def test_where_it_hangs_on_a_text_that_is_not_at_hand_it_is_open(billing):
    assert compare(OLD, BY_WORDS, [billing]) == Backtest(open=(KEY,))


@pytest.mark.parametrize(
    ("text", "dry_run"),
    [("a refund, please", Backtest((Move(KEY, "C0BILLING", "C0REFUNDS"),))), ("an invoice", Backtest(same=1))],
)
def test_with_the_text_it_is_known(billing, text, dry_run):
    here = MessageContext("C0SUPPORT", datetime(2026, 1, 5, 12, tzinfo=UTC), text=text)

    assert compare(OLD, BY_WORDS, [replace(billing, message_context=here)]) == dry_run


def test_key_words_that_send_nothing_elsewhere_leave_nothing_open(billing):
    tagged = parse_policy(
        "version: 2\nroutes: {billing: C0BILLING}\nrules:\n  - {when: {team: others}, then: {tag: eyes}}\n"
    )

    assert compare(OLD, tagged, [billing]) == Backtest(same=1)
