"""Learning curve: accuracy of heads fitted to growing parts of the training rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.calibrate import softmax
from training.data.dataset import TRAIN, Example, Facet
from training.data.splits import assign_folds
from training.linear import FeatureSettings, Hyperparameters
from training.linear.heads import fit_model
from training.metrics import Answers, Interval, accuracy_interval

_PARTS = 16
_SIZES = (1, 2, 4, 8, 16)


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Accuracy, with a 95 % interval, of a head fitted to `rows` training rows."""

    rows: int
    accuracy: float
    interval: Interval


def learning_curve(
    facet: Facet, split: str, hyperparameters: Hyperparameters, on_fit: Callable[[], object] = lambda: None
) -> list[CurvePoint]:
    """Fit to a sixteenth of the rows of `train.csv`, then twice as many, up to all; measure on the rows of `split`.

    Parts are stratified by class, and each contains the one before it.
    """
    training, tests = facet.split(TRAIN), facet.split(split)
    parts = assign_folds(training, _PARTS)
    points = []
    for size in _SIZES:
        # ALWAYS_TRAINED is negative, so those rows are in every part.
        rows = [example for example, part in zip(training, parts, strict=True) if part < size]
        if len({example.label for example in rows}) > 1:
            points.append(_measure(rows, tests, hyperparameters))
        on_fit()
    return points


def _measure(rows: Sequence[Example], tests: Sequence[Example], hyperparameters: Hyperparameters) -> CurvePoint:
    # The head has no column for a class that is missing from a small part.
    labels = sorted({example.label for example in rows})
    logits = fit_model([rows], [len(labels)], hyperparameters).logits([example.words for example in tests], 0)
    actual = np.array([example.label for example in tests])
    probabilities = np.zeros((len(tests), max(actual.max(), labels[-1]) + 1))
    probabilities[:, labels] = softmax(logits)
    answers = Answers(tuple(map(str, range(probabilities.shape[1]))), actual, probabilities)
    return CurvePoint(len(rows), float(answers.right.mean()), accuracy_interval(answers))


def recorded_hyperparameters(training: Mapping[str, Any]) -> Hyperparameters:
    """Return the hyperparameters recorded in a linear model's manifest."""
    recorded = dict(training["hyperparameters"])
    return Hyperparameters(**recorded | {"features": FeatureSettings(**recorded["features"])})
