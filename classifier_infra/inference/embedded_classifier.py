"""The model in this process as a classifier: the same `model.bin` as the endpoint's, without SageMaker."""

from collections.abc import Sequence
from dataclasses import dataclass

from classifier_infra.inference.deadline import NO_DEADLINE, Deadline
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
