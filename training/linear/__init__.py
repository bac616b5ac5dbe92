"""The linear trainer's hyperparameters, kept apart from scikit-learn so that the command line starts quickly."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FeatureSettings:
    """Features of a line, named after fastText's own arguments."""

    word_ngrams: int = 2
    minn: int = 3
    """Characters of the shortest sub-word; the markers of a word's ends (`<`, `>`) count as one each."""
    maxn: int = 4
    """Characters of the longest sub-word; 0 for none."""
    min_count: int = 1
    """Words seen less often are unknown: only their sub-words and n-grams count."""


@dataclass(frozen=True, slots=True)
class Hyperparameters:
    """Settings of a training run; the same values and rows give the same model."""

    features: FeatureSettings = FeatureSettings()
    buckets: int | None = None
    """Hashed feature ids; None chooses by the amount of text, up to 8 MiB."""
    cost: float = 2.0
    """LIBLINEAR's C. Single sentences did best at 1, paragraphs at 3."""
    bayes: float = 0.0
    """Weight of naive Bayes relative to the support vector machine (1). It helped with many classes of some hundred
    short texts each."""
    balanced: bool = False
    """Weight classes inversely to their frequency."""
    folds: int = 5
    """Cross-validation folds."""
    seed: int = 0
