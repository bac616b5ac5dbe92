"""Cost of the classifier's interface, compared with a bare boto3 call and with the original Lambda function's way.

All contenders take turns within one process, against one local endpoint; results are ratios of medians of many calls.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import boto3

from benchmarks.endpoint import ENDPOINT_NAME, MODEL, ROOT, running
from benchmarks.load import HOST
from benchmarks.results import save
from classifier_infra.inference.invocation import plan_payloads
from classifier_infra.inference.service import CurrentClassifier
from classifier_infra.inference.settings import build_service, read_classifier_settings
from classifier_infra.model.text import clean, normalise

TEXT = "Hello, I was charged twice for the March invoice and nobody has answered my mail yet!"
OTHERS = (
    "The app crashes whenever I open a shared report on my phone.",
    "Do you have opening hours over Christmas?",
    "thanks, that solved it",
    "Our whole team is locked out since this morning, please help as soon as you can",
    "I would like to change the address on my subscription",
    "Export to CSV has been stuck at 99% for two days now",
    "Refund of order 4711 has not arrived",
    "Where can I find the documentation of your API?",
    "You have charged my old credit card again, although I deleted it in May",
)
TEN = (TEXT, *OTHERS)
HUNDRED = tuple(f"{text} ({number})" for number in range(10) for text in TEN)
FORTY_WORDS = " ".join(" ".join((TEXT, *OTHERS)).split()[:40])

CALLS = 1_500
ORIGINAL_CALLS = 40
MESSAGES = 5_000
PACKAGES = ("boto3", "botocore", "fasttext-predict", "aws-lambda-powertools", "uvicorn", "httptools", "uvloop")


@dataclass(frozen=True)
class Figure:
    """A measured value and its upper target."""

    name: str
    value: float
    target: float
    unit: str = ""

    @property
    def is_met(self) -> bool:
        return self.value <= self.target


def run() -> None:
    """The classifier's client against a bare boto3 call; batches, classification in process, explanations, memory."""
    with running() as server, _environment(f"http://{HOST}:{server.port}") as environment:
        client = build_service(read_classifier_settings(environment), _ignore).current(3600)
        embedded = build_service(read_classifier_settings(environment | {"CLASSIFIER": "embedded"}), _ignore)
        medians = _call_medians(client)
        figures = [
            Figure("one message, against the bare boto3 call", medians["ours"] / medians["bare"], 1.15, "×"),
            Figure("one message, against the original way", medians["ours"] / medians["original"], 0.25, "×"),
            Figure("ten messages, against one", medians["ten"] / medians["ours"], 2.0, "×"),
            Figure("invocations for 100 messages", _invocations(server.port, client), 1),
            *_in_process(embedded.current(3600)),
            *(_memory(mode, environment) for mode in ("endpoint", "embedded", "endpoint-with-fallback")),
        ]
    rows = [vars(figure) | {"is_met": figure.is_met} for figure in figures]
    data = {"median_us": medians, "figures": rows}
    save("classifier", "Cost of the classifier's interface", _text(medians, figures), data, PACKAGES)


@contextmanager
def _environment(url: str) -> Iterator[dict[str, str]]:
    """Point boto3 at the endpoint and yield a function's settings."""
    keys = {"AWS_ACCESS_KEY_ID": "any", "AWS_SECRET_ACCESS_KEY": "any", "AWS_DEFAULT_REGION": "eu-central-1"}
    os.environ |= keys | {"AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": url}
    with tempfile.TemporaryDirectory() as empty:
        os.environ |= dict.fromkeys(("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"), f"{empty}/none")
        yield {
            "CLASSIFIER": "endpoint",
            "ENDPOINT_NAME": ENDPOINT_NAME,
            "MODEL_MANIFEST": str(MODEL / "manifest.json"),
            "SITE_ORIGIN": "http://127.0.0.1",
        }


def _ignore(event: object) -> None:
    """Discard the service's events."""


# --- Calls ----------------------------------------------------------------------------------------------------


def _call_medians(client: CurrentClassifier) -> dict[str, float]:
    """Return the medians in microseconds."""
    [payload] = plan_payloads([normalise(clean(TEXT))], client.model.raw_labels, 6_000_000)
    runtime = boto3.client("sagemaker-runtime")
    one, ten = [clean(TEXT)], [clean(text) for text in TEN]
    ways = {
        "bare": lambda: _invoke(runtime, payload.body),
        "ours": lambda: client.predict(one),
        "ten": lambda: client.predict(ten),
    }
    medians = _medians(ways, CALLS)
    return medians | _medians({"original": lambda: _call_as_the_original(payload.body)}, ORIGINAL_CALLS)


def _invoke(runtime: Any, body: bytes) -> bytes:
    answer = runtime.invoke_endpoint(EndpointName=ENDPOINT_NAME, ContentType="application/json", Body=body)
    content: bytes = answer["Body"].read()
    return content


