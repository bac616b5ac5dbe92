"""Define the local endpoint's faults, parse them, and decide which fault applies to which invocation."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from classifier_infra.local.container import TIMED_OUT, Answer, Prediction, read_predictions, write_predictions
from classifier_infra.local.endpoint import Rotation


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error of SageMaker itself, returned without asking the model."""

    status: int
    error_type: str
    body: Mapping[str, str | None]


def _unchanged(answer: Answer) -> Answer:
    return answer


@dataclass(frozen=True, slots=True)
class Effect:
    """The effect of a fault on an invocation, by default none. Times are in seconds."""

    refusal: Refusal | None = None
    change: Callable[[Answer], Answer] = _unchanged
    delay: float = 0.0  # before the container's answer
    pause: float = 0.0  # in the middle of the answer's body
    is_cut: bool = False  # the connection closes after half of the body


NO_EFFECT = Effect()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault. `effect` takes the fault's seconds, which only a timed kind uses."""

    meaning: str
    effect: Callable[[float], Effect]
    is_timed: bool = False


def _refuses(meaning: str, status: int, error_type: str, body: Mapping[str, str | None]) -> Kind:
    return Kind(meaning, lambda _: Effect(Refusal(status, error_type, body)))


def _fails(status: int, text: str) -> Kind:
    answer = Answer(status, text.encode(), "text/plain")
    return Kind(f"the model's container answers {status}", lambda _: Effect(change=lambda _: answer))


def _falsifies(meaning: str, change: Callable[[list[Prediction]], list[Prediction]]) -> Kind:
    def change_answer(answer: Answer) -> Answer:
        if answer.status != 200:
            return answer
        changed = change(read_predictions(answer))
        return Answer(200, write_predictions(answer.content_type, changed), answer.content_type)

    return Kind(meaning, lambda _: Effect(change=change_answer))


def _with_wrong_labels(predictions: list[Prediction]) -> list[Prediction]:
    return [
        prediction | {"label": [f"__label__wrong-{number}" for number, _ in enumerate(prediction["label"], 1)]}
        for prediction in predictions
    ]


def _with_nan(predictions: list[Prediction]) -> list[Prediction]:
    return [prediction | {"prob": [math.nan for _ in prediction["prob"]]} for prediction in predictions]


KINDS: Mapping[str, Kind] = {
    "hang": Kind(
        "the model's container never answers; after 60 seconds SageMaker says so", lambda _: Effect(delay=math.inf)
    ),
    "slow": Kind("the answer comes after `seconds`", lambda seconds: Effect(delay=seconds), is_timed=True),
    "slow-body": Kind(
        "half of the answer comes at once, the rest after `seconds`",
        lambda seconds: Effect(pause=seconds),
        is_timed=True,
    ),
    "timeout": Kind(
        "SageMaker has waited 60 seconds for the model's container, and says so at once",
        lambda _: Effect(change=lambda _: TIMED_OUT),
    ),
    "model-400": _fails(400, "unable to evaluate payload provided"),
    "model-415": _fails(415, "content-type application/octet-stream not supported"),
    "model-500": _fails(500, "Internal Server Error"),
    "not-ready": _refuses(
        "a serverless endpoint is starting", 429, "ModelNotReadyException", {"Message": "The model is not ready."}
    ),
    "throttled": _refuses("too many requests for the account", 400, "ThrottlingException", {"message": None}),
    "unavailable": _refuses(
        "the service is unavailable", 503, "ServiceUnavailable", {"Message": "The service is unavailable."}
    ),
    "internal": _refuses("the service fails", 500, "InternalFailure", {"Message": "The service failed."}),
    "dependency": _refuses(
        "a service it depends on fails", 530, "InternalDependencyException", {"Message": "A dependency failed."}
    ),
    "denied": _refuses(
        "the role may not invoke the endpoint", 403, "AccessDeniedException", {"Message": "Access is denied."}
    ),
    "truncated": Kind("the connection closes in the middle of the answer", lambda _: Effect(is_cut=True)),
    "wrong-labels": _falsifies("the labels are those of another model", _with_wrong_labels),
    "nan": _falsifies("every probability is NaN", _with_nan),
    "too-many": _falsifies(
        "one prediction more than texts", lambda found: [*found, *(found[-1:] or [{"label": [], "prob": []}])]
    ),
    "too-few": _falsifies("one prediction fewer than texts", lambda found: found[:-1]),
}


_MAX_SECONDS = 3600
_FIELDS = ("fault", "endpoint", "variant", "seconds", "share", "times")


