import json
from dataclasses import replace
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.policy.keywords import read_words
from bot.policy.policy import Intake, Policy, Urgent
from bot.policy.rules import Action, Condition, Escalation, MessageContext, Rule
from bot.policy.schedule import OpeningHours, Rota
from bot.policy.settings import Switches, TeamSettings
from bot.triage.case import (
    AddReaction,
    CallWebhook,
    Case,
    PostReply,
    PostRoute,
    decision_from_document,
)
from bot.triage.decide import SMALLEST_MARGIN, context_of, decide, doubt, find_reason_to_ignore
from bot.triage.wanted import want
from classifier_infra.model.manifest import Facet, Label, Manifest
from classifier_infra.model.prediction import FacetPrediction, Familiarity, Prediction, Score

POLICY = Policy(
    modes={"C0SUPPORT": "automatic", "C0NEW": "suggest", "C0WATCHED": "watch-only", "C0OFF": "off"},
    default_mode="off",
    routes={"billing": "C0BILLING", "technical": "C0TECH"},
    urgent=Urgent({"urgency": frozenset({"high"})}, "S0ONCALL"),
    reactions={"category": {"billing": "credit_card", "technical": "wrench"}, "urgency": {"high": "rotating_light"}},
)
SETTINGS = TeamSettings(POLICY)
HERE = MessageContext("C0SUPPORT", datetime(2026, 1, 5, 12, tzinfo=UTC))
SURE = {"category": {"billing": 0.94}, "urgency": {"normal": 0.9}, "tone": {"neutral": 0.9}}


# --- Which messages are read --------------------------------------------------------------------------------


def test_a_message_in_a_watched_channel_is_read(build_record):
    assert find_reason_to_ignore(build_record(), SETTINGS) is None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"channel": "C0BILLING"}, "destination-channel"),
        ({"channel": "C0OFF"}, "channel-off"),
        ({"channel": "C0ELSEWHERE"}, "channel-off"),
        ({"bot": "B0FORM"}, "bot"),
        ({"text": ""}, "unreadable"),
        ({"text": "👍 🎉 !!!"}, "unreadable"),
        ({"text": "\x00\n"}, "unreadable"),
        ({"text": "", "files": True}, "file-without-words"),
        ({"text": "Thanks, perfect!"}, "small-talk"),
        ({"channel_type": "mpim"}, "group-conversation"),
    ],
)
def test_a_message_is_ignored_for_a_reason(build_record, change, reason):
    assert find_reason_to_ignore(build_record(**change), SETTINGS) == reason


def test_what_a_muted_person_writes_is_ignored(build_record):
    settings = TeamSettings(POLICY, Switches(muted_people=frozenset({"U0MAYA"})))

    assert find_reason_to_ignore(build_record(author="U0MAYA"), settings) == "author-muted"
    assert find_reason_to_ignore(build_record(author="U0ANNA"), settings) is None


def read_with(**intake) -> TeamSettings:
    return TeamSettings(replace(POLICY, intake=Intake(**intake)))


def test_another_bot_is_read_when_the_policy_names_it(build_record):
    settings = read_with(other_bots=frozenset({"B0FORM"}))

    assert find_reason_to_ignore(build_record(bot="B0FORM"), settings) is None
    assert find_reason_to_ignore(build_record(bot="B0OTHER"), settings) == "bot"


def test_people_of_other_organisations_are_read_unless_the_policy_says_otherwise(build_record):
    guest = build_record(author_team="T0GUEST")

    assert find_reason_to_ignore(guest, SETTINGS) is None
    assert find_reason_to_ignore(guest, read_with(other_organisations="ignore")) == "other-organisation"


def test_small_talk_is_what_the_policy_says_it_is(build_record):
    assert find_reason_to_ignore(build_record(text="Thanks, perfect!"), read_with(small_talk=())) is None


# --- What is done -------------------------------------------------------------------------------------------


def test_a_sure_message_is_tagged_sent_on_and_then_answered(build_record, predict, manifest):
    decision = decide(build_record(), predict(**SURE), SETTINGS, manifest)

    assert (decision.outcome, decision.reason) == ("automatic", "sure")
    assert decision.effects == (AddReaction("credit_card"), PostRoute("C0BILLING"), PostReply())


def test_an_urgent_message_mentions_who_must_know(build_record, predict, manifest):
    decision = decide(build_record(), predict(**SURE | {"urgency": {"high": 0.9}}), SETTINGS, manifest)

    assert decision.effects == (
        AddReaction("credit_card"),
        AddReaction("rotating_light"),
        PostRoute("C0BILLING", ("S0ONCALL",), urgent=True),
        PostReply(),
    )


