"""What Slack has to show is a function of the facts."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.policy.policy import Policy, Urgent
from bot.policy.rules import MessageContext
from bot.triage.case import AddReaction, Case, Correction, Decision, PostReply, PostRoute, StepResult
from bot.triage.wanted import demote, find_posts, find_reactions, revise, want

POLICY = Policy(
    modes={"C0SUPPORT": "automatic", "C0NEW": "suggest", "C0WATCHED": "watch-only", "C0OFF": "off"},
    default_mode="off",
    routes={"billing": "C0BILLING", "technical": "C0TECH"},
    urgent=Urgent({"urgency": frozenset({"high"})}, "S0ONCALL"),
    reactions={"category": {"billing": "credit_card", "technical": "wrench"}, "urgency": {"high": "rotating_light"}},
)
HERE = MessageContext("C0SUPPORT", datetime(2026, 1, 5, 12, tzinfo=UTC))

AUTOMATIC_EFFECTS = (
    AddReaction("credit_card"),
    AddReaction("rotating_light"),
    PostRoute("C0BILLING", ("S0ONCALL",), urgent=True),
    PostReply(),
)
DONE = {"route:C0BILLING": StepResult("1.1"), "reply": StepResult("1.2")}


def correct(facet: str, before: str, after: str, version: int = 1) -> Correction:
    return Correction(version, facet, before, after, "U0ANNA", 1, "model-1")


@pytest.fixture
def decision(facet_results) -> Decision:
    return Decision("automatic", "sure", facet_results, effects=AUTOMATIC_EFFECTS, text_as_of=1.0)


def test_a_decision_that_nobody_corrected_is_carried_out_as_it_was_made(decision):
    assert want(Case(decision), Policy(), HERE).effects == AUTOMATIC_EFFECTS


def test_a_corrected_category_moves_the_message_and_its_tags(decision):
    case = Case(decision, (correct("category", "billing", "technical"),), DONE)

    wanted = want(case, POLICY, HERE)

    assert wanted.route == PostRoute("C0TECH", ("S0ONCALL",), urgent=True)
    assert wanted.moves
    assert wanted.reactions == ("wrench", "rotating_light")
    assert wanted.effects[-1] == PostReply()


def test_a_message_corrected_back_returns_to_where_it_was(decision):
    there = correct("category", "billing", "technical", 1)
    back = correct("category", "technical", "billing", 2)

    wanted = want(Case(decision, (there, back), DONE), POLICY, HERE)

    assert wanted.route == PostRoute("C0BILLING", ("S0ONCALL",), urgent=True)
    assert wanted.reactions == ("credit_card", "rotating_light")


def test_a_category_without_a_channel_is_sent_nowhere(decision):
    wanted = want(Case(decision, (correct("category", "billing", "general"),), DONE), POLICY, HERE)

    assert (wanted.route, wanted.moves) == (None, True)


@pytest.mark.parametrize("outcome", ["ask", "suggest"])
def test_a_person_who_answers_the_question_sends_the_message_on(facet_results, outcome):
    case = Case(Decision(outcome, "mode", facet_results), (correct("category", "billing", "billing"),))

    assert want(case, POLICY, HERE).route == PostRoute("C0BILLING", ("S0ONCALL",), urgent=True)


@pytest.mark.parametrize("outcome", ["ask", "suggest"])
def test_a_corrected_urgency_does_not_send_on_what_waits_for_a_person(facet_results, outcome):
    case = Case(Decision(outcome, "mode", facet_results), (correct("urgency", "high", "low"),))

    wanted = want(case, POLICY, HERE)

    assert (wanted.route, wanted.reactions, wanted.effects[-1]) == (None, (), PostReply())


def test_what_was_only_watched_gets_no_reply_because_somebody_corrects_it(facet_results):
    case = Case(Decision("watch", "mode", facet_results), (correct("category", "billing", "technical"),))

    assert not any(isinstance(effect, PostReply) for effect in want(case, POLICY, HERE).effects)


def test_a_deleted_message_wants_nothing(decision):
    assert want(Case(decision, is_deleted=True), POLICY, HERE).effects == ()


def test_posts_are_where_they_were_made_or_may_have_been():
    steps = {"route:C1": StepResult("1.1"), "route:C2": StepResult(error="is_archived"), "reply": StepResult("1.2")}

    assert find_posts(Case(steps=steps, uncertain=frozenset({"route:C3", "reply"}))) == {"C1": "1.1", "C3": None}


def test_tags_that_may_have_been_put_on_are_known(decision):
    case = Case(decision, uncertain=frozenset({"react:wrench", "reply"}))

    assert find_reactions(case) == ("credit_card", "rotating_light", "wrench")


# --- Which decision stands ----------------------------------------------------------------------------------


def test_a_decision_about_an_older_text_never_replaces_one_about_a_newer(decision):
    newer = replace(decision, text_as_of=2.0)

    assert revise(newer, replace(decision, text_as_of=1.5)) is None
    assert revise(newer, newer) is None


def test_what_has_become_small_talk_stays_the_request_that_it_was(decision):
    revised = revise(decision, Decision("ignore", "small-talk", text_as_of=2.0))

    assert revised == replace(decision, text_as_of=2.0, revision=1)


@given(st.permutations([1.0, 2.0, 3.0, 4.0]))
def test_in_whatever_order_texts_are_read_the_decision_about_the_newest_stands(times):
    standing = Decision("ask", "mode", text_as_of=times[0])
    for time in times[1:]:
        standing = revise(standing, Decision("ask", "mode", text_as_of=time)) or standing

    assert standing.text_as_of == 4.0


@pytest.mark.parametrize(
    ("mode", "outcome", "effects"), [("suggest", "suggest", 1), ("watch-only", "watch", 0), ("off", "silent", 0)]
)
def test_what_was_automatic_becomes_what_the_mode_allows(decision, mode, outcome, effects):
    demoted = demote(decision, mode)

    assert (demoted.outcome, len(demoted.effects), demoted.revision) == (outcome, effects, 1)
    assert demoted.facet_results == decision.facet_results
