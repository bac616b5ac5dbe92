"""The endpoint, and while it does not answer, the same model in this process."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from classifier_infra.inference.classifier import ClassifierError, ClassifierRejected
from classifier_infra.inference.deadline import NO_DEADLINE, Deadline
from classifier_infra.inference.events import FallbackServed, Report, SwitchedOver
from classifier_infra.model.model import Model
from classifier_infra.model.prediction import Caution, Prediction


@dataclass(frozen=True, slots=True)
class EmbeddedClassifier:
    """fastText in this process. `caution` is why it is not to be relied upon, if so."""

    model: Model
    caution: Caution | None = None

    def predict(self, texts: Sequence[str], deadline: Deadline = NO_DEADLINE) -> list[Prediction]:
        """See client.Classifier. It neither fails nor takes long enough for a deadline to matter."""
        return [
            self.model.predict(words, self.model.score(words), "embedded", self.caution)
            for words in self.model.normalise(texts)
        ]


class Predictor(Protocol):
    """A classifier that can be told how long it may take."""

    def predict(self, texts: Sequence[str], deadline: Deadline) -> list[Prediction]: ...


class Switch:
    """Which of the two serves; it reports when that changes, not each time."""

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
    """Two classifiers with the same model. Each prediction's `served_by` says whose it is."""

    endpoint: Predictor
    embedded: EmbeddedClassifier
    switch: Switch

    def predict(self, texts: Sequence[str], deadline: Deadline = NO_DEADLINE) -> list[Prediction]:
        """See client.Classifier. It raises ClassifierRejected for several texts only, so that they are split."""
        try:
            predictions = self.endpoint.predict(texts, deadline)
        except ClassifierRejected as error:
            if len(texts) > 1:
                raise
            return self._fall_back(texts, error)
        except ClassifierError as error:
            return self._fall_back(texts, error)
        self.switch.served("endpoint", "it answers")
        return predictions

    def _fall_back(self, texts: Sequence[str], error: ClassifierError) -> list[Prediction]:
        self.switch.fell_back(len(texts), error)
        return self.embedded.predict(texts)