def test_an_urgency_that_is_not_sure_mentions_nobody(build_record, predict, manifest):
    decision = decide(build_record(), predict(**SURE | {"urgency": {"high": 0.6}}), SETTINGS, manifest)

    assert PostRoute("C0BILLING") in decision.effects


def test_a_category_without_a_channel_is_answered_and_stays(build_record, predict, manifest):
    decision = decide(build_record(), predict(**SURE | {"category": {"general": 0.9}}), SETTINGS, manifest)

    assert decision.effects == (PostReply(),)


def test_below_the_threshold_a_person_is_asked_and_nothing_sent_on(build_record, predict, manifest):
    decision = decide(build_record(), predict(**SURE | {"category": {"billing": 0.79}}), SETTINGS, manifest)

    assert (decision.outcome, decision.reason) == ("ask", "below-threshold")
    assert decision.effects == (PostReply(),)


def test_a_close_second_is_a_reason_to_ask_however_low_the_threshold(build_record):
    labels = tuple(Label(name, name) for name in ("a", "b", "c"))
    manifest = Manifest("1", "1", (Facet("topic", labels, threshold=0.3),), "direct", 1.0, "", 0)
    scores = FacetPrediction((Score("a", 0.40), Score("b", 0.35), Score("c", 0.25)))
    policy = Policy(default_mode="automatic", routes={"a": "C0A"})

    decision = decide(build_record(), Prediction({"topic": scores}, "1", "endpoint"), TeamSettings(policy), manifest)

    assert (decision.outcome, decision.reason) == ("ask", "close-call")


def test_a_team_can_prefer_silence_to_a_question(build_record, predict, manifest):
    policy = Policy(default_mode="automatic", unsure="silent")

    decision = decide(build_record(), predict(category={"billing": 0.5}), TeamSettings(policy), manifest)

    assert (decision.outcome, decision.effects) == ("silent", ())


def test_where_only_suggestions_are_wanted_nothing_is_sent_on(build_record, predict, manifest):
    decision = decide(build_record(channel="C0NEW"), predict(**SURE), SETTINGS, manifest)

    assert (decision.outcome, decision.reason) == ("suggest", "mode")
    assert decision.effects == (PostReply(),)


def test_where_it_only_watches_nothing_is_shown(build_record, predict, manifest):
    decision = decide(build_record(channel="C0WATCHED"), predict(**SURE), SETTINGS, manifest)

    assert (decision.outcome, decision.effects) == ("watch", ())
    assert decision.labels["category"] == "billing"


def one_facet(*scores, threshold=0.5):
    """Give a prediction of one facet and the manifest it fits."""
    facet = Facet("topic", tuple(Label(score.name, score.name) for score in scores), threshold=threshold)
    manifest = Manifest("1", "1", (facet,), "direct", 1.0, "0" * 64, 0)
    return Prediction({"topic": FacetPrediction(scores)}, "1", "endpoint"), manifest


def test_a_facet_of_a_single_label_leaves_no_doubt():
    assert doubt(*one_facet(Score("only", 1.0))) is None


def test_a_message_of_unfamiliar_words_is_asked_about_and_nothing_of_it_is_sure(build_record, predict, manifest):
    prediction = replace(predict(**SURE), familiarity=Familiarity(2, 9))

    decision = decide(build_record(), prediction, SETTINGS, manifest)

    assert (decision.outcome, decision.reason) == ("ask", "unfamiliar")
    assert not any(facet_result.sure for facet_result in decision.facet_results)
    assert decision.effects == (PostReply(),)


@pytest.mark.parametrize("caution", ["canaries-moved", "words-unchecked"])
def test_a_classifier_that_is_not_to_be_relied_upon_only_suggests(build_record, predict, manifest, caution):
    prediction = replace(predict(**SURE), caution=caution)

    decision = decide(build_record(), prediction, SETTINGS, manifest)

    assert (decision.outcome, decision.reason) == ("suggest", caution)
    assert not any(facet_result.sure for facet_result in decision.facet_results)
    assert decision.effects == (PostReply(),)


def test_such_a_classifier_still_asks_where_it_is_unsure_itself(build_record, predict, manifest):
    prediction = replace(predict(category={"billing": 0.5}), caution="canaries-moved")

    decision = decide(build_record(), prediction, SETTINGS, manifest)

    assert (decision.outcome, decision.reason) == ("ask", "below-threshold")


names = st.text(st.characters(categories=["Ll", "Nd"]), min_size=1, max_size=8)


