"""The local endpoint over real HTTP, by unpatched boto3 and by its bytes."""

import json

import boto3
import httpx2
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

JSON = "application/json"
LINES = "application/jsonlines"


@pytest.fixture
def runtime(reach, endpoint_url):
    reach(endpoint_url)
    client = boto3.client("sagemaker-runtime", config=Config(retries={"total_max_attempts": 1}))
    yield client
    client.close()


@pytest.fixture
def http(endpoint_url):
    with httpx2.Client(base_url=endpoint_url) as client:
        yield client


def invoke(http, body, content_type=JSON, path="/endpoints/small/invocations"):
    return http.post(path, content=body, headers={"content-type": content_type} if content_type else {})


# --- through boto3 --------------------------------------------------------------------------------------------


def test_boto3_needs_only_the_environment_to_get_predictions(runtime):
    body = json.dumps({"instances": ["invoice", "crash urgent"], "configuration": {"k": 2}})

    response = runtime.invoke_endpoint(EndpointName="small", ContentType=JSON, Accept=JSON, Body=body)

    first, second = json.loads(response["Body"].read())
    assert first["label"][0] == "__label__billing"
    assert second["label"] == ["__label__urgency=high", "__label__technical"]
    assert second["prob"] == sorted(second["prob"], reverse=True)
    assert response["ContentType"] == JSON
    assert response["InvokedProductionVariant"] == "AllTraffic"


def test_an_unknown_endpoint_is_a_validation_error(runtime):
    with pytest.raises(ClientError) as caught:
        runtime.invoke_endpoint(EndpointName="other", ContentType=JSON, Body=b"{}")

    assert caught.value.response["Error"] == {
        "Code": "ValidationError",
        "Message": "Endpoint other of account 123456789012 not found.",
    }


@pytest.mark.parametrize(
    ("content_type", "body", "status", "message"),
    [
        ("application/octet-stream", b"x", 415, "content-type application/octet-stream not supported"),
        (JSON, b"{", 400, "unable to evaluate payload provided"),
    ],
)
def test_what_the_container_refuses_is_a_model_error(runtime, content_type, body, status, message):
    with pytest.raises(runtime.exceptions.ModelError) as caught:
        runtime.invoke_endpoint(EndpointName="small", ContentType=content_type, Body=body)

    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert caught.value.response["OriginalStatusCode"] == status
    assert caught.value.response["OriginalMessage"] == message
    assert caught.value.response["LogStreamArn"].endswith("/aws/sagemaker/Endpoints/small")


def test_over_six_megabytes_are_refused(runtime):
    with pytest.raises(ClientError) as caught:
        runtime.invoke_endpoint(EndpointName="small", ContentType=JSON, Body=b" " * 6_291_457)

    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 413


def test_six_megabytes_are_accepted(runtime):
    body = b'{"instances": ["invoice"]}'.ljust(6_291_456)

    response = runtime.invoke_endpoint(EndpointName="small", ContentType=JSON, Body=body)

    assert b"__label__billing" in response["Body"].read()


# --- bytes ----------------------------------------------------------------------------------------------------


def test_a_json_answer_has_the_bytes_of_the_container(http):
    response = invoke(http, b'{"instances": ["invoice", "thanks"]}')

    assert response.headers["content-type"] == JSON
    # float32 widened to double, printed in full; no line end.
    assert response.content == (
        b'[{"label": ["__label__billing"], "prob": [0.27371737360954285]}, '
        b'{"label": ["__label__tone=positive"], "prob": [0.1956670880317688]}]'
    )


def test_json_lines_answer_line_by_line_with_a_k_each(http):
    response = invoke(http, b'{"source": "invoice", "id": 1}\n{"source": "thanks", "k": 2}', f"{LINES};data=text")

    assert response.headers["content-type"] == LINES
    assert response.content == (
        b'{"prob": [0.27371737360954285], "label": ["__label__billing"]}\n'
        b'{"prob": [0.1956670880317688, 0.15238788723945618], '
        b'"label": ["__label__tone=positive", "__label__urgency=low"]}\n'
    )


def test_the_accept_header_is_ignored(http):
    response = http.post("/invocations", content=b'{"instances": []}', headers={"content-type": JSON, "accept": LINES})

    assert (response.content, response.headers["content-type"]) == (b"[]", JSON)


def test_a_k_over_the_number_of_labels_returns_all(http):
    [prediction] = invoke(http, b'{"instances": ["invoice"], "configuration": {"k": 1000000000000}}').json()

    assert len(prediction["label"]) == len(set(prediction["label"])) == 9


def test_only_the_first_line_of_a_text_is_read(http):
    first, second = invoke(http, json.dumps({"instances": ["invoice\ncrash", "invoice"]})).json()

    assert first == second


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff",
        b"[]",
        b"{}",
        b'{"instances": "invoice"}',
        b'{"instances": [1]}',
        b'{"instances": [null]}',
        b'{"instances": ["\\ud800"]}',
        b'{"instances": ["invoice"], "configuration": {"k": 0}}',
        b'{"instances": ["invoice"], "configuration": {"k": -1}}',
        b'{"instances": ["invoice"], "configuration": {"k": "2"}}',
        b'{"instances": ["invoice"], "configuration": {"k": true}}',
        b'{"instances": ["invoice"], "configuration": 2}',
        b"[" * 100_000,
    ],
)
def test_a_payload_the_container_cannot_read_is_a_bad_request(http, body):
    response = invoke(http, body, path="/invocations")

    assert (response.status_code, response.text) == (400, "unable to evaluate payload provided")


@pytest.mark.parametrize("body", [b"{", b'{"text": "invoice"}', b'{"source": "invoice", "k": 0}', b"[1]"])
def test_one_invalid_line_makes_its_request_invalid(http, body):
    response = invoke(http, b'{"source": "invoice"}\n' + body, LINES, path="/invocations")

    assert (response.status_code, response.text) == (400, "unable to evaluate payload provided")


def test_a_payload_without_a_content_type_is_not_supported(http):
    assert invoke(http, b"{}", content_type=None, path="/invocations").status_code == 415


def test_the_container_answers_health_checks(http):
    response = http.get("/ping")

    assert (response.status_code, response.content) == (200, b"")
