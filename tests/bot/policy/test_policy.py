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
    """Evaluate the policy for a message with these labels."""
    return policy.evaluate(Situation(labels, "category", MessageContext("C0SUPPORT", datetime(2026, 1, 5, tzinfo=UTC))))


@pytest.mark.parametrize(
    ("channel", "mode"),
    [("C0SUPPORT", "automatic"), ("C0QUIET", "off"), ("C0NEW", "suggest"), ("C0TECH", "off")],
)
def test_a_channel_has_its_listed_mode_or_the_default(channel, mode):
    assert POLICY.mode(channel) == mode


def test_a_channel_that_messages_are_posted_to_is_never_read():
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
def test_urgent_messages_mention_the_person_or_group_for_any_of_the_facets(labels, mention):
    assert directed(POLICY, labels).mentions == mention


def test_a_message_is_tagged_once_with_the_emoji_of_each_facet():
    labels = {"category": "billing", "urgency": "high"}
    same = {"category": "billing", "urgency": "low"}

    assert directed(POLICY, labels).reactions == ("credit_card", "rotating_light")
    assert directed(POLICY, same).reactions == ("credit_card",)


def test_an_empty_policy_directs_nothing():
    directions = directed(Policy(), {"category": "billing", "urgency": "high"})

    assert (directions.route, directions.mentions, directions.reactions) == (None, (), ())


def test_labels_and_facets_that_the_classifier_lacks_are_listed(manifest):
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


def test_a_policy_of_the_classifiers_labels_has_no_mismatches(manifest):
    policy = Policy(routes={"billing": "C0BILLING"}, reactions={"tone": {"negative": "cloud"}})

    assert find_mismatches(policy, manifest) == []


def test_direct_messages_are_never_automatic():
    assert Policy(default_mode="automatic").mode("D0MAYA") == "suggest"
    assert Policy(default_mode="off").mode("D0MAYA") == "off"


def test_only_emoji_in_the_policy_correct_a_label(manifest):
    policy = Policy(reaction_corrections={"category": {"billing": "moneybag"}, "urgency": {"hihg": "fire"}})

    assert policy.corrected_by("moneybag") == ("category", "billing")
    assert policy.corrected_by("tada") is None
    assert find_mismatches(policy, manifest) == ["the classifier's 'urgency' has no label 'hihg'"]
