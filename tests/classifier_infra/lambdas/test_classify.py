"""The Lambda function as API Gateway calls it, with a real endpoint behind it."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from classifier_infra.inference.settings import SettingError
from classifier_infra.lambdas import classify

ROOT = Path(__file__).parents[3]
JSON = {"Content-Type": "application/json", "Origin": "https://triage.example"}
CONTEXT = SimpleNamespace(
    function_name="classify",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:…",
    aws_request_id="1",
    get_remaining_time_in_millis=lambda: 29_000,
)


@pytest.fixture
def environment(monkeypatch, reach, endpoint_url, model_folder):
    """The environment of a function that starts without the state of an earlier one."""
    reach(endpoint_url)
    monkeypatch.setenv("ENDPOINT_NAME", "small")
    monkeypatch.setenv("MODEL_MANIFEST", str(model_folder / "manifest.json"))
    monkeypatch.setenv("SITE_ORIGIN", "https://triage.example")
    classify._api.cache_clear()
    yield monkeypatch
    classify._api.cache_clear()


@pytest.fixture
def put(environment, make_event):
    def put(body):
        response = classify.handler(make_event("PUT", "/blazingtext", json.dumps(body), JSON), CONTEXT)
        return response, json.loads(response["body"])

    return put


def test_a_text_is_classified_by_the_endpoint(put):
    response, body = put({"body": "My INVOICE is wrong!"})

    assert response["statusCode"] == 200
    assert body["category"]["label"] == "__label__billing"
    assert body["model"] == {"version": "test-1", "served_by": "endpoint"}


def test_the_response_is_what_api_gateway_takes(put):
    response, _ = put({"texts": ["invoice", "crash"]})

    encoded = json.loads(json.dumps(response))
    assert encoded["statusCode"] == 200
    assert encoded["isBase64Encoded"] is False
    assert encoded["multiValueHeaders"]["Access-Control-Allow-Origin"] == ["https://triage.example"]


def test_a_hundred_of_the_longest_texts_are_classified(put):
    _, body = put({"texts": ["страница " * 2222] * 100})

    assert len(body["results"]) == 100


def test_without_its_endpoint_it_asks_to_come_back(put, reach):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reach(f"http://127.0.0.1:{listener.getsockname()[1]}")

    response, body = put({"body": "invoice"})

    assert (response["statusCode"], body["error"]["code"]) == (503, "classifier_unavailable")


@pytest.mark.parametrize("name", ["ENDPOINT_NAME", "MODEL_MANIFEST", "SITE_ORIGIN"])
def test_a_missing_setting_is_named_at_the_first_call(put, environment, name):
    environment.delenv(name)

    with pytest.raises(SettingError, match=f"The environment variable {name} is not set"):
        put({"body": "invoice"})


@pytest.fixture
def run(environment, make_event):
    """`run()` answers one request in a new process and returns its log lines, its response and the process."""
    environment.setenv("POWERTOOLS_LOGGER_LOG_EVENT", "true")  # which is read when the function is loaded
    program = (
        "import json, sys; from types import SimpleNamespace; sys.modules['pydantic'] = None; "  # as in the archive
        "from classifier_infra.lambdas.classify import handler; "
        "names = ('function_name', 'memory_limit_in_mb', 'invoked_function_arn', 'aws_request_id'); "
        "context = SimpleNamespace(**dict.fromkeys(names, '1'), get_remaining_time_in_millis=lambda: 29_000); "
        "print(json.dumps(handler(json.load(sys.stdin), context)))"
    )

    def run(method="PUT", path="/blazingtext", body='{"body": "Michael Jackson"}'):
        process = subprocess.run(
            [sys.executable, "-c", program],
            input=json.dumps(make_event(method, path, body, JSON)),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        *logged, answer = process.stdout.splitlines()
        return [json.loads(line) for line in logged], json.loads(answer), process

    return run


def test_the_event_is_not_logged_even_where_the_environment_asks_for_it(run):
    logged, _, process = run()

    assert [line["message"] for line in logged] == ["classified"]
    assert "Michael" not in process.stdout + process.stderr


def test_the_openapi_document_is_served_without_a_library_that_the_archive_lacks(run):
    _, answer, _ = run("GET", "/openapi.json", None)

    assert (answer["statusCode"], json.loads(answer["body"])["openapi"]) == (200, "3.1.0")


def test_log_lines_have_the_id_that_the_answer_has(run):
    [line], answer, _ = run()

    assert [line["correlation_id"]] == answer["multiValueHeaders"]["X-Request-Id"] == ["1"]


def test_what_happens_to_the_classifier_is_logged_as_json_with_the_requests_id_and_counted(run, environment, reach):
    environment.setenv("CLASSIFIER", "endpoint-with-fallback")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reach(f"http://127.0.0.1:{listener.getsockname()[1]}")

    logged, answer, _ = run()

    messages = {line["message"]: line for line in logged if "message" in line}
    metrics = {metric: value for line in logged if "_aws" in line for metric, value in line.items()}
    assert messages["the classifier switched over"]["served_by"] == "embedded"
    assert messages["the classifier switched over"]["correlation_id"] == "1"
    assert (metrics["FallbackServed"], metrics["service"]) == ([1.0], "classify")
    assert json.loads(answer["body"])["model"]["served_by"] == "embedded"
