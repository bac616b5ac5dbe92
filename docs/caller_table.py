"""Write docs/classifier.md's table of faults from what callers see of each: `python -m docs.caller_table`."""

import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from classifier_infra.api.errors import FAILURES, REJECTED
from classifier_infra.inference.classifier import ClassifierError, ClassifierRejected
from classifier_infra.inference.endpoint import Endpoint as EndpointClient
from classifier_infra.inference.endpoint import EndpointClassifier, EndpointSettings
from classifier_infra.inference.events import Event
from classifier_infra.inference.fallback import EmbeddedClassifier, FallbackClassifier, Predictor, Switch
from classifier_infra.local.app import create_app
from classifier_infra.local.asgi import Reply, Request
from classifier_infra.local.endpoint import Endpoint, Variant
from classifier_infra.local.faults import KINDS, Fault
from classifier_infra.local.server import serving
from classifier_infra.model.decoding import Decoder
from classifier_infra.model.manifest import Facet, Label, Manifest
from classifier_infra.model.model import Model

PAGE = Path(__file__).with_name("classifier.md")
BEGIN, END = "<!-- caller table -->\n", "<!-- end of caller table -->"
HEAD = """\
| fault, lasting | boto3 raises | tries | the caller sees | the API answers | with fallback | logged |
|---|---|---|---|---|---|---|
"""
# Seconds: a fault that takes its time takes longer than the patience with it, which is still long enough for the
# request to arrive on a busy machine.
LONG, SHORT = 30.0, 1.0
TAKE_THEIR_TIME = ("hang", "slow", "slow-body")


class _Scorer:
    def scores(self, text: str, k: int) -> list[tuple[float, str]]:
        return [(0.75, "__label__billing"), (0.25, "__label__general")][:k]


_FACET = Facet("category", (Label("billing", "Billing"), Label("general", "General")))
_MANIFEST = Manifest("1", "1", (_FACET,), "direct", 1.0, "0" * 64, 0)
_MODEL = Model(_MANIFEST, tuple(_MANIFEST.raw_labels()), Decoder(_MANIFEST), artefact=_Scorer())


class _Host:
    """An endpoint with one fault at a time, and the number of requests that reached it since."""

    def __init__(self) -> None:
        self._endpoint = Endpoint("support", [Variant("AllTraffic", _Scorer())])
        self.fail("hang")

    def fail(self, name: str) -> None:
        self._app = create_app([self._endpoint], [Fault(name, seconds=LONG)])
        self.requests = 0

    def __call__(self, request: Request) -> Reply:
        self.requests += 1
        return self._app(request)


@dataclass(frozen=True)
class Seen:
    """What came of one text: who answered, or the error, and what was reported meanwhile."""

    answer: str
    error: ClassifierError | None
    tries: int
    events: Sequence[Event]


def observe(name: str, host: _Host, url: str, with_fallback: bool) -> Seen:
    events: list[Event] = []
    host.fail(name)
    with _endpoint(url, SHORT if name in TAKE_THEIR_TIME else LONG, events) as endpoint:
        classifier: Predictor = EndpointClassifier(endpoint, _MODEL)
        if with_fallback:
            classifier = FallbackClassifier(classifier, EmbeddedClassifier(_MODEL), Switch(events.append))
        try:
            [prediction] = classifier.predict(["a"])
        except ClassifierError as error:
            return Seen("", error, host.requests, events)
    return Seen(prediction.served_by, None, host.requests, events)


@contextmanager
def _endpoint(url: str, patience: float, events: list[Event]) -> Iterator[EndpointClient]:
    # The socket gives up well after the client's own clock: which of two that ring together is heard first is chance.
    config = Config(read_timeout=patience + 5, retries={"total_max_attempts": 1, "mode": "standard"})
    keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any", "region_name": "us-east-1"}
    client = boto3.client("sagemaker-runtime", endpoint_url=url, config=config, **keys)
    with mock.patch("classifier_infra.inference.endpoint.time.sleep"):  # between two tries
        yield EndpointClient(client, EndpointSettings("support", patience=patience), events.append)
    client.close()


def build_table() -> str:
    host = _Host()
    with serving(host) as url:
        return HEAD + "".join(_row(name, host, url) for name in KINDS)


def _row(name: str, host: _Host, url: str) -> str:
    alone, helped = observe(name, host, url, with_fallback=False), observe(name, host, url, with_fallback=True)
    assert alone.error is not None, f"{name} is no fault to the client"
    cells = (
        f"`{name}`",
        _raised(alone.error.__cause__),
        str(alone.tries),
        f"`{type(alone.error).__name__}`: {alone.error}",
        str(_status(alone.error)),
        f"answered by `{helped.answer}`",
        "<br>".join(dict.fromkeys(map(_line, (*alone.events, *helped.events)))) or "nothing",
    )
    return f"| {' | '.join(cells)} |\n"


def _raised(cause: BaseException | None) -> str:
    if isinstance(cause, BotoCoreError | ClientError):
        return f"`{type(cause).__name__}`"
    # The client's own clock ended the call, or the answer was none to use.
    return "nothing yet" if isinstance(cause, TimeoutError) else "nothing"


def _status(error: ClassifierError) -> int:
    return REJECTED.status if isinstance(error, ClassifierRejected) else FAILURES[type(error)].status


def _line(event: Event) -> str:
    words = [f"{logging.getLevelName(event.level)} “{event.message}”"] if event.message else []
    metric = [f"metric `{event.metric}`"] if event.metric else []
    return ", ".join([*words, *metric])


def with_table(page: str) -> str:
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + build_table() + END + after


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit()
