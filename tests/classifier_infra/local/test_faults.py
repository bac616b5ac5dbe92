"""Faults: what boto3 raises for each over real HTTP, which invocations they apply to, and how they are set."""

import importlib.util
import json
import math
from contextlib import closing
from pathlib import Path

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ReadTimeoutError, ResponseStreamingError
from starlette.testclient import TestClient

from classifier_infra.local.app import create_app
from classifier_infra.local.endpoint import Endpoint, Variant
from classifier_infra.local.faults import KINDS, Fault, FaultError, parse_fault, parse_option
from classifier_infra.local.server import serving

ROOT = Path(__file__).parents[3]
SCORES = [(0.75, "__label__billing"), (0.25, "__label__general")]
KNOWN = {"support": ["current", "candidate"], "spam": ["AllTraffic"]}
LONG_SECONDS = 30.0


class Model:
    def scores(self, text, k):
        return SCORES[:k]


def build_app(*faults):
    return create_app(
        [Endpoint(name, [Variant(variant, Model()) for variant in KNOWN[name]]) for name in KNOWN], faults
    )


def connect(url, read_timeout=LONG_SECONDS):
    config = Config(read_timeout=read_timeout, retries={"total_max_attempts": 1})
    return closing(boto3.client("sagemaker-runtime", endpoint_url=url, config=config))


def invoke(runtime, texts=("a", "b"), k=2):
    body = json.dumps({"instances": texts, "configuration": {"k": k}})
    return runtime.invoke_endpoint(EndpointName="spam", ContentType="application/json", Body=body)["Body"].read()


def post(app, endpoint="support", content_type="application/json", body=b'{"instances": ["a"]}', variant=None):
    headers = {"Content-Type": content_type} | ({"X-Amzn-SageMaker-Target-Variant": variant} if variant else {})
    return TestClient(app).post(f"/endpoints/{endpoint}/invocations", content=body, headers=headers)


def call(app, method, path, body=b""):
    reply = TestClient(app).request(method, path, content=body)
    return reply.status_code, reply.json()


@pytest.fixture(autouse=True)
def _own_environment(reach):
    reach("http://127.0.0.1:1")  # every client here names the address of its own server


# --- What boto3 sees ------------------------------------------------------------------------------------------

# exception, code, HTTP status, status of the container
REFUSALS = {
    "timeout": ("ModelError", "ModelError", 424, 0),
    "model-400": ("ModelError", "ModelError", 424, 400),
    "model-415": ("ModelError", "ModelError", 424, 415),
    "model-500": ("ModelError", "ModelError", 424, 500),
    "not-ready": ("ModelNotReadyException", "ModelNotReadyException", 429, None),
    "throttled": ("ClientError", "ThrottlingException", 400, None),
    "unavailable": ("ServiceUnavailable", "ServiceUnavailable", 503, None),
    "internal": ("InternalFailure", "InternalFailure", 500, None),
    "dependency": ("InternalDependencyException", "InternalDependencyException", 530, None),
    "denied": ("ClientError", "AccessDeniedException", 403, None),
}
BROKEN = {
    "hang": (ReadTimeoutError, 0.1),
    "slow": (ReadTimeoutError, 0.1),
    "slow-body": (ReadTimeoutError, 0.5),
    "truncated": (ResponseStreamingError, LONG_SECONDS),
}
FALSE_ANSWERS = {
    "wrong-labels": [{"label": ["__label__wrong-1", "__label__wrong-2"], "prob": [0.75, 0.25]}] * 2,
    "too-many": [{"label": ["__label__billing", "__label__general"], "prob": [0.75, 0.25]}] * 3,
    "too-few": [{"label": ["__label__billing", "__label__general"], "prob": [0.75, 0.25]}],
}


