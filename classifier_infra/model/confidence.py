"""Detect texts that a model cannot judge, such as gibberish and languages that it was not trained on.

A model answers any text, with confidence. Texts it can judge show in their words: at least half of them are among the
few thousand most frequent words of the training data. The limit to frequent words matters for large vocabularies, which
contain many foreign words as names and quotations.

Of held-out texts, these constants reject 0.3 % in the starter data, 0.5 % in a sample of DBpedia and none in Banking77;
of sentences in German, French, Spanish and Japanese they reject all.
"""

from collections.abc import Iterable
from itertools import islice
from typing import Literal, TypeAlias

from classifier_infra.model.prediction import Caution, Familiarity, Prediction

MOST_FREQUENT = 5_000
SMALLEST_SHARE = 0.5

Doubt: TypeAlias = Literal[Caution, "unfamiliar"]
"""A reason not to act on a prediction, whatever its confidences: because of the model, or because of the text."""


class Vocabulary:
    """The words that a model is familiar with."""

    def __init__(self, words: Iterable[str]) -> None:
        """Take a model's words, the most frequent first, in the order of `model.bin`."""
        self._familiar = frozenset(filter(_is_word, islice(words, MOST_FREQUENT)))

    def measure(self, text: str) -> Familiarity:
        """Count the words of a normalised text."""
        tokens = text.split()
        unfamiliar = [token for token in tokens if token not in self._familiar]
        familiar = len(tokens) - len(unfamiliar)
        return Familiarity(familiar, familiar + sum(map(_is_word, unfamiliar)))


def is_enough(familiarity: Familiarity) -> bool:
    """Report whether the model can judge such a text; it cannot judge one without words."""
    return familiarity.words > 0 and familiarity.familiar >= SMALLEST_SHARE * familiarity.words


def find_doubt(prediction: Prediction) -> Doubt | None:
    """Return the reason to let a person decide, or None if the confidences can be relied on."""
    if prediction.familiarity is not None and not is_enough(prediction.familiarity):
        return "unfamiliar"
    return prediction.caution


def _is_word(token: str) -> bool:
    return any(map(str.isalpha, token))
