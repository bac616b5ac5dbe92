"""The table of what can go wrong with an invocation, from a slow model to predictions that are none."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from classifier_infra.local.container import TIMED_OUT, Answer, Prediction, read_predictions, write_predictions


@dataclass(frozen=True, slots=True)
class Refusal:
    """SageMaker's own answer, instead of the model's."""

    status: int
    error_type: str
    body: Mapping[str, str | None]


def _unchanged(answer: Answer) -> Answer:
    return answer


@dataclass(frozen=True, slots=True)
class Effect:
    """What a fault does to an invocation; by default, nothing. Times are in seconds."""

    refusal: Refusal | None = None
    change: Callable[[Answer], Answer] = _unchanged
    delay: float = 0.0  # the container answers that much later
    pause: float = 0.0  # in the middle of the answer's body
    is_cut: bool = False  # half of the answer's body is all that comes


SOUND = Effect()


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fault. `effect` takes the fault's seconds, which mean something to a timed kind only."""

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
