"""The endpoint's client under failure, over real HTTP: retries, deadlines, the circuit breaker, connections."""

import re
import socket
import socketserver
import struct
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from urllib3.connection import HTTPConnection

from classifier_infra.api.errors import FAILURES, REJECTED
from classifier_infra.inference import endpoint as endpoint_classifier
from classifier_infra.inference.classifier import ClassifierError, ClassifierRejected, ClassifierUnavailable
from classifier_infra.inference.deadline import within
from classifier_infra.inference.endpoint import FAILURES_TO_OPEN, EndpointClassifier, EndpointSettings, build_endpoint
from classifier_infra.inference.events import EndpointFailed, FallbackServed, SwitchedOver
from classifier_infra.inference.fallback import EmbeddedClassifier, FallbackClassifier, Switch
from classifier_infra.local.faults import KINDS, Fault
from classifier_infra.model.model import load_model

pytestmark = pytest.mark.usefixtures("_close_clients")


@pytest.fixture(scope="session")
def model(model_folder):
    return load_model(model_folder, in_memory=False)


@pytest.fixture
def events():
    return []


@pytest.fixture
def pauses(monkeypatch):
    """The pauses between tries, recorded instead of slept."""
    pauses = []
    monkeypatch.setattr(endpoint_classifier.time, "sleep", pauses.append)
    return pauses


@pytest.fixture
def clock(monkeypatch):
    """The circuit breaker's clock in seconds, which a test may advance."""

    class Clock:
        now = time.monotonic()

    monkeypatch.setattr(endpoint_classifier.time, "monotonic", lambda: Clock.now)
    return Clock


@pytest.fixture
def build(model, events):
    def build(name="small", **settings):
        return EndpointClassifier(build_endpoint(EndpointSettings(name, **settings), events.append), model)

    return build


# --- Tries ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["throttled", "unavailable", "internal", "not-ready", "truncated"])
def test_a_transient_failure_is_retried_unnoticed(host, build, pauses, events, kind):
    host.fail(Fault(kind, times=1))

    [prediction] = build().predict(["invoice"])

    assert prediction.facets["category"].name == "billing"
    assert (len(host.requests), len(pauses), events) == (2, 1, [])


class Resetting(socketserver.BaseRequestHandler):
    """Ends each connection with RST, as a machine that has restarted does."""

    def handle(self):
        self.server.connections += 1
        self.request.recv(1)
        self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.request.close()


def test_a_reset_connection_is_tried_again(reach, build, pauses):
    with socketserver.TCPServer(("127.0.0.1", 0), Resetting) as server:
        server.connections = 0
        threading.Thread(target=server.serve_forever, daemon=True).start()
        reach(f"http://127.0.0.1:{server.server_address[1]}")

        with pytest.raises(ClassifierUnavailable, match="ConnectionClosedError"):
            build(tries=3).predict(["invoice"])
        server.shutdown()

    assert (server.connections, len(pauses)) == (3, 2)


def test_each_pause_is_longer_than_the_one_before(host, build, pauses):
    host.fail(Fault("throttled"))

    with pytest.raises(ClassifierUnavailable):
        build(tries=4).predict(["invoice"])

    assert len(host.requests) == 4
    assert pauses == sorted(pauses)
    assert pauses[-1] > pauses[0]


@pytest.mark.parametrize("kind", ["model-500", "timeout", "denied", "dependency", "nan", "wrong-labels", "too-few"])
def test_what_another_try_would_not_cure_is_asked_once(host, build, pauses, kind):
    host.fail(Fault(kind))

    with pytest.raises(ClassifierUnavailable):
        build().predict(["invoice"])

    assert (len(host.requests), pauses) == (1, [])


PAGE = (Path(__file__).parents[3] / "docs" / "classifier.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (`[a-z0-9-]+`.*?) \| (\d) \| `(\w+)`: (.+?)(?: \(.*\))? \| (\d+) \|$", PAGE, re.MULTILINE)
DOCUMENTED = {kind: row for kinds, *row in ROWS for kind in re.findall("`(.+?)`", kinds)}


def test_every_lasting_fault_is_documented():
    assert set(DOCUMENTED) == set(KINDS)


@pytest.mark.usefixtures("pauses")
@pytest.mark.parametrize("kind", KINDS)
def test_of_each_lasting_fault_the_caller_sees_what_the_documentation_says(host, build, model_folder, events, kind):
    tries, name, message, status = DOCUMENTED[kind]
    classifier = build(patience=0.5 if kind in ("hang", "slow", "slow-body") else 30.0)
    host.fail(Fault(kind, seconds=30.0))

    with pytest.raises(ClassifierError) as caught:
        classifier.predict(["invoice"])
    asked = len(host.requests)
    embedded = EmbeddedClassifier(load_model(model_folder, in_memory=True))
    [prediction] = FallbackClassifier(classifier, embedded, Switch(events.append)).predict(["invoice"])

    failure = REJECTED if isinstance(caught.value, ClassifierRejected) else FAILURES[type(caught.value)]
    assert (str(asked), type(caught.value).__name__, str(failure.status.value)) == (tries, name, status)
    assert str(caught.value).startswith(message)
    assert prediction.served_by == "embedded"
    failed = [] if isinstance(caught.value, ClassifierRejected) else [EndpointFailed]
    assert [type(event) for event in events] == [*failed * 2, SwitchedOver, FallbackServed]


