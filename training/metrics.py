"""Metrics of a model's answers to labelled texts: accuracy, F1, calibration, coverage, comparison."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binomtest

Array = NDArray[np.float64]
Classes = NDArray[np.int64]
Interval = tuple[float, float]

BINS = 15
_RESAMPLES = 1_000
_LEVEL = 0.95
_CURVE_POINTS = 100


@dataclass(frozen=True)
class Answers:
    """A facet's labels, the actual class of each text, and the model's probabilities (texts × labels)."""

    labels: tuple[str, ...]
    actual: Classes
    probabilities: Array

    @cached_property
    def predicted(self) -> Classes:
        best: Classes = self.probabilities.argmax(axis=1)
        return best

    @cached_property
    def right(self) -> NDArray[np.bool_]:
        right: NDArray[np.bool_] = self.predicted == self.actual
        return right

    @cached_property
    def confidences(self) -> Array:
        best: Array = self.probabilities.max(axis=1)
        return best


@dataclass(frozen=True, slots=True)
class Metrics:
    """Shares (0 to 1) over `rows` examples."""

    accuracy: float
    macro_f1: float
    rows: int


@dataclass(frozen=True, slots=True)
class ClassMetrics:
    """Precision, recall and F1 (0 to 1) of one class with `rows` examples."""

    name: str
    precision: float
    recall: float
    f1: float
    rows: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Texts of similar confidence, with their mean confidence and accuracy."""

    rows: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Point:
    """Share of predictions with at least `threshold` confidence (coverage), and their precision."""

    threshold: float
    coverage: float
    precision: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """Difference in accuracy between two models on the same texts; `p` is of McNemar's exact test, two-sided."""

    difference: float
    interval: Interval
    only_first_right: int
    only_second_right: int
    p: float


def measure(answers: Answers) -> Metrics:
    """Measure at least one answer."""
    counts = confusion(answers)
    return Metrics(float(answers.right.mean()), float(_macro_f1(counts[None])[0]), len(answers.actual))


def confusion(answers: Answers) -> Classes:
    """Count texts: actual class (rows) × predicted class (columns)."""
    classes = len(answers.labels)
    cells = np.bincount(answers.actual * classes + answers.predicted, minlength=classes**2)
    return cells.reshape(classes, classes).astype(np.int64)


def accuracy_interval(answers: Answers) -> Interval:
    """Return Wilson's 95 % interval."""
    found = binomtest(int(answers.right.sum()), len(answers.right)).proportion_ci(_LEVEL, method="wilson")
    return float(found.low), float(found.high)


def macro_f1_interval(answers: Answers) -> Interval:
    """Return the 95 % interval of a bootstrap over texts, with a fixed seed."""
    counts = confusion(answers)
    shares = counts.ravel() / counts.sum()
    resamples = np.random.default_rng(0).multinomial(counts.sum(), shares, _RESAMPLES)
    return _middle(_macro_f1(resamples.reshape(_RESAMPLES, *counts.shape)))


def _macro_f1(counts: Classes) -> Array:
    """Return one macro-F1 per confusion matrix, over the classes that occur or are predicted."""
    right = np.diagonal(counts, axis1=1, axis2=2)
    involved = counts.sum(axis=1) + counts.sum(axis=2)
    scores: Array = (2 * right / np.maximum(involved, 1)).sum(axis=1) / (involved > 0).sum(axis=1)
    return scores


def _middle(values: Array) -> Interval:
    low, high = np.quantile(values, [(1 - _LEVEL) / 2, (1 + _LEVEL) / 2])
    return float(low), float(high)


def measure_classes(answers: Answers) -> list[ClassMetrics]:
    counts = confusion(answers)
    right, predicted, actual = np.diagonal(counts), counts.sum(axis=0), counts.sum(axis=1)
    return [
        ClassMetrics(
            name,
            precision=float(right[i] / max(predicted[i], 1)),
            recall=float(right[i] / max(actual[i], 1)),
            f1=float(2 * right[i] / max(predicted[i] + actual[i], 1)),
            rows=int(actual[i]),
        )
        for i, name in enumerate(answers.labels)
    ]


def reliability(answers: Answers) -> list[Bin]:
    """Return the non-empty bins of equal width, least confident first."""
    of_bin = np.minimum((answers.confidences * BINS).astype(int), BINS - 1)
    members = [of_bin == i for i in range(BINS)]
    return [
        Bin(int(chosen.sum()), float(answers.confidences[chosen].mean()), float(answers.right[chosen].mean()))
        for chosen in members
        if chosen.any()
    ]


def calibration_error(answers: Answers) -> float:
    """Return the expected calibration error."""
    return sum(found.rows * abs(found.confidence - found.accuracy) for found in reliability(answers)) / len(
        answers.actual
    )


def coverage_curve(answers: Answers) -> list[Point]:
    """Return precision by coverage, from the highest threshold down; texts of equal confidence share a point."""
    order = np.argsort(-answers.confidences, kind="stable")
    confidences, right = answers.confidences[order], answers.right[order].cumsum()
    last = np.flatnonzero(np.append(confidences[1:] < confidences[:-1], True))
    chosen = last[np.unique(np.linspace(0, len(last) - 1, _CURVE_POINTS).round().astype(int))]
    rows = len(confidences)
    return [Point(float(confidences[i]), float((i + 1) / rows), float(right[i] / (i + 1))) for i in chosen]


def compare(first: Answers, second: Answers) -> Comparison:
    """Compare two models' answers to the same texts, in the same order."""
    gains, losses = int((first.right & ~second.right).sum()), int((~first.right & second.right).sum())
    rows = len(first.right)
    shares = np.array([gains, losses, rows - gains - losses]) / rows
    resamples = np.random.default_rng(0).multinomial(rows, shares, 10 * _RESAMPLES)
    p = float(binomtest(gains, gains + losses).pvalue) if gains + losses else 1.0
    interval = _middle((resamples[:, 0] - resamples[:, 1]) / rows)
    return Comparison((gains - losses) / rows, interval, gains, losses, p)


def reweigh(probabilities: Array, trained: Sequence[float], expected: Sequence[float]) -> Array:
    """Adjust probabilities from the training rows' class shares (priors) to the expected ones."""
    weighed = probabilities * (np.asarray(expected) / np.asarray(trained))
    result: Array = weighed / weighed.sum(axis=1, keepdims=True)
    return result
