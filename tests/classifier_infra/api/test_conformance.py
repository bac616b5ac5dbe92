"""Requests generated from the OpenAPI document, sent over HTTP to the real handler behind the local gateway."""

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from bot.sandbox.gateway import Function, GatewayRoute, create_gateway
from classifier_infra.lambdas import classify

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ROUTES = ["PUT /blazingtext", "POST /explain", "GET /labels", "GET /health", "GET /openapi.json"]
# Few examples, always the same, because this runs with every change.
BOUNDED = settings(
    max_examples=40,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def gateway(model_folder, tmp_path_factory):
    """The API as a browser reaches it, answered by the model in this process."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CLASSIFIER", "embedded")
        environment.setenv("MODEL_MANIFEST", str(model_folder / "manifest.json"))
        environment.setenv("SITE_ORIGIN", "https://triage.example")
        classify._api.cache_clear()
        routes = [GatewayRoute(*route.split(), "classify") for route in ROUTES]
        functions = {"classify": Function("classify", classify.handler)}
        app = create_gateway(routes, functions, tmp_path_factory.mktemp("site"), extra=[])
        with TestClient(app, raise_server_exceptions=False) as client:
            yield client
        classify._api.cache_clear()


@pytest.fixture(scope="module")
def document(gateway):
    return schemathesis.openapi.from_asgi("/openapi.json", gateway.app)


POSITIVE, NEGATIVE = schemathesis.GenerationMode


@pytest.mark.parametrize(
    ("route", "mode"),
    [*((route, POSITIVE) for route in ROUTES[:-1]), ("PUT /blazingtext", NEGATIVE), ("POST /explain", NEGATIVE)],
    ids=str,
)
def test_whatever_is_sent_the_answer_is_one_that_the_document_describes(document, route, mode):
    method, path = route.split()
    operation = document[path][method]

    @BOUNDED
    @given(case=operation.as_strategy(generation_mode=mode))
    def send(case):
        case.call_and_validate(checks=CHECKS)

    send()


@BOUNDED
@given(
    body=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)),
    kind=st.sampled_from(
        ["application/json", "text/plain", "text/plain; charset=latin-1", "application/octet-stream", ""]
    ),
    path=st.sampled_from(["/blazingtext", "/explain"]),
)
def test_any_bytes_of_any_type_get_an_answer_that_is_no_server_error(gateway, body, kind, path):
    answer = gateway.request(
        "PUT" if path == "/blazingtext" else "POST", path, content=body, headers={"Content-Type": kind}
    )

    assert answer.status_code < 500
    assert answer.status_code == 200 or set(answer.json()["error"]) == {"code", "message"}
