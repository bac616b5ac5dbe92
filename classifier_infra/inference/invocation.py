"""An invocation of a BlazingText endpoint, but for the call: what to send, what came back, what a failure means."""

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

# --- What to send -------------------------------------------------------------------------------------------

_HEAD = '{"instances": ['
# A double takes 24 characters at most, and each entry of a list two more for what stands between.
_LONGEST_SCORE = 26
_AROUND_SCORES = len('{"label": [], "prob": []}, ')


@dataclass(frozen=True, slots=True)
class Payload:
    """The body of one invocation, and how many texts it carries."""

    body: bytes
    count: int


def plan_payloads(texts: Sequence[str], labels: Sequence[str], limit: int) -> Iterator[Payload]:
    """Give the fewest payloads, in order, that stay under `limit` bytes with their answers; all labels are asked for.

    A text that is over the limit alone goes alone, to be refused.
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


# --- What came back -----------------------------------------------------------------------------------------


class UnusableAnswer(ValueError):
    """The endpoint answered, but not with one prediction for each text."""


def read_scores(answer: bytes, count: int) -> list[dict[str, float]]:
    """Give raw label → score of each text. Raises UnusableAnswer; whether the labels fit is the decoding's to say."""
    try:
        scores = [dict(zip(each["label"], each["prob"], strict=True)) for each in json.loads(answer)]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UnusableAnswer(type(error).__name__) from error
    if len(scores) != count:
        raise UnusableAnswer(f"{len(scores)} predictions for {count} texts")
    return scores


# --- What a failure means -----------------------------------------------------------------------------------

# A serverless endpoint that is starting needs seconds; whatever else passes by itself is over sooner. Seconds before
# the second try; each further pause is twice as long.
_PAUSE = 0.1
_PAUSE_WHILE_STARTING = 1.0

# Every one of these was not answered by the model. A failure of the model's container (ModelError) would be repeated.
_PASSING = frozenset(("ThrottlingException", "ServiceUnavailable", "InternalFailure", "500", "502", "503", "504"))
_STARTING = "ModelNotReadyException"
_TOO_LARGE = 413


@dataclass(frozen=True, slots=True)
class Failure:
    """What to raise, and after how many seconds another try may help (None: not within this call)."""

    error: ClassifierError
    pause: float | None = None


def judge(error: BotoCoreError | ClientError) -> Failure:
    """Tell what a failed call means. Nothing that the service said is repeated: it may quote the text."""
    if isinstance(error, ClientError):
        return _judge_answer(error)
    # After a read timeout the time is gone. Everything else that happens to a connection may be bad luck.
    is_of_network = isinstance(error, NotConnected | HTTPClientError | IncompleteReadError)
    is_passing = is_of_network and not isinstance(error, ReadTimeoutError)
    reason = f"no answer from the endpoint ({type(error).__name__})"
    return Failure(ClassifierUnavailable(reason), _PAUSE if is_passing else None)


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
    return Failure(failed, _PAUSE if code in _PASSING else None)
