"""What the classifier says of a text: for each facet, every label with its probability."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

Caution: TypeAlias = Literal[
    "canaries-moved",  # the model does not give the answers that it gave when it was made
    "words-unchecked",  # its vocabulary is not at hand, so gibberish would go unnoticed
]
"""Why what a classifier says is a suggestion at most, however sure it sounds."""


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
        """How far the best label is ahead of the second; 1 where there is no second."""
        return self.confidence - self.scores[1].confidence if len(self.scores) > 1 else 1.0


@dataclass(frozen=True, slots=True)
class Familiarity:
    """How many of a text's words (tokens with a letter) are familiar to the model; familiarity.py says which are."""

    familiar: int
    words: int


@dataclass(frozen=True, slots=True)
class Prediction:
    """All facets of one text (the main one first), by which model, and who served it.

    `familiarity` is None where nobody counted.
    """

    facets: Mapping[str, FacetPrediction]
    model_version: str
    served_by: str
    familiarity: Familiarity | None = None
    caution: Caution | None = None
