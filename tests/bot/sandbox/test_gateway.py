"""The local API Gateway calls handlers as the real one does."""

import base64
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from bot.sandbox.gateway import Function, GatewayRoute, build_event, create_gateway, read_functions


@pytest.fixture
def site(tmp_path: Path) -> Path:
    (tmp_path / "index.html").write_text("<title>The page</title>")
    return tmp_path


def gateway_for(handler, site: Path) -> TestClient:
    routes = [GatewayRoute("PUT", "/blazingtext", "classify")]
    app = create_gateway(routes, {"classify": Function("classify", handler)}, site, extra=[])
    return TestClient(app, raise_server_exceptions=False)


def test_routes_are_those_of_serverless_yml(tmp_path):
    serverless = tmp_path / "serverless.yml"
    serverless.write_text(
        "functions:\n"
        "  front:\n"
        "    handler: bot.lambdas.front.handler\n"
        "    events:\n"
        "      - http: {method: post, path: slack/events}\n"
        "      - sqs: {arn: something}\n"
    )

    declared = read_functions(serverless)

    assert declared.routes == (GatewayRoute("POST", "/slack/events", "front"),)
    assert declared.handlers == {"front": "bot.lambdas.front.handler"}


def test_a_handler_receives_the_request_as_a_proxy_event(site):
    seen: list[dict[str, Any]] = []

    def handler(event, context):
        seen.append(event)
        return {"statusCode": 200, "body": "ok"}

    gateway_for(handler, site).put("/blazingtext?a=1&a=2", content=b"caf\xc3\xa9", headers={"X-One": "1"})

    event = seen[0]
    assert (event["httpMethod"], event["path"]) == ("PUT", "/blazingtext")
    assert (event["body"], event["isBase64Encoded"]) == ("café", False)
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"]}
    assert event["headers"]["x-one"] == "1"


def test_a_body_that_is_not_text_comes_base64_encoded():
    event = build_event("PUT", "/blazingtext", [], [], b"\xff\xfe")

    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == b"\xff\xfe"


def test_status_headers_and_binary_bodies_of_an_answer_are_passed_on(site):
    answer = {
        "statusCode": 418,
        "headers": {"Retry-After": "3"},
        "multiValueHeaders": {"X-Two": ["a", "b"]},
        "body": base64.b64encode(b"\x00\x01").decode(),
        "isBase64Encoded": True,
    }

    response = gateway_for(lambda event, context: answer, site).put("/blazingtext")

    assert response.status_code == 418
    assert response.headers["retry-after"] == "3"
    assert response.headers.get_list("x-two") == ["a", "b"]
    assert response.content == b"\x00\x01"


def test_a_handler_that_raises_is_answered_502_without_details(site):
    def handler(event, context):
        raise RuntimeError("secret detail")

    response = gateway_for(handler, site).put("/blazingtext")

    assert response.status_code == 502
    assert "secret" not in response.text


def test_another_method_on_a_known_path_is_refused_as_api_gateway_does(site):
    response = gateway_for(lambda event, context: {"statusCode": 200}, site).delete("/blazingtext")

    assert response.status_code == 403


def test_a_request_over_10_mb_never_reaches_the_handler(site):
    response = gateway_for(lambda event, context: {"statusCode": 200}, site).put(
        "/blazingtext", content=b"x" * (10 * 1024 * 1024 + 1)
    )

    assert response.status_code == 413


def test_every_other_path_is_the_static_site(site):
    response = gateway_for(lambda event, context: {"statusCode": 200}, site).get("/")

    assert "The page" in response.text
