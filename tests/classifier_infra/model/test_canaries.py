import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from classifier_infra.model.canaries import (
    TOLERANCE,
    Baseline,
    BaselineError,
    answers_of,
    baselines_json,
    expected_answers,
    find_moved,
    parse_baselines,
)
from classifier_infra.model.manifest import Canary, Facet, Label, Manifest
from classifier_infra.model.prediction import FacetPrediction, Prediction, Score

FACETS = (Facet("topic", (Label("a", "A"), Label("b", "B"))),)
ANSWERS = ({"topic": {"a": 0.9, "b": 0.1}}, {"topic": {"a": 0.2, "b": 0.8}})
MANIFEST = Manifest(
    "v1", "1", FACETS, "direct", 1.0, "0" * 64, 0, tuple(Canary("SECRET", answer) for answer in ANSWERS)
)


def accept(answers, version="v1", served_by="endpoint"):
    return Baseline(version, served_by, "ann", "2026-11-22T10:00:00Z", "a new container", answers)


def shift(distance):
    return ({"topic": {"a": 0.9 - distance, "b": 0.1 + distance}}, ANSWERS[1])


def test_answers_within_the_tolerance_have_not_moved():
    assert find_moved(ANSWERS, shift(TOLERANCE * 0.9)) == ()


def test_a_canary_that_moved_is_named_by_its_number_and_label_never_by_its_text():
    assert find_moved(ANSWERS, shift(0.25)) == ("canary 1, topic: a from 0.9000 to 0.6500",)


@given(st.floats(-0.1, 0.1))
def test_a_canary_has_moved_exactly_where_it_is_off_by_more_than_the_tolerance(distance):
    assume(abs(abs(distance) - TOLERANCE) > 1e-9)

    assert bool(find_moved(ANSWERS, shift(distance))) == (abs(distance) > TOLERANCE)


@pytest.mark.parametrize("seen", [{"topic": {"a": 1.0}}, {"topic": {"a": 0.9, "c": 0.1}}, {}])
def test_other_labels_than_expected_have_moved(seen):
    assert find_moved(ANSWERS, (seen, ANSWERS[1])) == ("canary 1, topic: other labels",)


def test_another_number_of_answers_than_canaries_is_reported():
    assert find_moved(ANSWERS, ANSWERS[:1]) == ("1 answers for 2 canaries",)


def test_a_manifests_own_answers_are_expected():
    assert expected_answers(MANIFEST, "endpoint", ()) == ANSWERS


def test_what_a_person_accepted_last_of_this_model_and_server_holds():
    baselines = [accept(shift(0.1)), accept(shift(0.2)), accept(shift(0.3), served_by="embedded")]

    assert expected_answers(MANIFEST, "endpoint", baselines) == shift(0.2)


@pytest.mark.parametrize("other", [accept(shift(0.1), version="v2"), accept(shift(0.1), served_by="embedded")])
def test_what_was_accepted_of_others_does_not_count(other):
    assert expected_answers(MANIFEST, "endpoint", [other]) == ANSWERS


def test_predictions_are_put_in_the_manifests_form():
    prediction = Prediction({"topic": FacetPrediction((Score("b", 0.75), Score("a", 0.25)))}, "v1", "endpoint")

    assert answers_of([prediction]) == ({"topic": {"b": 0.75, "a": 0.25}},)


def test_what_was_accepted_is_kept_with_who_when_and_why():
    baselines = (accept(ANSWERS), accept(shift(0.2), served_by="embedded"))

    assert parse_baselines(baselines_json(baselines)) == baselines


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        b'{"format": 2, "baselines": []}',
        b'{"format": 1, "baselines": [{}]}',
        b'{"format": 1, "baselines": 7}',
        json.dumps({"format": 1, "baselines": [{"version": "v1"}]}).encode(),
    ],
)
def test_a_damaged_file_is_refused(content):
    with pytest.raises(BaselineError):
        parse_baselines(content)
