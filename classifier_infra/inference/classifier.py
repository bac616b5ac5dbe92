"""Ask a classifier what it makes of texts.

    ClassifierError
    ├── ClassifierUnavailable   no answer, or none that can be used: the same call may succeed later
    └── ClassifierRejected      the model's container refused these texts: the same call will fail again

An error never quotes a text. Its `__cause__` is what boto3 or the decoding raised.
"""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

from classifier_infra.model.explanation import Explanation
from classifier_infra.model.manifest import Manifest
from classifier_infra.model.prediction import Prediction


class ClassifierError(Exception):
    """The classifier did not classify."""


class ClassifierUnavailable(ClassifierError):
    """Timeout, throttling, server error, no such endpoint, or an answer that is not one: try again later."""


class ClassifierRejected(ClassifierError):
    """The endpoint refused this batch. Where one text of it may be the reason, send them one by one."""


class NotExplainable(Exception):
    """The model is too large to be at hand, so its words' contributions cannot be told."""


class Classifier(Protocol):
    """Whatever predicts: an endpoint, a model in this process, or one of them in the other's place."""

    @property
    def manifest(self) -> Manifest: ...

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        """Give one prediction for each text, in their order. The texts have been through `text.clean`.

        Raises ClassifierUnavailable, ClassifierRejected, and ValueError for a text without a word: a model answers
        an empty text with its prior, which looks like confidence. Callers ask `text.is_readable` first.
        """
        ...

    def explain(self, text: str, facet: str, label: str) -> Explanation:
        """Tell what each word of a clean text adds to a label, by its short name. Nobody else is asked.

        Raises NotExplainable, and ValueError where there is no such facet or label.
        """
        ...


Answer: TypeAlias = Prediction | Exception
"""What became of one text: its prediction, or the reason why it has none."""


class Predicts(Protocol):
    """The half of a Classifier that predicts."""

    def predict(self, texts: Sequence[str]) -> list[Prediction]: ...


def predict_each(classifier: Predicts, texts: Sequence[str]) -> list[Answer]:
    """Give a prediction or the reason why there is none, for each text, in as few calls as that takes.

    All texts go in one call. A batch that is refused is halved until the text that is refused is alone; any other
    failure is no text's fault, and every text's.
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
