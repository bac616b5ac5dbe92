"""Build the payloads of a BlazingText endpoint, read its answers, and classify its failures."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    IncompleteReadError,
    ReadTimeoutError,
)
from botocore.exceptions import ConnectionError as NotConnected

from classifier_infra.inference.classifier import ClassifierError, ClassifierRejected, ClassifierUnavailable

# --- Payloads -----------------------------------------------------------------------------------------------

_HEAD = '{"instances": ['
_LONGEST_SCORE = 26  # characters: 24 for a double, 2 for the separator
_AROUND_SCORES = len('{"label": [], "prob": []}, ')


@dataclass(frozen=True, slots=True)
class Payload:
    """The body of one invocation, and the number of its texts."""

    body: bytes
    count: int


def plan_payloads(texts: Sequence[str], labels: Sequence[str], limit: int) -> Iterator[Payload]:
    """Yield the fewest payloads whose bodies and answers (with all labels) stay under `limit` bytes, in order.

    A text that exceeds the limit by itself is sent alone, to be refused.
    """
    tail = f'], "configuration": {{"k": {len(labels)}}}}}'
    room = limit - len(_HEAD) - len(tail)
    answers = max(1, limit // _longest_answer(labels))
    for instances in _fill((json.dumps(text) for text in texts), room, answers):
        yield Payload(f"{_HEAD}{', '.join(instances)}{tail}".encode("ascii"), len(instances))


def _longest_answer(labels: Sequence[str]) -> int:
    return _AROUND_SCORES + sum(len(json.dumps(label)) + len(", ") + _LONGEST_SCORE for label in labels)


def _fill(instances: Iterator[str], room: int, most: int) -> Iterator[list[str]]:
    group: list[str] = []
    size = 0
    for instance in instances:
        if group and (size + len(instance) > room or len(group) == most):
            yield group
            group, size = [], 0
        group.append(instance)
        size += len(instance) + len(", ")
    if group:
        yield group


# --- Answers ------------------------------------------------------------------------------------------------


class UnusableAnswer(ValueError):
    """The answer is not one prediction for each text."""


def read_scores(answer: bytes, count: int) -> list[dict[str, float]]:
    """Return raw label → score for each of `count` texts; the labels are not checked. Raises UnusableAnswer."""
    try:
        scores = [dict(zip(each["label"], each["prob"], strict=True)) for each in json.loads(answer)]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UnusableAnswer(type(error).__name__) from error
    if len(scores) != count:
        raise UnusableAnswer(f"{len(scores)} predictions for {count} texts")
    return scores


# --- Failures -----------------------------------------------------------------------------------------------

# Seconds before the second try. A serverless endpoint needs seconds to start; other transient failures are shorter.
_PAUSE = 0.1
_PAUSE_WHILE_STARTING = 1.0

# These did not reach the model. A failure of the model's container (ModelError) would be repeated.
_TRANSIENT = frozenset(("ThrottlingException", "ServiceUnavailable", "InternalFailure", "500", "502", "503", "504"))
_STARTING = "ModelNotReadyException"
_TOO_LARGE = 413


@dataclass(frozen=True, slots=True)
class Failure:
    """The error to raise, and the seconds after which another try may help (None: not within this call)."""

    error: ClassifierError
    pause: float | None = None


def judge(error: BotoCoreError | ClientError) -> Failure:
    """Classify the failure of a call. The service's own message is left out: it may quote the text."""
    if isinstance(error, ClientError):
        return _judge_answer(error)
    # Connections fail for transient reasons, but after a read timeout no time is left.
    is_network_error = isinstance(error, NotConnected | HTTPClientError | IncompleteReadError)
    is_transient = is_network_error and not isinstance(error, ReadTimeoutError)
    reason = f"no answer from the endpoint ({type(error).__name__})"
    return Failure(ClassifierUnavailable(reason), _PAUSE if is_transient else None)


def _judge_answer(error: ClientError) -> Failure:
    response: Mapping[str, Any] = error.response
    code = response["Error"].get("Code", "?")
    status = response["ResponseMetadata"]["HTTPStatusCode"]
    inner = response.get("OriginalStatusCode") or 0
    if status == _TOO_LARGE or (code == "ModelError" and 400 <= inner < 500):
        return Failure(ClassifierRejected(f"the endpoint refused the texts ({code}, status {inner or status})"))
    failed = ClassifierUnavailable(f"the endpoint failed ({code}, status {inner or status})")
    if code == _STARTING:
        return Failure(failed, _PAUSE_WHILE_STARTING)
    return Failure(failed, _PAUSE if code in _TRANSIENT else None)
