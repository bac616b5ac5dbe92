"""Several endpoints and variants in one server: which variant answers, and what is counted."""

import pytest
from starlette.testclient import TestClient

from classifier_infra.local.app import create_app
from classifier_infra.local.endpoint import Endpoint, Rotation, Variant
from classifier_infra.local.faults import Fault

TYPE = {"Content-Type": "application/json"}
TARGET = "X-Amzn-SageMaker-Target-Variant"


class Model:
    def __init__(self, label):
        self.label = label

    def scores(self, text, k):
        return [(1.0, self.label)]


def build_app(*faults):
    support = Endpoint("support", [Variant("current", Model("a"), 3), Variant("candidate", Model("b"), 1)])
    spam = Endpoint("spam", [Variant("AllTraffic", Model("c")), Variant("dark", Model("d"), 0)])
    return TestClient(create_app([support, spam], faults))


def invoke(app, endpoint="support", target=None):
    headers = TYPE | ({TARGET: target} if target else {})
    return app.post(f"/endpoints/{endpoint}/invocations", content=b'{"instances": [""]}', headers=headers)


def label(response):
    return response.json()[0]["label"][0]


def counters(app):
    return {(each["EndpointName"], each["VariantName"]): each for each in app.get("/counters").json()["Metrics"]}


# --- Who answers ----------------------------------------------------------------------------------------------


def test_invocations_are_distributed_by_weight():
    app = build_app()

    assert [label(invoke(app)) for _ in range(8)] == ["a", "a", "b", "a", "a", "a", "b", "a"]


def test_the_variant_that_answered_is_named():
    app = build_app()

    assert [invoke(app).headers["x-Amzn-Invoked-Production-Variant"] for _ in range(4)] == [
        "current",
        "current",
        "candidate",
        "current",
    ]


def test_a_target_variant_answers_whatever_its_weight():
    app = build_app()

    reply = invoke(app, "spam", target="dark")

    assert label(reply) == "d"
    assert reply.headers["x-Amzn-Invoked-Production-Variant"] == "dark"


def test_a_variant_with_weight_0_answers_only_as_a_target():
    app = build_app()

    assert {label(invoke(app, "spam")) for _ in range(10)} == {"c"}


def test_a_target_variant_does_not_advance_the_rotation():
    app = build_app()

    for _ in range(3):
        invoke(app, target="current")

    assert [label(invoke(app)) for _ in range(3)] == ["a", "a", "b"]


def test_an_unknown_target_variant_is_a_validation_error():
    reply = invoke(build_app(), target="none")

    assert (reply.status_code, reply.json()) == (400, {"Message": "Variant none of endpoint support not found."})
    assert reply.headers["x-amzn-ErrorType"] == "ValidationError"


def test_the_containers_path_leads_to_the_first_variant():
    reply = build_app().post("/invocations", content=b'{"instances": [""]}', headers=TYPE)

    assert label(reply) == "a"


def test_every_answer_has_a_unique_request_id():
    app = build_app()

    ids = {invoke(app, endpoint).headers["x-amzn-RequestId"] for endpoint in ("support", "spam", "none")}

    assert [len(request_id) for request_id in ids] == [36] * 3


@pytest.mark.parametrize(
    ("weights", "turns"),
    [
        ((1,), [0, 0, 0]),
        ((1, 1), [0, 1, 0, 1]),
        ((3, 1), [0, 0, 1, 0]),
        ((0, 1), [1, 1]),
        ((0.5, 0.25, 0.25), [0, 1, 2, 0]),
    ],
)
def test_the_rotation_follows_the_weights(weights, turns):
    rotation = Rotation(weights)

    assert [rotation.next() for _ in turns] == turns


# --- Paths ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/endpoints/support/invocations", 405),
        ("POST", "/ping", 405),
        ("POST", "/faults", 405),
        ("POST", "/endpoints/none/invocations", 400),
        ("GET", "/endpoints/none/invocations", 404),
        ("POST", "/endpoints/support/invocations/", 404),
        ("GET", "/", 404),
    ],
)
def test_unknown_paths_and_methods_have_their_status(method, path, status):
    assert build_app().request(method, path).status_code == status


def test_a_wrong_method_is_answered_with_the_allowed_ones():
    reply = build_app().patch("/faults")

    assert set(reply.headers["Allow"].split(", ")) == {"GET", "HEAD", "PUT", "DELETE"}


# --- Counters -------------------------------------------------------------------------------------------------


def test_invocations_are_counted_by_variant_under_cloudwatchs_names():
    app = build_app()
    for _ in range(4):
        invoke(app)

    counted = counters(app)

    assert {place: metric["Invocations"] for place, metric in counted.items()} == {
        ("support", "current"): 3,
        ("support", "candidate"): 1,
        ("spam", "AllTraffic"): 0,
        ("spam", "dark"): 0,
    }
    assert set(counted["support", "current"]) == {
        "EndpointName",
        "VariantName",
        "Invocations",
        "InvocationsPerInstance",
        "Invocation4XXErrors",
        "Invocation5XXErrors",
        "InvocationModelErrors",
        "ModelLatency",
        "OverheadLatency",
    }


@pytest.mark.parametrize(
    ("kind", "counts"),
    [
        (None, (1, 0, 0, 0)),
        ("model-400", (1, 1, 0, 1)),
        ("model-500", (1, 0, 1, 1)),
        ("hang", (1, 0, 0, 1)),
        ("throttled", (0, 0, 0, 0)),
    ],
)
@pytest.mark.usefixtures("delays")
def test_errors_are_counted_by_the_containers_status(kind, counts):
    app = build_app(*([Fault(kind, endpoint="spam")] if kind else []))
    invoke(app, "spam")

    metric = counters(app)["spam", "AllTraffic"]

    names = ("Invocations", "Invocation4XXErrors", "Invocation5XXErrors", "InvocationModelErrors")
    assert tuple(metric[name] for name in names) == counts


@pytest.mark.usefixtures("delays")
def test_latencies_are_in_microseconds():
    app = build_app(Fault("slow", endpoint="spam", seconds=2, times=1))
    invoke(app, "spam")
    invoke(app, "spam")

    latency = counters(app)["spam", "AllTraffic"]["ModelLatency"]

    assert latency["SampleCount"] == 2
    assert 2_000_000 <= latency["Maximum"] < 3_000_000
    assert 0 < latency["Minimum"] < 1_000_000
    assert latency["Average"] == latency["Sum"] / 2


def test_before_the_first_invocation_there_is_no_latency():
    assert counters(build_app())["spam", "dark"]["ModelLatency"] == {"SampleCount": 0}
