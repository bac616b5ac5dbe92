"""The model in this process, and the classifier that falls back to it while the endpoint fails."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from classifier_infra.inference.classifier import ClassifierError, ClassifierRejected
from classifier_infra.inference.deadline import NO_DEADLINE, Deadline
from classifier_infra.inference.events import FallbackServed, Report, SwitchedOver
from classifier_infra.model.model import Model
from classifier_infra.model.prediction import Caution, Prediction


class Predictor(Protocol):
    """A classifier that keeps a deadline; see `classifier.Predicts`."""

    def predict(self, texts: Sequence[str], deadline: Deadline) -> list[Prediction]: ...


@dataclass(frozen=True, slots=True)
class EmbeddedClassifier:
    """fastText in this process. `caution` is a reason not to act on its predictions."""

    model: Model
    caution: Caution | None = None

    def predict(self, texts: Sequence[str], deadline: Deadline = NO_DEADLINE) -> list[Prediction]:
        """Implement Predictor; this is never unavailable, and too fast for the deadline to matter."""
        return [
            self.model.predict(words, self.model.score(words), "embedded", self.caution)
            for words in self.model.normalise(texts)
        ]


class Switch:
    """Remembers which of the two classifiers served last, and reports when that changes."""

    def __init__(self, report: Report) -> None:
        self._report = report
        self._served_by = "endpoint"

    def served(self, served_by: str, reason: str) -> None:
        if served_by != self._served_by:
            self._served_by = served_by
            self._report(SwitchedOver(served_by, reason))

    def fell_back(self, texts: int, error: ClassifierError) -> None:
        self.served("embedded", str(error))
        self._report(FallbackServed(texts))


@dataclass(frozen=True, slots=True)
class FallbackClassifier:
    """An endpoint and an embedded classifier of the same model. Each prediction's `served_by` says which answered."""

    endpoint: Predictor
    embedded: EmbeddedClassifier
    switch: Switch

    def predict(self, texts: Sequence[str], deadline: Deadline = NO_DEADLINE) -> list[Prediction]:
        """Implement Predictor. Raises ClassifierRejected only for several texts, so that the caller splits them."""
        try:
            predictions = self.endpoint.predict(texts, deadline)
        except ClassifierError as error:
            if isinstance(error, ClassifierRejected) and len(texts) > 1:
                raise
            self.switch.fell_back(len(texts), error)
            return self.embedded.predict(texts)
        self.switch.served("endpoint", "it answers")
        return predictions
