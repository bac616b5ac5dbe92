"""Tell texts a model can judge from those it cannot: gibberish, and languages it was not trained on.

A model answers anything, and sounds sure of it. What gives a text away is its words: at least half of those of a text
like the model's own are among the few thousand that its training texts use most. The limit to the most frequent
matters for large vocabularies, which hold many words of other languages, as names and in quotations.

Where the constants come from: of texts that the vocabulary was not made from, 0.3 % fall short in the starter data,
0.5 % in a sample of DBpedia and none in Banking77; of sentences in German, French, Spanish and Japanese, all do.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Literal, TypeAlias

from classifier_infra.model.prediction import Caution, Familiarity, Prediction

MOST_FREQUENT = 5_000
SMALLEST_SHARE = 0.5


class Vocabulary:
    """The words a model is familiar with."""

    def __init__(self, words: Iterable[str]) -> None:
        """Take a model's words, the most frequent first, as they stand in `model.bin`."""
        self._familiar = frozenset(filter(_is_word, islice(words, MOST_FREQUENT)))

    def measure(self, text: str) -> Familiarity:
        """Count the words of a normalised text."""
        tokens = text.split()
        unfamiliar = [token for token in tokens if token not in self._familiar]
        familiar = len(tokens) - len(unfamiliar)
        return Familiarity(familiar, familiar + sum(map(_is_word, unfamiliar)))


def is_enough(familiarity: Familiarity) -> bool:
    """Tell whether the model can judge such a text. One without any word, it cannot."""
    return familiarity.words > 0 and familiarity.familiar >= SMALLEST_SHARE * familiarity.words


def _is_word(token: str) -> bool:
    return any(map(str.isalpha, token))


Doubt: TypeAlias = Literal[Caution, "unfamiliar"]
"""Why nothing of a prediction is to be acted on, whatever its confidences: for the model's sake, or the text's."""


def find_doubt(prediction: Prediction) -> Doubt | None:
    """Give the reason to let a person decide, or None where the confidences may speak for themselves."""
    if prediction.familiarity is not None and not is_enough(prediction.familiarity):
        return "unfamiliar"
    return prediction.caution
