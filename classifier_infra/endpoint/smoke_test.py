"""Ask a live endpoint its model's canaries, and compare the answers with those expected."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from classifier_infra.inference.classifier import ClassifierError
from classifier_infra.inference.deadline import within
from classifier_infra.inference.endpoint import Endpoint, EndpointClassifier, EndpointSettings, build_endpoint
from classifier_infra.inference.events import Event
from classifier_infra.model.canaries import Answers, answers_of, expected_answers, find_moved
from classifier_infra.model.model import Model
from classifier_infra.model.text import clean

if TYPE_CHECKING:
    from types_boto3_sagemaker_runtime import SageMakerRuntimeClient

# A serverless endpoint's first answer may be half a minute away.
_SECONDS = 60.0
_TRIES = 8


class SmokeTestFailed(Exception):
    """The endpoint does not answer, or not as its model should."""


def ask_endpoint(endpoint: str, model: Model, runtime: "SageMakerRuntimeClient | None" = None) -> Answers:
    """Ask the canaries; return the answers in their order. Raises SmokeTestFailed."""
    settings = EndpointSettings(endpoint, patience=_SECONDS, tries=_TRIES)
    client = Endpoint(runtime, settings, _ignore) if runtime else build_endpoint(settings, _ignore)
    classifier = EndpointClassifier(client, model)
    texts = [clean(canary.text) for canary in model.manifest.canaries]
    try:
        return answers_of(classifier.predict(texts, within(_SECONDS)))
    except ClassifierError as error:
        raise SmokeTestFailed(f"the endpoint {endpoint} gave no answer to the canaries: {error}") from error


def _ignore(event: Event) -> None:
    """Failures are raised, and reported by the caller."""


def compare(model: Model, seen: Answers) -> Iterator[str]:
    """Describe the expected and the actual answer to each canary; raise SmokeTestFailed if any moved."""
    expected = expected_answers(model.manifest, "endpoint", ())
    if not expected:
        yield "The model has no canaries: its answers cannot be checked."
    for number, (before, now) in enumerate(zip(expected, seen, strict=True), start=1):
        for facet, scores in before.items():
            yield f"canary {number}, {facet}: expected {_best(scores)}, seen {_best(now.get(facet, {}))}"
    moved = find_moved(expected, seen)
    if moved:
        raise SmokeTestFailed(f"{len(moved)} answers to canaries are not those of the model: {'; '.join(moved)}")


def _best(scores: dict[str, float] | object) -> str:
    if not isinstance(scores, dict) or not scores:
        return "nothing"
    label = max(scores, key=lambda name: scores[name])
    return f"{label} {scores[label]:.4f}"