def _call_as_the_original(body: bytes) -> str:
    """Call as the original Lambda function did, with a new session and client for each message."""
    runtime = boto3.Session().client("sagemaker-runtime")
    [prediction] = json.loads(_invoke(runtime, body).decode("utf-8"))
    label: str = prediction["label"][0].removeprefix("__label__")
    runtime.close()
    return label


def _medians(ways: dict[str, Callable[[], object]], calls: int) -> dict[str, float]:
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(calls + calls // 10):
        for name, way in ways.items():
            took = _seconds(way)
            if number >= calls // 10:  # the first tenth warms up
                seconds[name].append(took)
    return {name: statistics.median(each) * 1e6 for name, each in seconds.items()}


def _seconds(way: Callable[[], object]) -> float:
    start = perf_counter()
    way()
    return perf_counter() - start


def _invocations(port: int, client: CurrentClassifier) -> float:
    before = _counted(port)
    client.predict([clean(text) for text in HUNDRED])
    return _counted(port) - before


def _counted(port: int) -> float:
    with urllib.request.urlopen(f"http://{HOST}:{port}/counters") as answer:
        count: float = json.load(answer)["Metrics"][0]["Invocations"]
        return count


# --- In this process ------------------------------------------------------------------------------------------


def _in_process(classifier: CurrentClassifier) -> list[Figure]:
    texts = [clean(f"{TEN[number % 10]} {number}") for number in range(MESSAGES)]
    batches = [texts[start : start + 10] for start in range(0, MESSAGES, 10)]
    predicting = [_seconds(lambda batch=batch: classifier.predict(batch)) / len(batch) for batch in batches]
    facet = classifier.manifest.facets[0]
    texts_of_forty = [_rotated(FORTY_WORDS, number) for number in range(40)]
    explaining = [
        _seconds(lambda text=text: classifier.explain(text, facet.name, facet.labels[0].name))
        for _ in range(10)
        for text in texts_of_forty
    ]
    return [
        Figure("a message in process, in tens", statistics.median(predicting) * 1e6, 30, "µs"),
        Figure("explaining a text of 40 words", statistics.median(explaining) * 1e3, 1, "ms"),
    ]


def _rotated(text: str, places: int) -> str:
    words = text.split()
    return " ".join(words[places:] + words[:places])


# --- Memory ---------------------------------------------------------------------------------------------------


_CLASSIFY = r"""
import json, re, sys
from pathlib import Path
from types import SimpleNamespace
from classifier_infra.lambdas.classify import handler

context = SimpleNamespace(
    function_name="classify", memory_limit_in_mb=512, invoked_function_arn="arn", aws_request_id="1",
    get_remaining_time_in_millis=lambda: 10_000,
)
answers = [handler(event, context)["statusCode"] for event in json.load(sys.stdin)]
peak = int(re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())[0]) / 1024
print(json.dumps({"answers": answers, "megabytes": peak}), file=sys.stderr)
"""


def _memory(mode: str, environment: dict[str, str]) -> Figure:
    """Measure the peak memory of the function's process over classifications and explanations."""
    events = [
        _event(method, path, {"text": text})
        for text in TEN
        for method, path in (("PUT", "/blazingtext"), ("POST", "/explain"))
    ]
    variables = os.environ | environment | {"CLASSIFIER": mode, "POWERTOOLS_TRACE_DISABLED": "true"}
    command = [sys.executable, "-c", _CLASSIFY]
    done = subprocess.run(
        command, cwd=ROOT, env=variables, input=json.dumps(events), capture_output=True, text=True, check=True
    )
    result = json.loads(done.stderr.splitlines()[-1])
    assert set(result["answers"]) == {200}, result
    return Figure(f"memory of the classify process, {mode}", result["megabytes"], 150, "MB")


def _event(method: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Build the event of an API Gateway REST proxy integration."""
    headers = {"Content-Type": "application/json"}
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {"stage": "v1", "path": f"/v1{path}", "requestId": "1"},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


# --- Reporting ------------------------------------------------------------------------------------------------


def _text(medians: dict[str, float], figures: Sequence[Figure]) -> str:
    lines = [
        f"Medians of {CALLS:,} calls each, taking turns ({ORIGINAL_CALLS} of the original way): the bare boto3 call "
        f"{medians['bare']:.0f} µs, ours\n{medians['ours']:.0f} µs, ten texts {medians['ten']:.0f} µs, the original "
        f"way (a new session and client for each message) {medians['original'] / 1000:.1f} ms.",
        "",
        "| what | measured | target | |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {each.name} | {each.value:.3g} {each.unit} | ≤ {each.target:g} {each.unit} "
        f"| {'met' if each.is_met else 'missed'} |"
        for each in figures
    ]
    return "\n".join(lines)