def test_a_pause_that_would_outlast_the_time_is_not_begun(host, build, pauses):
    host.fail(Fault("not-ready"))

    with pytest.raises(ClassifierUnavailable, match="ModelNotReadyException"):
        build().predict(["invoice"], within(0.9))

    assert pauses == []


# --- Time -----------------------------------------------------------------------------------------------------


def test_a_hanging_endpoint_is_given_up_when_patience_ends(host, build):
    host.fail(Fault("hang"))

    with pytest.raises(ClassifierUnavailable, match="no answer from the endpoint in time"):
        build(patience=0.2).predict(["invoice"])


def test_the_time_that_is_left_outweighs_patience(host, build):
    host.fail(Fault("slow-body", seconds=10))  # with all its patience the client would get this answer

    with pytest.raises(ClassifierUnavailable, match="no answer from the endpoint in time"):
        build(patience=20).predict(["invoice"], within(0.2))


class Dripping(BaseHTTPRequestHandler):
    """Answers a byte at a time, which no read timeout ends."""

    def do_POST(self):
        self.send_response(200)
        self.send_header("content-length", "100000")
        self.end_headers()
        while not self.server.stopped.wait(0.02):
            self.wfile.write(b" ")

    def log_message(self, *arguments):
        pass


def test_an_answer_that_drips_is_given_up_like_one_that_does_not_come(reach, build):
    with ThreadingHTTPServer(("127.0.0.1", 0), Dripping) as server:
        server.stopped = threading.Event()
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        reach(f"http://127.0.0.1:{server.server_port}")

        with pytest.raises(ClassifierUnavailable, match="no answer from the endpoint in time"):
            build(patience=0.3).predict(["invoice"])

        server.stopped.set()
        server.shutdown()


def test_without_time_the_endpoint_is_not_asked_and_does_not_count_as_failing(host, build, events):
    classifier = build()
    for _ in range(FAILURES_TO_OPEN):
        with pytest.raises(ClassifierUnavailable, match="no time is left"):
            classifier.predict(["invoice"], within(0))

    assert classifier.predict(["invoice"])
    assert (len(host.requests), events) == (1, [])


# --- The circuit breaker --------------------------------------------------------------------------------------


def test_an_endpoint_that_keeps_failing_is_not_asked_any_more(host, build, events):
    host.fail(Fault("model-500"))
    classifier = build()

    for _ in range(FAILURES_TO_OPEN + 2):
        with pytest.raises(ClassifierUnavailable):
            classifier.predict(["invoice"])

    assert len(host.requests) == FAILURES_TO_OPEN
    assert events == [EndpointFailed("the endpoint failed (ModelError, status 500)")] * FAILURES_TO_OPEN


def test_after_a_pause_one_request_is_the_probe_and_its_success_makes_all_well(host, build, clock):
    host.fail(Fault("model-500", times=FAILURES_TO_OPEN))
    classifier = build()
    for _ in range(FAILURES_TO_OPEN):
        with pytest.raises(ClassifierUnavailable, match="status 500"):
            classifier.predict(["invoice"])
    with pytest.raises(ClassifierUnavailable, match="not asked: it failed 3 times in a row"):
        classifier.predict(["invoice"])

    clock.now += 2

    assert classifier.predict(["invoice"])
    assert classifier.predict(["invoice"])


def test_refused_texts_do_not_speak_against_the_endpoint(host, build, events):
    host.fail(Fault("model-400"))
    classifier = build()

    for _ in range(FAILURES_TO_OPEN + 2):
        with pytest.raises(ClassifierRejected):
            classifier.predict(["invoice"])

    assert (len(host.requests), events) == (FAILURES_TO_OPEN + 2, [])


# --- Connections and addresses --------------------------------------------------------------------------------


def test_calls_share_one_connection(host, build, monkeypatch):
    opened = []
    connect = HTTPConnection.connect
    monkeypatch.setattr(HTTPConnection, "connect", lambda connection: [opened.append(1), connect(connection)])
    classifier = build()

    for _ in range(5):
        classifier.predict(["invoice"])

    assert len(opened) == 1


def test_an_endpoint_that_is_not_there_is_unavailable(reach, build, pauses):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        reach(f"http://127.0.0.1:{listener.getsockname()[1]}")

    with pytest.raises(ClassifierUnavailable, match="EndpointConnectionError"):
        build().predict(["invoice"])

    assert len(pauses) == 2


def test_an_unknown_endpoint_is_unavailable(host, build):
    with pytest.raises(ClassifierUnavailable, match="ValidationError, status 400"):
        build("other").predict(["invoice"])


def test_a_batch_over_the_limit_takes_several_calls_and_stays_in_order(host, build):
    classifier = build(max_bytes=1000)

    predictions = classifier.predict(["invoice", "crash"] * 10)

    assert [each.facets["category"].name for each in predictions] == ["billing", "technical"] * 10
    assert len(host.requests) > 2


def test_why_a_classifier_is_not_to_be_relied_upon_stands_in_each_prediction(host, build):
    classifier = replace(build(), caution="canaries-moved")

    [prediction] = classifier.predict(["invoice"])

    assert prediction.caution == "canaries-moved"
