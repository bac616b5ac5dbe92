"""What a training run can be told."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FeatureSettings:
    """Which features a line has, under the names of fastText's own arguments."""

    word_ngrams: int = 2
    minn: int = 3
    """Characters of the shortest sub-word; a word's begin and end (`<`, `>`) count as one each."""
    maxn: int = 4
    """Characters of the longest sub-word; 0 for none."""
    min_count: int = 1
    """Words seen less often are unknown words: their sub-words and n-grams still count."""


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """All that a training run can be told; the same values and rows give the same model."""

    features: FeatureSettings = FeatureSettings()
    buckets: int | None = None
    """Hashed feature ids; None for as many as the texts and 8 MiB ask for."""
    cost: float = 2.0
    """The price of a margin broken, against the size of the weights: texts of a sentence did best at 1, of a
    paragraph at 3."""
    bayes: float = 0.0
    """How much naive Bayes counts beside the support vector machine, whose margins count 1. It helped where there are
    many classes with some hundred short texts each."""
    balanced: bool = False
    """Whether rare classes weigh as much as frequent ones."""
    folds: int = 5
    """How many parts the rows are validated in, each by heads fitted to the others."""
    seed: int = 0
