"""The interface of a classifier, and its errors.

    ClassifierError
    ├── ClassifierUnavailable   no usable answer: the same call may succeed later
    └── ClassifierRejected      the model's container refused these texts: the same call will fail again

An error never quotes a text. Its `__cause__` is the error of boto3 or of the decoding.
"""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

from classifier_infra.model.explanation import Explanation
from classifier_infra.model.manifest import Manifest
from classifier_infra.model.prediction import Prediction


class ClassifierError(Exception):
    """The classifier did not classify."""


class ClassifierUnavailable(ClassifierError):
    """A timeout, throttling, a server error, a missing endpoint or an unusable answer: try again later."""


class ClassifierRejected(ClassifierError):
    """The endpoint refused this batch. If one of its texts may be the reason, send them one by one."""


class NotExplainable(Exception):
    """The model is too large for this process to compute its words' contributions."""


class Predicts(Protocol):
    """The half of a Classifier that predicts."""

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Return one prediction for each text, in their order. The texts have been through `text.clean`.

        Raises ClassifierUnavailable, ClassifierRejected, and ValueError for a text without a word: a model answers
        an empty text with its prior, which looks like confidence. Callers check `text.is_readable` first.
        """
        ...


class Classifier(Predicts, Protocol):
    """A classifier of one model: an endpoint, a model in this process, or the one with the other as fallback."""

    @property
    def manifest(self) -> Manifest: ...

    def explain(self, text: str, facet: str, label: str) -> Explanation:
        """Return what each word of a clean text adds to a label (by its short name), without calling the endpoint.

        Raises NotExplainable, and ValueError for an unknown facet or label.
        """
        ...


Answer: TypeAlias = Prediction | Exception
"""The result for one text: its prediction, or why it has none."""


def predict_each(classifier: Predicts, texts: Sequence[str]) -> list[Answer]:
    """Return a prediction or an exception for each text, in as few calls as possible.

    A batch that is refused is halved until the refused text is alone; any other failure counts for every text.
    """
    if not texts:
        return []
    try:
        return [*classifier.predict(texts)]
    except (ClassifierRejected, ValueError) as error:
        if len(texts) == 1:
            return [error]
    except Exception as error:
        return [error] * len(texts)
    middle = len(texts) // 2
    return predict_each(classifier, texts[:middle]) + predict_each(classifier, texts[middle:])
