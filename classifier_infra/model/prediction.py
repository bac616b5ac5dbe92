"""The classifier's prediction for a text: for each facet, every label with its probability."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Caution: TypeAlias = Literal[
    "canaries-moved",  # the model does not give the answers that it gave when it was made
    "words-unchecked",  # its vocabulary is not loaded, so gibberish would go unnoticed
]
"""A reason not to act on a classifier's predictions, however high their confidences."""


@dataclass(frozen=True, slots=True)
class Score:
    """A label's short name (`billing`) and its probability within its facet (0 to 1)."""

    name: str
    confidence: float


@dataclass(frozen=True, slots=True)
class FacetPrediction:
    """One facet's labels, most likely first; the confidences sum to 1."""

    scores: tuple[Score, ...]

    @property
    def name(self) -> str:
        return self.scores[0].name

    @property
    def confidence(self) -> float:
        return self.scores[0].confidence

    @property
    def margin(self) -> float:
        """The best label's lead over the second one; 1 if there is no second."""
        return self.confidence - self.scores[1].confidence if len(self.scores) > 1 else 1.0


@dataclass(frozen=True, slots=True)
class Familiarity:
    """The number of a text's words (tokens with a letter), and of those the model is familiar with; see Vocabulary."""

    familiar: int
    words: int


@dataclass(frozen=True, slots=True)
class Prediction:
    """All facets of one text (the main one first), the model's version, and `endpoint` or `embedded`.

    `familiarity` is None if the model's vocabulary is not loaded.
    """

    facets: Mapping[str, FacetPrediction]
    model_version: str
    served_by: str
    familiarity: Familiarity | None = None
    caution: Caution | None = None