@pytest.mark.parametrize("kind", REFUSALS)
def test_a_refusal_raises_the_exception_of_its_kind(kind):
    with serving(build_app(Fault(kind))) as url, connect(url) as runtime, pytest.raises(ClientError) as caught:
        invoke(runtime)

    response = caught.value.response
    inner = response.get("OriginalStatusCode")
    seen = (type(caught.value).__name__, response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"])
    assert (*seen, inner) == REFUSALS[kind]


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_answer_is_an_error_of_the_connection(kind):
    exception, read_timeout = BROKEN[kind]
    app = build_app(Fault(kind, seconds=LONG_SECONDS))

    with serving(app) as url, connect(url, read_timeout) as runtime, pytest.raises(exception):
        invoke(runtime)


@pytest.mark.parametrize("kind", FALSE_ANSWERS)
def test_a_wrong_answer_raises_nothing_in_boto3(kind):
    with serving(build_app(Fault(kind))) as url, connect(url) as runtime:
        answer = invoke(runtime)

    assert json.loads(answer) == FALSE_ANSWERS[kind]


def test_nan_raises_nothing_in_boto3_either():
    with serving(build_app(Fault("nan"))) as url, connect(url) as runtime:
        answer = json.loads(invoke(runtime))

    assert [math.isnan(prob) for prediction in answer for prob in prediction["prob"]] == [True] * 4


def test_every_kind_of_fault_is_tested():
    assert {*REFUSALS, *BROKEN, *FALSE_ANSWERS, "nan"} == set(KINDS)


@pytest.mark.parametrize("kind", ["slow", "slow-body"])
def test_a_slow_answer_is_complete_in_the_end(kind):
    with serving(build_app(Fault(kind, seconds=0.01))) as url, connect(url) as runtime:
        answer = invoke(runtime, ["a"], k=1)

    assert answer == b'[{"label": ["__label__billing"], "prob": [0.75]}]'


def test_the_message_of_throttling_is_null():
    reply = post(build_app(Fault("throttled")))

    assert reply.content == b'{"message":null}'
    assert reply.headers["x-amzn-ErrorType"] == "ThrottlingException"


@pytest.mark.parametrize("fault", [Fault("hang"), Fault("slow", seconds=61.0)])
def test_sagemaker_times_out_after_sixty_seconds(fault, delays):
    reply = post(build_app(fault))

    assert (reply.status_code, delays) == (424, [60.0])
    assert json.loads(reply.content)["OriginalStatusCode"] == 0
    assert b"Your invocation timed out while waiting for a response" in reply.content


def test_wrong_answers_have_the_form_of_json_lines_too():
    reply = post(build_app(Fault("too-many")), "support", "application/jsonlines", b'{"source": "a"}\n{"source": "b"}')

    assert reply.content == b'{"prob": [0.75], "label": ["__label__billing"]}\n' * 3


def test_an_empty_batch_can_be_answered_with_too_many():
    reply = post(build_app(Fault("too-many")), body=b'{"instances": []}')

    assert json.loads(reply.content) == [{"label": [], "prob": []}]


def test_an_answer_that_refuses_a_payload_is_not_changed():
    reply = post(build_app(Fault("nan")), body=b"{")

    assert json.loads(reply.content)["OriginalStatusCode"] == 400


def test_the_table_in_the_documentation_is_what_boto3_does():
    spec = importlib.util.spec_from_file_location("fault_table", ROOT / "docs" / "fault_table.py")
    fault_table = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fault_table)

    assert fault_table.build_table() in fault_table.PAGE.read_text(), "run: .venv/bin/python -m docs.fault_table"


# --- Which invocations they strike ----------------------------------------------------------------------------


def statuses(app, count, **place):
    return [post(app, **place).status_code for _ in range(count)]


def test_a_share_is_spread_evenly():
    assert statuses(build_app(Fault("internal", share=0.25)), 8) == [200, 500, 200, 200, 200, 500, 200, 200]


def test_a_fault_ends_after_its_times():
    assert statuses(build_app(Fault("internal", times=2)), 4) == [500, 500, 200, 200]


def test_share_and_times_can_be_combined():
    assert statuses(build_app(Fault("internal", share=0.5, times=2)), 6) == [500, 200, 500, 200, 200, 200]


def test_a_fault_applies_to_its_endpoint_only():
    app = build_app(Fault("internal", endpoint="spam"))

    assert (post(app, "support").status_code, post(app, "spam").status_code) == (200, 500)


def test_a_fault_applies_to_its_variant_only():
    app = build_app(Fault("internal", variant="candidate"))

    assert [post(app, variant=name).status_code for name in ("current", "candidate")] == [200, 500]


