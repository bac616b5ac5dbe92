import json

from hypothesis import given
from hypothesis import strategies as st

from bot.triage.case import (
    AddReaction,
    Case,
    Correction,
    Decision,
    FacetResult,
    PostReply,
    PostRoute,
    decision_from_document,
)
from classifier_infra.model.prediction import Score

scores = st.builds(Score, st.text(min_size=1), st.floats(0, 1))
some_findings = st.builds(FacetResult, st.text(), st.lists(scores, min_size=1).map(tuple), st.booleans())
effects = st.one_of(
    st.builds(AddReaction, st.text()), st.builds(PostRoute, st.text(), st.none() | st.text()), st.builds(PostReply)
)
decisions = st.builds(
    Decision,
    outcome=st.sampled_from(["automatic", "suggest", "ask", "watch", "ignore"]),
    reason=st.sampled_from(["sure", "below-threshold", "mode", "bot"]),
    facet_results=st.lists(some_findings).map(tuple),
    model_version=st.text(),
    served_by=st.text(),
    effects=st.lists(effects).map(tuple),
)


@given(decisions)
def test_a_decision_survives_being_stored_as_json(decision):
    assert decision_from_document(json.loads(json.dumps(decision.to_document()))) == decision


def test_the_latest_word_of_a_person_is_the_label_that_stands(facet_results):
    corrections = (
        Correction(1, "category", "billing", "technical", "U0ANNA", 1, "model-1"),
        Correction(2, "category", "technical", "general", "U0JONAS", 2, "model-1"),
    )

    case = Case(Decision("automatic", "sure", facet_results), corrections)

    assert case.labels == {"category": "general", "urgency": "high", "tone": "negative"}


def test_a_message_nobody_decided_about_has_no_labels():
    assert Case().labels == {}