class FaultError(ValueError):
    """The fault is not valid; the message says why."""


@dataclass(frozen=True, slots=True)
class Fault:
    """A kind of fault and its target: a `share` of the invocations, at most `times`. None means any, or no limit."""

    kind: str
    endpoint: str | None = None
    variant: str | None = None
    seconds: float = 1.0
    share: float = 1.0
    times: int | None = None


def parse_fault(data: object, known: Mapping[str, Sequence[str]]) -> Fault:
    """Parse the JSON form of a fault; `known` has the variants' names by endpoint. Raises FaultError."""
    if not isinstance(data, dict):
        raise FaultError('a fault is an object such as {"fault": "slow", "seconds": 2}')
    if unknown := sorted(set(data) - set(_FIELDS)):
        raise FaultError(f"{unknown[0]!r} is not a field of a fault; the fields are {', '.join(_FIELDS)}")
    fault = Fault(
        kind=_kind(data.get("fault")),
        endpoint=_name("endpoint", data.get("endpoint"), sorted(known)),
        variant=data.get("variant"),
        seconds=_number("seconds", data.get("seconds", 1.0), _MAX_SECONDS),
        share=_number("share", data.get("share", 1.0), 1),
        times=_times(data.get("times")),
    )
    if "seconds" in data and not KINDS[fault.kind].is_timed:
        raise FaultError(f"{fault.kind!r} takes no seconds")
    variants = known[fault.endpoint] if fault.endpoint else sorted({name for names in known.values() for name in names})
    _name("variant", fault.variant, variants)
    return fault


def parse_option(text: str, known: Mapping[str, Sequence[str]]) -> Fault:
    """Parse the command-line form of a fault, such as `slow,seconds=2,times=3`. Raises FaultError."""
    kind, *options = text.split(",")
    data: dict[str, Any] = {"fault": kind}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals:
            raise FaultError(f"{option!r} is not of the form NAME=VALUE")
        data[name] = _as_number(value) if name in {"seconds", "share", "times"} else value
    return parse_fault(data, known)


def _as_number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text  # parse_fault then refuses it with a message that quotes it


def _kind(value: object) -> str:
    if not isinstance(value, str) or value not in KINDS:
        raise FaultError(f"{value!r} is not a fault; the faults are {', '.join(KINDS)}")
    return value


def _name(field: str, value: object, known: Sequence[str]) -> str | None:
    if value is not None and value not in known:
        raise FaultError(f"there is no {field} {value!r}; there are {', '.join(known)}")
    return value  # type: ignore[return-value]  # it is one of `known`


def _number(field: str, value: object, maximum: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= maximum:
        raise FaultError(f"{field} is {value!r}; it must be over 0 and at most {maximum}")
    return value


def _times(value: object) -> int | None:
    if value is not None and (type(value) is not int or value < 1):
        raise FaultError(f"times is {value!r}; it must be a whole number over 0")
    return value


# --- Active faults --------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Active:
    fault: Fault
    effect: Effect
    rotation: Rotation
    struck: int = 0

    def strikes(self, endpoint: str, variant: str) -> bool:
        fault = self.fault
        is_aimed = fault.endpoint in (None, endpoint) and fault.variant in (None, variant)
        is_spent = fault.times is not None and self.struck >= fault.times
        if not is_aimed or is_spent or self.rotation.next() != 0:
            return False
        self.struck += 1
        return True


class Faults:
    """The faults that are switched on."""

    def __init__(self, faults: Sequence[Fault] = ()) -> None:
        self.replace(faults)

    def replace(self, faults: Sequence[Fault]) -> None:
        """Switch on these faults and no others."""
        self._active = [
            _Active(fault, KINDS[fault.kind].effect(fault.seconds), Rotation((fault.share, 1 - fault.share)))
            for fault in faults
        ]

    def strike(self, endpoint: str, variant: str) -> Effect:
        """Return the effect of the first fault that applies to this invocation."""
        for active in self._active:
            if active.strikes(endpoint, variant):
                return active.effect
        return NO_EFFECT

    def to_json(self) -> list[dict[str, Any]]:
        return [_to_json(active.fault) | {"struck": active.struck} for active in self._active]


def _to_json(fault: Fault) -> dict[str, Any]:
    timed = {"seconds": fault.seconds} if KINDS[fault.kind].is_timed else {}
    place = {"endpoint": fault.endpoint, "variant": fault.variant}
    return {"fault": fault.kind} | place | timed | {"share": fault.share, "times": fault.times}
