from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest

from bot.policy.keywords import Keywords, read_words
from bot.policy.policy import Policy
from bot.policy.rules import MAIN, Action, Condition, Escalation, MessageContext, Rule, RuleContext, Situation
from bot.policy.schedule import OpeningHours

MONDAY_NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
SATURDAY = datetime(2026, 1, 10, 12, tzinfo=UTC)
OFFICE = OpeningHours(ZoneInfo("Europe/Berlin"), {day: ((time(9), time(17)),) for day in range(5)})
LABELS = {"category": "billing", "urgency": "high", "tone": "negative"}


def situation(labels=LABELS, channel="C0SUPPORT", at=MONDAY_NOON, team=None, text="") -> Situation:
    return Situation(labels, "category", MessageContext(channel, at, team, text))


def words(*values: str) -> frozenset[str]:
    return frozenset(values)


# --- The truth table of a condition -------------------------------------------------------------------------

TRUTHS = [
    # condition, situation, whether it holds
    (Condition(), situation(labels={}), True),
    (Condition({"category": words("billing")}), situation(), True),
    (Condition({"category": words("technical")}), situation(), False),
    (Condition({"category": words("technical", "billing")}), situation(), True),
    (Condition({"category": words("billing")}), situation(labels={}), False),
    (Condition({"category": words("billing"), "urgency": words("high")}), situation(), True),
    (Condition({"category": words("billing"), "urgency": words("low")}), situation(), False),
    (Condition({"tone": words("negative")}), situation(), True),
    (Condition({MAIN: words("billing")}), situation(), True),
    (Condition({MAIN: words("high")}), situation(), False),
    (Condition(channels=words("C0SUPPORT", "C0OTHER")), situation(), True),
    (Condition(channels=words("C0OTHER")), situation(), False),
    (Condition(teams=words("ours")), situation(), True),
    (Condition(teams=words("ours")), situation(team="T0THEM"), False),
    (Condition(teams=words("others")), situation(team="T0THEM"), True),
    (Condition(teams=words("others")), situation(), False),
    (Condition(teams=words("T0THEM")), situation(team="T0THEM"), True),
    (Condition(teams=words("T0THEM")), situation(team="T0ELSE"), False),
    (Condition(during=OFFICE), situation(), True),
    (Condition(during=OFFICE), situation(at=SATURDAY), False),
    (Condition(outside=OFFICE), situation(), False),
    (Condition(outside=OFFICE), situation(at=SATURDAY), True),
    (Condition(keywords=(read_words("outage"),)), situation(text="Total OUTAGE, since 9!"), True),
    (Condition(keywords=(read_words("outage"),)), situation(text="outages"), False),
    (Condition(keywords=(read_words("is down"),)), situation(text="Our site *is\ndown* again"), True),
    (Condition(keywords=(read_words("is down"),)), situation(text="is it down"), False),
    (Condition(keywords=(read_words("x"), read_words("Straße"))), situation(text="in der STRASSE"), True),
    (Condition(keywords=(read_words("outage"),)), situation(), False),
    (Condition({"urgency": words("high")}, words("C0SUPPORT"), words("ours"), OFFICE), situation(), True),
    (Condition({"urgency": words("high")}, words("C0SUPPORT"), words("others"), OFFICE), situation(), False),
]


@pytest.mark.parametrize(("condition", "at", "holds"), TRUTHS)
def test_a_condition_holds_when_each_of_its_fields_does(condition, at, holds):
    assert condition.holds(RuleContext(at, Keywords(condition.keywords))) is holds


# --- The truth table of several rules -----------------------------------------------------------------------

BILLING = Rule("billing", Condition({"category": words("billing")}), Action(post="C0BILLING", tags=("credit_card",)))
URGENT = Rule("urgent", Condition({"urgency": words("high")}), Action(post="C0URGENT", mentions=("S0ONCALL",)))
ANYTHING = Rule("anything", Condition(), Action(post="C0REST", reply="Thank you."))
NOT_THIS = Rule("not this", Condition({"category": words("technical")}), Action(post="C0TECH"))