def test_of_several_faults_only_the_first_that_applies_takes_effect():
    app = build_app(Fault("unavailable", times=1), Fault("internal", times=1))

    assert statuses(app, 3) == [503, 500, 200]


def test_the_containers_own_path_has_no_faults():
    reply = TestClient(build_app(Fault("internal"))).post("/invocations", json={"instances": ["a"]})

    assert reply.status_code == 200


# --- Setting them ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("delays")
def test_faults_are_set_shown_and_cleared_at_run_time():
    app = build_app()

    status, shown = call(app, "PUT", "/faults", b'{"fault": "slow", "seconds": 2, "share": 0.5, "endpoint": "spam"}')
    post(app, "spam")

    fault = {"fault": "slow", "endpoint": "spam", "variant": None, "seconds": 2, "share": 0.5, "times": None}
    assert (status, shown) == (200, {"faults": [fault | {"struck": 0}]})
    assert call(app, "GET", "/faults") == (200, {"faults": [fault | {"struck": 1}]})
    assert call(app, "DELETE", "/faults") == (200, {"faults": []})
    assert statuses(app, 2, endpoint="spam") == [200, 200]


def test_new_faults_replace_the_old():
    app = build_app(Fault("internal"))

    call(app, "PUT", "/faults", b'[{"fault": "unavailable", "times": 1}, {"fault": "denied", "times": 1}]')

    assert statuses(app, 3) == [503, 403, 200]


WRONG = {
    b"{": "The body is not JSON.",
    b'"slow"': 'a fault is an object such as {"fault": "slow", "seconds": 2}',
    b"{}": "None is not a fault; the faults are hang, slow, ",
    b'{"fault": ["slow"]}': "['slow'] is not a fault; the faults are hang, slow, ",
    b'{"fault": "hang", "second": 1}': "'second' is not a field of a fault; the fields are fault, endpoint, variant, ",
    b'{"fault": "hang", "endpoint": "x"}': "there is no endpoint 'x'; there are spam, support",
    b'{"fault": "hang", "endpoint": "spam", "variant": "current"}': "there is no variant 'current'; there are All",
    b'{"fault": "hang", "seconds": 1}': "'hang' takes no seconds",
    b'{"fault": "slow", "seconds": "1"}': "seconds is '1'; it must be over 0 and at most 3600",
    b'{"fault": "slow", "seconds": NaN}': "seconds is nan; it must be over 0 and at most 3600",
    b'{"fault": "slow", "share": 0}': "share is 0; it must be over 0 and at most 1",
    b'{"fault": "slow", "share": true}': "share is True; it must be over 0 and at most 1",
    b'{"fault": "slow", "times": 0}': "times is 0; it must be a whole number over 0",
    b'{"fault": "slow", "times": 1.5}': "times is 1.5; it must be a whole number over 0",
}


@pytest.mark.parametrize("body", WRONG)
def test_an_invalid_fault_is_refused_with_the_reason_and_changes_nothing(body):
    app = build_app(Fault("internal"))

    status, answer = call(app, "PUT", "/faults", body)

    assert status == 400
    assert answer["error"]["message"].startswith(WRONG[body])
    assert statuses(app, 1) == [500]


def test_a_list_with_an_invalid_fault_changes_nothing():
    app = build_app()

    status, _ = call(app, "PUT", "/faults", b'[{"fault": "internal"}, {"fault": "nothing"}]')

    assert (status, statuses(app, 1)) == (400, [200])


def test_an_option_is_equivalent_to_its_json():
    data = {"fault": "slow", "endpoint": "support", "variant": "current", "seconds": 2, "share": 0.5, "times": 3}

    option = parse_option("slow,endpoint=support,variant=current,seconds=2,share=0.5,times=3", KNOWN)

    assert option == parse_fault(data, KNOWN) == Fault("slow", "support", "current", 2, 0.5, 3)


@pytest.mark.parametrize("option", ["", "slow,seconds", "slow,seconds=x", "slow,times=1.0", "hang,where=spam"])
def test_an_invalid_option_is_refused(option):
    with pytest.raises(FaultError):
        parse_option(option, KNOWN)
