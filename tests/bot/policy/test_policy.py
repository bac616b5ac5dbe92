from datetime import UTC, datetime

import pytest

from bot.policy.policy import Policy, Urgent, find_mismatches
from bot.policy.rules import Directions, MessageContext, Situation

POLICY = Policy(
    default_mode="suggest",
    modes={"C0SUPPORT": "automatic", "C0QUIET": "off", "C0BILLING": "automatic"},
    routes={"billing": "C0BILLING", "technical": "C0TECH"},
    urgent=Urgent({"urgency": frozenset({"high"}), "tone": frozenset({"furious"})}, "S0ONCALL"),
    reactions={"category": {"billing": "credit_card"}, "urgency": {"high": "rotating_light", "low": "credit_card"}},
)


def directed(policy: Policy, labels: dict[str, str]) -> Directions:
    """Evaluate for a message of which nothing but its labels matters."""
    return policy.evaluate(Situation(labels, "category", MessageContext("C0SUPPORT", datetime(2026, 1, 5, tzinfo=UTC))))


@pytest.mark.parametrize(
    ("channel", "mode"),
    [("C0SUPPORT", "automatic"), ("C0QUIET", "off"), ("C0NEW", "suggest"), ("C0TECH", "off")],
)
def test_a_channel_is_in_the_mode_it_is_listed_with(channel, mode):
    assert POLICY.mode(channel) == mode


def test_a_channel_that_messages_are_sent_to_is_never_read_whatever_is_said_of_it():
    assert POLICY.mode("C0BILLING") == "off"


def test_a_category_goes_to_its_channel():
    assert directed(POLICY, {"category": "technical"}).route == "C0TECH"


@pytest.mark.parametrize("labels", [{"category": "general"}, {"urgency": "billing"}, {}])
def test_without_a_category_that_has_a_channel_there_is_no_route(labels):
    assert directed(POLICY, labels).route is None


@pytest.mark.parametrize(
    ("labels", "mention"),
    [
        ({"category": "billing", "urgency": "high"}, ("S0ONCALL",)),
        ({"category": "billing", "urgency": "low", "tone": "furious"}, ("S0ONCALL",)),
        ({"category": "billing", "urgency": "low"}, ()),
        ({"category": "high"}, ()),
    ],
)
def test_somebody_is_mentioned_when_any_facet_says_it_is_urgent(labels, mention):
    assert directed(POLICY, labels).mentions == mention


def test_a_message_is_tagged_for_each_facet_with_an_emoji_and_with_none_twice():
    labels = {"category": "billing", "urgency": "high"}
    same = {"category": "billing", "urgency": "low"}

    assert directed(POLICY, labels).reactions == ("credit_card", "rotating_light")
    assert directed(POLICY, same).reactions == ("credit_card",)


def test_an_empty_policy_directs_nothing():
    directions = directed(Policy(), {"category": "billing", "urgency": "high"})

    assert (directions.route, directions.mentions, directions.reactions) == (None, (), ())


def test_what_the_classifier_does_not_know_is_listed(manifest):
    policy = Policy(
        routes={"biling": "C0BILLING", "technical": "C0TECH"},
        urgent=Urgent({"urgency": frozenset({"hihg"})}, "here"),
        reactions={"mood": {"bad": "sob"}},
    )

    assert find_mismatches(policy, manifest) == [
        "the classifier's 'category' has no label 'biling'",
        "the classifier has no 'mood'",
        "the classifier's 'urgency' has no label 'hihg'",
    ]


def test_a_policy_that_fits_has_no_mismatches(manifest):
    policy = Policy(routes={"billing": "C0BILLING"}, reactions={"tone": {"negative": "cloud"}})

    assert find_mismatches(policy, manifest) == []


def test_what_somebody_tells_the_bot_alone_is_never_sent_on_without_asking():
    assert Policy(default_mode="automatic").mode("D0MAYA") == "suggest"
    assert Policy(default_mode="off").mode("D0MAYA") == "off"


def test_a_reaction_says_a_label_only_where_the_policy_names_it(manifest):
    policy = Policy(reaction_corrections={"category": {"billing": "moneybag"}, "urgency": {"hihg": "fire"}})

    assert policy.corrected_by("moneybag") == ("category", "billing")
    assert policy.corrected_by("tada") is None
    assert find_mismatches(policy, manifest) == ["the classifier's 'urgency' has no label 'hihg'"]