def names(policy: Policy) -> list[str]:
    return [rule.name for rule in policy.evaluate(situation()).rules]


@pytest.mark.parametrize(
    ("match", "rules", "matched", "route", "mentions"),
    [
        ("first", (), [], None, ()),
        ("first", (NOT_THIS,), [], None, ()),
        ("first", (NOT_THIS, BILLING, URGENT), ["billing"], "C0BILLING", ()),
        ("first", (URGENT, BILLING), ["urgent"], "C0URGENT", ("S0ONCALL",)),
        ("all", (NOT_THIS, BILLING, URGENT), ["billing", "urgent"], "C0BILLING", ("S0ONCALL",)),
        ("all", (ANYTHING, URGENT, BILLING), ["anything", "urgent", "billing"], "C0REST", ("S0ONCALL",)),
    ],
)
def test_the_first_matching_rule_applies_or_all_do(match, rules, matched, route, mentions):
    policy = Policy(match=match, rules=rules)

    directions = policy.evaluate(situation())

    assert [rule.name for rule in directions.rules] == matched
    assert (directions.route, directions.mentions) == (route, mentions)


def test_the_short_form_applies_beside_the_first_matching_rule_which_takes_precedence():
    policy = Policy(
        rules=(URGENT,), routes={"billing": "C0BILLING"}, reactions={"category": {"billing": "credit_card"}}
    )

    directions = policy.evaluate(situation())

    assert (directions.route, directions.reactions) == ("C0URGENT", ("credit_card",))
    assert names(policy) == ["urgent", "routes: billing", "reactions: billing"]


def test_lists_add_up_without_duplicates_and_single_values_are_the_first():
    escalation = Escalation(30, ("support",))
    policy = Policy(
        match="all",
        rules=(
            Rule("a", Condition(), Action(tags=("eyes",), reply="One.", assign="x", webhooks=("crm",))),
            Rule("b", Condition(), Action(tags=("eyes", "fire"), reply="Two.", assign="y", webhooks=("crm", "log"))),
            Rule("c", Condition(), Action(escalate=escalation)),
        ),
    )

    directions = policy.evaluate(situation())

    assert directions.reactions == ("eyes", "fire")
    assert directions.replies == ("One.", "Two.")
    assert directions.webhooks == ("crm", "log")
    assert (directions.assign, directions.escalate) == ("x", escalation)


def test_a_silent_rule_silences_the_others_except_for_webhooks():
    silent = Rule("silent", Condition(), Action(silent=True, webhooks=("crm",)))

    directions = Policy(match="all", rules=(BILLING, silent), routes={"billing": "C0BILLING"}).evaluate(situation())

    assert (directions.silent, directions.route, directions.reactions) == (True, None, ())
    assert directions.webhooks == ("crm",)


def test_channels_that_rules_post_to_are_not_read():
    escalating = Rule("late", Condition(), Action(escalate=Escalation(30, (), "C0LEADS")))
    policy = Policy(default_mode="automatic", rules=(BILLING, escalating))

    assert [policy.mode(channel) for channel in ("C0BILLING", "C0LEADS", "C0SUPPORT")] == ["off", "off", "automatic"]


def test_opening_hours_follow_the_zones_clock_on_the_day_it_changes():
    berlin = OpeningHours(ZoneInfo("Europe/Berlin"), {6: ((time(9), time(17)),)}, frozenset({date(2026, 4, 5)}))

    # 29 March 2026: at 2 o'clock it is 3.
    assert not berlin.is_open(datetime(2026, 3, 29, 6, 59, tzinfo=UTC))
    assert berlin.is_open(datetime(2026, 3, 29, 7, 0, tzinfo=UTC))
    assert not berlin.is_open(datetime(2026, 3, 29, 15, 0, tzinfo=UTC))
    assert not berlin.is_open(datetime(2026, 4, 5, 10, 0, tzinfo=UTC))
