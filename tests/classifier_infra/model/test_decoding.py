import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier_infra.model.decoding import Decoder, UnexpectedScores, count_tokens
from classifier_infra.model.manifest import Facet, Label, Manifest

ONE = (Facet("topic", (Label("a", "A"), Label("b", "B"), Label("c", "C"))),)
TWO = (*ONE, Facet("urgency", (Label("low", "Low"), Label("high", "High"))))

LOGITS = st.lists(st.floats(-8, 8), min_size=5, max_size=5)
FLOORS = st.sampled_from([1e-5, 0.0])


def make_manifest(facets, method, tau=1.0):
    return Manifest("1", "1", facets, method, tau, "0" * 64, 0)


def softmax(values):
    exponentials = [math.exp(value) for value in values]
    return [exponential / sum(exponentials) for exponential in exponentials]


def score(manifest, probabilities, floor=1e-5):
    """Return fastText's scores: the probability of each label plus the floor."""
    return {label: probability + floor for label, probability in zip(manifest.raw_labels(), probabilities, strict=True)}


def confidences(prediction):
    return {score.name: score.confidence for score in prediction.scores}


def test_a_model_of_one_facet_answers_with_its_probabilities():
    manifest = make_manifest(ONE, "direct")

    decoded = Decoder(manifest).decode(score(manifest, [0.2, 0.7, 0.1]), 5)

    assert confidences(decoded["topic"]) == pytest.approx({"b": 0.7, "a": 0.2, "c": 0.1})


def test_labels_come_most_likely_first():
    manifest = make_manifest(ONE, "direct")

    decoded = Decoder(manifest).decode(score(manifest, [0.2, 0.7, 0.1]), 5)

    assert [score.name for score in decoded["topic"].scores] == ["b", "a", "c"]
    assert decoded["topic"].name == "b"
    assert decoded["topic"].margin == pytest.approx(0.5)


@given(LOGITS, FLOORS, st.floats(0.5, 2))
def test_each_head_gets_its_own_probabilities_back_from_the_joint_scores(logits, floor, calibration):
    # As the exporter: centre each head, and divide all by half the largest weight.
    heads = [[value - sum(head) / len(head) for value in head] for head in (logits[:3], logits[3:])]
    tau = max(abs(value) for value in [*heads[0], *heads[1], 1.0]) / 2
    facets = tuple(replace(facet, calibration=calibration) for facet in TWO)
    manifest = make_manifest(facets, "heads", tau)
    joint = softmax([value / tau for head in heads for value in head])

    decoded = Decoder(manifest).decode(score(manifest, joint, floor), 5)

    for facet, head in zip(facets, heads, strict=True):
        expected = softmax([calibration * value for value in head])
        found = confidences(decoded[facet.name])
        assert [found[label.name] for label in facet.labels] == pytest.approx(expected, abs=1e-6)


def test_a_joint_softmax_is_renormalised_within_each_facet():
    manifest = make_manifest(TWO, "joint")

    decoded = Decoder(manifest).decode(score(manifest, [0.3, 0.1, 0.1, 0.1, 0.4]), 5)

    assert confidences(decoded["topic"]) == pytest.approx({"a": 0.6, "b": 0.2, "c": 0.2})
    assert confidences(decoded["urgency"]) == pytest.approx({"high": 0.8, "low": 0.2})


@given(LOGITS, FLOORS, st.sampled_from(["heads", "joint"]))
def test_confidences_of_a_facet_sum_to_one_and_are_probabilities(logits, floor, method):
    manifest = make_manifest(TWO, method, tau=3.0)

    decoded = Decoder(manifest).decode(score(manifest, softmax(logits), floor), 5)

    for prediction in decoded.values():
        values = [score.confidence for score in prediction.scores]
        assert sum(values) == pytest.approx(1)
        assert all(0 <= value <= 1 for value in values)


def test_a_label_of_which_only_the_floor_is_left_is_all_but_impossible():
    manifest = make_manifest(ONE, "direct")

    decoded = Decoder(manifest).decode(score(manifest, [1.0, 0.0, 0.0]), 5)

    assert decoded["topic"].confidence == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize(
    "scores",
    [
        {"__label__a": 0.5, "__label__b": 0.5},
        {"__label__a": 0.5, "__label__b": 0.3, "__label__x": 0.2},
        {"__label__a": 0.5, "__label__b": 0.3, "__label__c": 0.2, "__label__x": 0.0},
        {"__label__a": math.nan, "__label__b": 0.5, "__label__c": 0.5},
        {"__label__a": math.inf, "__label__b": 0.5, "__label__c": 0.5},
        {"__label__a": -0.5, "__label__b": 1.0, "__label__c": 0.5},
        {"__label__a": 0.9, "__label__b": 0.8, "__label__c": 0.7},
        {"__label__a": 0.0, "__label__b": 0.0, "__label__c": 0.0},
        {},
    ],
    ids=["missing", "unknown", "surplus", "NaN", "infinite", "negative", "independent", "zero", "empty"],
)
def test_scores_that_are_no_distribution_over_the_labels_are_refused(scores):
    with pytest.raises(UnexpectedScores):
        Decoder(make_manifest(ONE, "direct")).decode(scores, 5)


@pytest.mark.parametrize(("tokens", "expected"), [(1, 0.8), (4, 16 / 17), (9, 64 / 65)])
def test_the_longer_a_text_the_more_its_log_odds_weigh(tokens, expected):
    facet = Facet("spam", (Label("yes", "Yes"), Label("no", "No")), length_exponent=0.5)
    manifest = make_manifest((facet,), "direct")

    decoded = Decoder(manifest).decode(score(manifest, [0.8, 0.2]), tokens)

    assert decoded["spam"].confidence == pytest.approx(expected)  # odds of 4 to the power of the root of the length


def test_the_end_of_the_line_is_a_token():
    assert count_tokens("where is my refund") == 5
