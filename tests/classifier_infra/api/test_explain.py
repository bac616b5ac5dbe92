"""`POST /explain`: the contribution of each word to a label."""

import json
from dataclasses import replace

import pytest

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def explain(call):
    return lambda body, headers=JSON: call("POST", "/explain", json.dumps(body), headers)


def test_each_facets_best_label_is_explained(explain):
    status, body, _ = explain({"text": "invoice crash crash"})

    assert status == 200
    assert [each["facet"] for each in body["explanations"]] == ["category", "urgency", "tone"]
    assert body["explanations"][0]["label"] == "__label__technical"
    assert body["model"] == {"version": "test-1", "served_by": "embedded"}


def test_any_label_can_be_explained_by_its_name_in_the_model(explain):
    _, body, _ = explain({"body": "Invoice crash crash", "label": "__label__billing"})

    [explained] = body["explanations"]
    assert {name: explained[name] for name in ("facet", "label", "name")} == {
        "facet": "category",
        "label": "__label__billing",
        "name": "Billing",
    }
    assert explained["confidence"] < 0.5
    assert explained["words"][0]["contribution"] > 0 > explained["words"][1]["contribution"]
    assert [word["word"] for word in explained["words"]] == ["invoice", "crash", "crash"]


@pytest.mark.parametrize("label", ["__label__spam", "billing", ""])
def test_a_label_that_the_model_does_not_have_is_not_processable(explain, label):
    status, body, _ = explain({"text": "invoice", "label": label})

    assert (status, body["error"]["code"]) == (422, "unknown_label")


@pytest.mark.parametrize("body", [{}, {"texts": ["invoice"]}, {"text": "a", "body": "b"}, {"text": "a", "label": 7}])
def test_what_is_not_one_text_cannot_be_explained(explain, body):
    status, answer, _ = explain(body)

    assert (status, answer["error"]["code"]) == (400, "malformed_request")


def test_a_model_that_is_too_large_to_be_at_hand_is_not_explained(explain, model, classifier):
    classifier._model = replace(model, explainer=None)

    status, body, _ = explain({"text": "invoice"})

    assert (status, body["error"]["code"]) == (501, "not_explainable")
