"""Answer a payload as the BlazingText container does on `POST /invocations`, without HTTP.

Bodies, key order and number format follow captured answers of real endpoints. A comment "our choice" marks what no
known capture shows.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

JSON = "application/json"
JSON_LINES = "application/jsonlines"

Prediction = dict[str, Any]


class Scorer(Protocol):
    """A loaded model."""

    def scores(self, text: str, k: int) -> list[tuple[float, str]]:
        """Return the `k` best labels as (probability, raw label), best first."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The container's answer: HTTP status, body and media type."""

    status: int
    body: bytes
    content_type: str


# SageMaker's own answer for a container that does not answer in time; status 0 is what SageMaker reports then.
TIMED_OUT = Answer(
    0,
    b"Your invocation timed out while waiting for a response from container primary. Review the latency metrics for "
    b"each container in Amazon CloudWatch, resolve the issue, and try again.",
    "text/plain",
)


def answer_invocation(model: Scorer, content_type: str, body: bytes) -> Answer:
    """Answer one invocation. The answer has the media type of the request, whatever the Accept header says."""
    media_type = content_type.partition(";")[0].strip().lower()
    try:
        if media_type == JSON:
            return Answer(200, write_predictions(JSON, _answer_json(model, body)), JSON)
        if media_type == JSON_LINES:
            return Answer(200, write_predictions(JSON_LINES, _answer_lines(model, body)), JSON_LINES)
    except (ValueError, TypeError, KeyError, RecursionError):
        # Our choice: the message of other built-in algorithms.
        return Answer(400, b"unable to evaluate payload provided", "text/plain")
    return Answer(415, f"content-type {media_type} not supported".encode(), "text/plain")


def write_predictions(content_type: str, predictions: Sequence[Prediction]) -> bytes:
    """Serialise predictions as the container does, with json.dumps' default separators."""
    if content_type == JSON:
        return json.dumps(predictions).encode()
    # Our choice: a newline after the last line too.
    return "".join(json.dumps(prediction) + "\n" for prediction in predictions).encode()


def read_predictions(answer: Answer) -> list[Prediction]:
    """Parse the body of a successful answer."""
    if answer.content_type == JSON:
        predictions: list[Prediction] = json.loads(answer.body)
        return predictions
    return [json.loads(line) for line in answer.body.splitlines()]


def _answer_json(model: Scorer, body: bytes) -> list[Prediction]:
    request = _checked(json.loads(body.decode()), dict)
    instances = _checked(request["instances"], list)
    k = _k(_checked(request.get("configuration", {}), dict))
    predictions = [_predict(model, text, k) for text in instances]
    return [{"label": labels, "prob": probs} for labels, probs in predictions]


def _answer_lines(model: Scorer, body: bytes) -> list[Prediction]:
    requests = [_checked(json.loads(line), dict) for line in body.decode().split("\n") if line.strip()]
    predictions = [_predict(model, request["source"], _k(request)) for request in requests]
    return [{"prob": probs, "label": labels} for labels, probs in predictions]


def _predict(model: Scorer, text: Any, k: int) -> tuple[list[str], list[float]]:
    scores = model.scores(_checked(text, str), k)
    return [label for _, label in scores], [score for score, _ in scores]


def _k(options: dict[str, Any]) -> int:
    k: int = _checked(options.get("k", 1), int)
    if k < 1:  # our choice: fastText fails on 0 and takes a negative number for "all"
        raise ValueError
    return k


def _checked(value: Any, kind: type) -> Any:
    if type(value) is not kind:  # `isinstance` would take true for the number 1
        raise TypeError
    return value
