"""The other routes, and the web pages that may call the API."""

import pytest
from openapi_spec_validator import validate

from classifier_infra.inference.classifier import ClassifierUnavailable

JSON = {"Content-Type": "application/json"}
ORIGINAL = '{"body": "Michael Jackson was the greatest singer and dancer in the world"}'
SITE = "https://triage.example"


# --- other routes ---------------------------------------------------------------------------------------------


def test_the_labels_are_listed_with_thresholds_and_the_models_version(call):
    status, body, _ = call("GET", "/labels")

    assert status == 200
    assert body["model"] == {"version": "test-1"}
    assert [facet["name"] for facet in body["facets"]] == ["category", "urgency", "tone"]
    assert body["facets"][0] == {
        "name": "category",
        "threshold": 0.8,
        "labels": [
            {"label": "__label__billing", "name": "Billing"},
            {"label": "__label__technical", "name": "Technical"},
            {"label": "__label__general", "name": "General"},
        ],
    }


def test_health_does_not_ask_the_classifier(call, classifier):
    classifier.failure = ClassifierUnavailable("…")

    status, body, _ = call("GET", "/health")

    assert (status, body) == (200, {"status": "ok", "model": {"version": "test-1"}})


def test_the_openapi_document_is_valid_and_lists_every_route(call):
    status, body, _ = call("GET", "/openapi.json")

    validate(body)
    routes = {f"{method.upper()} {path}" for path, item in body["paths"].items() for method in item}
    assert status == 200
    assert routes == {"PUT /blazingtext", "POST /explain", "GET /labels", "GET /health", "GET /openapi.json"}


@pytest.mark.parametrize("path", ["/", "/nowhere", "/labels/x"])
def test_an_unknown_path_is_not_found(call, path):
    status, body, _ = call("GET", path)

    assert (status, body["error"]["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("method", "path", "allowed"), [("POST", "/blazingtext", "PUT"), ("DELETE", "/labels/", "GET")]
)
def test_another_method_is_not_allowed(call, method, path, allowed):
    status, body, headers = call(method, path)

    assert (status, body["error"]["code"], headers["Allow"]) == (405, "method_not_allowed", allowed)


# --- who may call it from a browser ---------------------------------------------------------------------------


def test_the_site_may_call_it_from_a_browser(call, put):
    _, _, preflight = call("OPTIONS", "/blazingtext", None, {"Origin": SITE})
    _, _, answer = put(ORIGINAL, {**JSON, "Origin": SITE})

    assert preflight["Access-Control-Allow-Origin"] == SITE
    assert "PUT" in preflight["Access-Control-Allow-Methods"]
    assert "Content-Type" in preflight["Access-Control-Allow-Headers"]
    assert answer["Access-Control-Allow-Origin"] == SITE


def test_the_site_can_read_failures_and_when_to_come_back(put, classifier):
    classifier.failure = ClassifierUnavailable("…")

    _, _, headers = put(ORIGINAL, {**JSON, "Origin": SITE})

    assert headers["Access-Control-Allow-Origin"] == SITE
    assert headers["Access-Control-Expose-Headers"] == "Retry-After,X-Request-Id"


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://elsewhere.example"}, {"Origin": "null"}])
def test_no_other_site_may(call, put, headers):
    for _, _, answered in (call("OPTIONS", "/blazingtext", None, headers), put(ORIGINAL, {**JSON, **headers})):
        assert "Access-Control-Allow-Origin" not in answered
