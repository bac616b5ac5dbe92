"""A small model whose scores can be computed by hand, and fixtures that serve it.

A facet's probabilities are the softmax of the mean of the weights of a text's words.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from classifier_infra.local.app import create_app
from classifier_infra.local.endpoint import Endpoint, Variant
from classifier_infra.local.faults import Fault
from classifier_infra.local.server import serving
from classifier_infra.model.artefact import Artefact, open_artefact
from classifier_infra.model.manifest import Facet, Label, Manifest

ROOT = Path(__file__).parents[2]

FACETS = (
    Facet(
        "category",
        (Label("billing", "Billing"), Label("technical", "Technical"), Label("general", "General")),
        threshold=0.8,
    ),
    Facet("urgency", (Label("low", "Low"), Label("normal", "Normal"), Label("high", "High"))),
    Facet("tone", (Label("negative", "Negative"), Label("neutral", "Neutral"), Label("positive", "Positive"))),
)

# Rows sum to 0 within each facet (centred, as the exporter does). </s> ends every text and so carries the bias.
WORDS: Mapping[str, Sequence[float]] = {
    "</s>": (0, 0, 0, 0, 0, 0, 0, 0, 0),
    "invoice": (8, -4, -4, 0, 0, 0, 0, 0, 0),
    "charged": (7, -5, -2, -2, 0, 2, 2, 0, -2),
    "crash": (-4, 8, -4, -2, -1, 3, 3, 0, -3),
    "hours": (-1, -1, 2, 1, 1, -2, 0, 0, 0),
    "urgent": (0, 0, 0, -5, -1, 6, 1, 0, -1),
    "thanks": (-1, -1, 2, 3, 0, -3, -4, -1, 5),
}
TAU = 4.0  # half the largest weight


@pytest.fixture(scope="session")
def manifest() -> Manifest:
    return Manifest("test-1", "1", FACETS, "heads", TAU, model_sha256="0" * 64, model_bytes=0)


@pytest.fixture(scope="session")
def model_bytes(write_fasttext: Callable[..., bytes], manifest: Manifest) -> bytes:
    rows = {word: [weight / TAU for weight in weights] for word, weights in WORDS.items()}
    return write_fasttext(rows, manifest.raw_labels())


@pytest.fixture(scope="session")
def model_folder(
    tmp_path_factory: pytest.TempPathFactory,
    write_folder: Callable[[Path, bytes, Manifest], Path],
    model_bytes: bytes,
    manifest: Manifest,
) -> Path:
    return write_folder(tmp_path_factory.mktemp("models") / "small", model_bytes, manifest)


@pytest.fixture(scope="session")
def serve() -> Callable[..., Any]:
    """`with serve(folder, *options) as (process, url)`: the endpoint as a person starts it, on a free port."""
    return _serve


@contextmanager
def _serve(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "classifier_infra", "serve", str(folder), "--port", "0", *options]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline().split()[-1]
        finally:
            process.terminate()


@pytest.fixture(scope="session")
def endpoint_url(serve, model_folder: Path) -> Iterator[str]:
    """A running endpoint called `small`."""
    with serve(model_folder, "--endpoint-name", "small") as (_, url):
        yield url


@pytest.fixture
def reach(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """`reach(url)` points boto3 at an endpoint through the environment alone."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return lambda url: monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", url)


@pytest.fixture
def _close_clients(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Closes the connections of all boto3 clients that the test created."""
    made: list[Any] = []
    build = boto3.client
    monkeypatch.setattr("boto3.client", lambda *names, **options: made.append(build(*names, **options)) or made[-1])
    yield
    for client in made:
        client.close()


class Host:
    """The small model behind the endpoint `small`, over HTTP; `fail` switches faults on and off."""

    def __init__(self, model: Artefact) -> None:
        self.requests: list[bytes] = []  # the bodies
        self.serve(model)

    def serve(self, model: Artefact) -> None:
        self._endpoint = Endpoint("small", [Variant("AllTraffic", model)])
        self.fail()

    def fail(self, *faults: Fault) -> None:
        self._app = create_app([self._endpoint], faults)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await Request(scope, receive).body()
        self.requests.append(body)
        unread = [{"type": "http.request", "body": body}]

        async def receive_again() -> Any:
            return unread.pop() if unread else await receive()

        await self._app(scope, receive_again, send)

    @property
    def batches(self) -> list[list[str]]:
        """The texts of each invocation."""
        return [json.loads(body)["instances"] for body in self.requests]


@pytest.fixture(scope="session")
def artefact(model_folder: Path) -> Artefact:
    return open_artefact(model_folder)


@pytest.fixture
def host(artefact: Artefact, reach: Callable[[str], None], _close_clients: None) -> Iterator[Host]:
    """A running endpoint in this process; boto3 is pointed at it."""
    host = Host(artefact)
    with serving(host) as url:
        reach(url)
        yield host


@pytest.fixture(scope="session")
def make_event() -> Callable[..., dict[str, Any]]:
    return _make_event


def _make_event(
    method: str, path: str, body: str | None = None, headers: Mapping[str, str] | None = None, is_base64: bool = False
) -> dict[str, Any]:
    """Build the event of an API Gateway REST proxy integration."""
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()} if headers else None,
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {"stage": "v1", "path": f"/v1{path}", "requestId": "1"},
        "body": body,
        "isBase64Encoded": is_base64,
    }
