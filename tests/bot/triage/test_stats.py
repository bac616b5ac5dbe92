from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.queue.messages import MessageKey
from bot.triage.case import Case, Correction, Decision, FacetResult, FirstAnswer
from bot.triage.stats import ANSWERED_WITHIN, answer_delta, correction_delta, day_of, decision_delta
from classifier_infra.model.prediction import Score

KEY = MessageKey("T0", "C0SUPPORT", "1700000000.000100")
LABELS = ("billing", "technical", "general")


def correction(version: int, facet: str, before: str, after: str) -> Correction:
    return Correction(version, facet, before, after, "U0ANNA", 1, "model-1")


@pytest.fixture
def decision(facet_results) -> Decision:
    return Decision("suggest", "mode", facet_results, "model-1")


def test_a_decision_is_counted_by_what_was_done_and_by_its_label(decision):
    assert decision_delta(KEY, decision).counts == {"outcome#suggest": 1, "label#billing": 1}


def test_an_ignored_message_is_counted_by_its_reason_and_waits_for_nobody():
    delta = decision_delta(KEY, Decision("ignore", "bot"))

    assert (delta.counts, delta.begin, delta.trace) == ({"ignored#bot": 1}, {}, None)


@pytest.mark.parametrize("outcome", ["ask", "suggest", "silent", "watch"])
def test_what_the_bot_did_not_act_on_waits_for_a_persons_word(decision, outcome):
    waiting = decision_delta(KEY, replace(decision, outcome=outcome)).begin["review"]

    assert [guess.name for guess in waiting.guesses] == ["billing", "technical", "general"]


def test_what_the_bot_acted_on_waits_for_an_answer_only_where_it_is_urgent(decision):
    automatic = replace(decision, outcome="automatic")

    assert set(decision_delta(KEY, automatic).begin) == set()
    assert set(decision_delta(KEY, replace(automatic, urgent=True)).begin) == {"urgent"}


@pytest.mark.parametrize(("waited", "within"), [(1, 60), (60, 60), (61, 300), (5e8, ANSWERED_WITHIN[-1])])
def test_an_answer_is_counted_by_how_long_the_customer_waited(decision, waited, within):
    delta = answer_delta(KEY, Case(decision), FirstAnswer("U0LEO", float(KEY.ts) + waited))

    assert (delta.counts, delta.end) == ({f"answered#{within}": 1}, {"urgent"})


@pytest.mark.parametrize(("heard_of_before", "counts"), [(200, {"answered#60": 1, "answered#300": -1}), (20, {})])
def test_an_answer_that_turns_out_not_to_be_the_first_is_not_counted(decision, heard_of_before, counts):
    case = Case(decision, first_answer=FirstAnswer("U0ANNA", float(KEY.ts) + heard_of_before))

    assert answer_delta(KEY, case, FirstAnswer("U0LEO", float(KEY.ts) + 10)).counts == counts


@pytest.mark.parametrize("case", [Case(), Case(Decision("ignore", "small-talk"))])
def test_what_people_say_to_each_other_is_no_answer_to_a_customer(case):
    assert answer_delta(KEY, case, FirstAnswer("U0LEO", float(KEY.ts) + 5)).counts == {}


def test_a_confirmation_counts_for_the_bot_and_ends_the_wait(decision):
    delta = correction_delta(Case(decision), correction(1, "category", "billing", "billing"))

    assert (delta.counts, delta.end) == ({"right#category": 1}, {"review"})


def test_a_correction_counts_against_the_bot_and_moves_the_message_to_its_label(decision):
    delta = correction_delta(Case(decision), correction(1, "category", "billing", "technical"))

    assert delta.counts == {"wrong#category": 1, "label#billing": -1, "label#technical": 1}


def test_a_word_on_another_facet_leaves_the_message_waiting_for_one_on_the_main_one(decision):
    delta = correction_delta(Case(decision), correction(1, "urgency", "high", "low"))

    assert (delta.counts, delta.end) == ({"wrong#urgency": 1}, frozenset())


@given(st.lists(st.sampled_from(LABELS), min_size=1, max_size=8))
def test_however_often_people_change_their_minds_a_message_counts_once(words):
    scores = (Score("billing", 0.9), Score("technical", 0.06), Score("general", 0.04))
    case = Case(Decision("suggest", "mode", (FacetResult("category", scores, sure=True),), "model-1"))
    counts = Counter(decision_delta(KEY, case.decision).counts)

    for version, word in enumerate(words, 1):
        said = correction(version, "category", case.labels["category"], word)
        counts.update(correction_delta(case, said).counts)
        case = replace(case, corrections=(*case.corrections, said))

    verdict = "right#category" if words[-1] == "billing" else "wrong#category"
    assert +counts == Counter({"outcome#suggest": 1, f"label#{words[-1]}": 1, verdict: 1})


@pytest.mark.parametrize(
    ("ts", "day"),
    [
        ("1700000000.000100", "2023-11-14"),
        ("1700006400.000000", "2023-11-15"),
        ("99999999999999999999.1", "9999-12-31"),
    ],
)
def test_a_message_belongs_to_the_day_it_was_written(ts, day):
    assert day_of(ts) == day
