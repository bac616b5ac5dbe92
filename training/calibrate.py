"""Calibration of logits to probabilities, and the choice of confidence thresholds.

Both use rows that the head was not fitted to. A text's logits are a mean over its features, and a mean of few features
is large by chance, so the calibration factor grows with the number of tokens. Only a client that counts tokens can
apply it; `fit_factor` is for models whose raw scores must be probabilities.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar

from classifier_infra.model.manifest import NEVER

Array = NDArray[np.float64]
Counts = NDArray[np.int64]

_PRECISION = 0.95
# Below 0.5 a label is a guess, whatever the precision of the others; fewer rows are no evidence.
_LOWEST_THRESHOLD = 0.5
_FEWEST_ROWS = 20
_FEWEST_ROWS_FOR_EXPONENT = 200
_LOG_BOUNDS = (-5.0, 5.0)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Multiplies the logits of a text of `tokens` tokens by `factor * (tokens / typical_tokens) ** exponent`."""

    factor: float
    exponent: float = 0.0
    typical_tokens: float = 1.0

    @property
    def at_one_token(self) -> float:
        """Factor to apply to `factor` when lengths are not divided by `typical_tokens`."""
        return float(self.typical_tokens**-self.exponent)

    def apply(self, logits: Array, tokens: Counts) -> Array:
        """Return each row's probabilities."""
        scales = self.factor * (tokens / self.typical_tokens) ** self.exponent
        return softmax(scales[:, None] * logits)


def softmax(logits: Array) -> Array:
    """Return each row's probabilities."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Array = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities


def fit_factor(logits: Array, labels: Counts) -> Calibration:
    """Fit one factor (1 / temperature) for all logits, by log-loss."""
    targets = _smooth(labels, logits.shape[1])
    log = minimize_scalar(lambda log: _loss(logits * np.exp(log), targets), bounds=_LOG_BOUNDS, method="bounded").x
    return Calibration(math.exp(log))


def fit_calibration(logits: Array, labels: Counts, tokens: Counts) -> Calibration:
    """Fit factor and exponent by log-loss; the exponent is 0 if there are too few rows to fit it."""
    plain = fit_factor(logits, labels)
    if len(labels) < _FEWEST_ROWS_FOR_EXPONENT:
        return plain
    targets = _smooth(labels, logits.shape[1])
    typical = np.log(tokens).mean()
    lengths = np.log(tokens)[:, None] - typical
    log, exponent = minimize(
        lambda x: _loss(logits * np.exp(x[0] + x[1] * lengths), targets),
        (math.log(plain.factor), 0.5),
        bounds=(_LOG_BOUNDS, (0.0, 1.0)),
    ).x
    return Calibration(math.exp(log), float(exponent), math.exp(typical))


def _smooth(labels: Counts, classes: int) -> Array:
    """Return Platt's smoothed targets, which keep the factor finite when all predictions are right."""
    doubt = 1 / (len(labels) + 2)
    targets = np.full((len(labels), classes), doubt / (classes - 1))
    targets[np.arange(len(labels)), labels] = 1 - doubt
    return targets


def _loss(logits: Array, targets: Array) -> float:
    return float(-(targets * _log_softmax(logits)).sum(axis=1).mean())


def _log_softmax(logits: Array) -> Array:
    shifted = logits - logits.max(axis=1, keepdims=True)
    result: Array = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result


def choose_threshold(probabilities: Array, labels: Counts) -> float:
    """Return the lowest confidence, in hundredths, from which 95 % of the predictions are right, or NEVER."""
    confidences, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    for threshold in np.arange(round(_LOWEST_THRESHOLD * 100), 100) / 100:
        automatic = confidences >= threshold
        if automatic.sum() >= _FEWEST_ROWS and right[automatic].mean() >= _PRECISION:
            return float(threshold)
    return NEVER