@st.composite
def taxonomies(draw):
    facets = draw(st.lists(names, min_size=1, max_size=4, unique=True))
    labels = st.lists(names, min_size=1, max_size=6, unique=True)
    return tuple(
        Facet(name, tuple(Label(label, label) for label in draw(labels)), threshold=draw(st.floats(0, 1)))
        for name in facets
    )


@st.composite
def policies(draw, facets):
    channels = st.sampled_from(["C0SUPPORT", "C0BILLING", "C0TECH"])
    modes = st.sampled_from(["automatic", "suggest", "watch-only", "off"])
    labels = st.sampled_from([label.name for facet in facets for label in facet.labels])
    some_facets = st.sampled_from([facet.name for facet in facets])
    return Policy(
        default_mode=draw(modes),
        modes=draw(st.dictionaries(channels, modes)),
        routes=draw(st.dictionaries(labels, channels)),
        urgent=draw(
            st.none() | st.builds(Urgent, st.dictionaries(some_facets, st.frozensets(labels)), st.just("here"))
        ),
        unsure=draw(st.sampled_from(["ask", "silent"])),
        reactions=draw(st.dictionaries(some_facets, st.dictionaries(labels, st.sampled_from(["a", "b"])))),
        match=draw(st.sampled_from(["first", "all"])),
        rules=tuple(draw(st.lists(rules(some_facets, labels, channels), max_size=5))),
        rotas={"turns": Rota(("U0ANNA", "U0BEN"))},
    )


def rules(facets, labels, channels):
    """Rules of any condition and any action, those that nobody would write among them."""
    office = OpeningHours(ZoneInfo("Europe/Berlin"), {day: ((time(9), time(17)),) for day in range(5)})
    mentions = st.lists(st.sampled_from(["here", "S0ONCALL", "turns"]), max_size=2).map(tuple)
    conditions = st.builds(
        Condition,
        labels=st.dictionaries(facets, st.frozensets(labels, min_size=1), max_size=2),
        channels=st.frozensets(channels, max_size=1),
        teams=st.frozensets(st.sampled_from(["ours", "others", "T0THEM"]), max_size=2),
        during=st.none() | st.just(office),
        outside=st.none() | st.just(office),
        keywords=st.lists(st.text(min_size=1).map(read_words), max_size=2).map(tuple),
    )
    escalations = st.builds(Escalation, st.integers(1, 4320), mentions, st.none() | channels)
    actions = st.builds(
        Action,
        tags=st.lists(st.sampled_from(["a", "b"]), max_size=2).map(tuple),
        post=st.none() | channels,
        mentions=mentions,
        reply=st.none() | st.just("Thank you, {author}."),
        assign=st.none() | st.just("turns"),
        escalate=st.none() | escalations,
        webhooks=st.lists(st.just("crm"), max_size=2).map(tuple),
        silent=st.booleans(),
    )
    return st.builds(Rule, st.just("rule"), conditions, actions)


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_valid_policy_decides_any_message_of_any_taxonomy(build_record, data):
    facets = data.draw(taxonomies())
    policy = data.draw(policies(facets))
    manifest = Manifest("1", "1", facets, "heads", 1.0, "", 0)
    confidences = {facet.name: sorted(data.draw(st.tuples(*[st.floats(0, 1)] * len(facet.labels)))) for facet in facets}
    prediction = Prediction(
        {
            facet.name: FacetPrediction(
                tuple(
                    Score(label.name, each)
                    for label, each in zip(facet.labels, confidences[facet.name][::-1], strict=True)
                )
            )
            for facet in facets
        },
        "1",
        "endpoint",
    )
    record = build_record(text=data.draw(st.text()), author_team=data.draw(st.sampled_from([None, "T0THEM"])))

    if find_reason_to_ignore(record, TeamSettings(policy)) is None:
        decision = decide(record, prediction, TeamSettings(policy), manifest)
        sent_to = [effect.channel for effect in decision.effects if isinstance(effect, PostRoute)]
        main = decision.facet_results[0]

        assert record.channel not in sent_to
        assert len(sent_to) <= 1
        assert not sent_to or (main.sure and policy.mode(record.channel) == "automatic")
        assert not any(isinstance(effect, PostReply) for effect in decision.effects[:-1])
        assert len({effect.step for effect in decision.effects}) == len(decision.effects)
        assert decision.reason != "rule" or all(isinstance(effect, CallWebhook) for effect in decision.effects)
        assert decision_from_document(json.loads(json.dumps(decision.to_document()))) == decision
        assert want(Case(decision), policy, context_of(record)).effects == decision.effects


def test_the_margin_is_checked_against_the_second_label():
    second = 0.5 - SMALLEST_MARGIN / 2

    assert doubt(*one_facet(Score("a", 0.5), Score("b", second))) == "close-call"
