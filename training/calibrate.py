"""From logits to probabilities that hold, and from probabilities to the confidence worth acting on.

Both are measured on rows that the head was not fitted to. A text's logits are a mean over its features, and a mean of
few is long by chance: so the factor that makes probabilities of them grows with the number of tokens. That takes a
client that counts them; `fit_factor` is for models whose raw scores are to be probabilities as they are.
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
# Below even odds a label is a guess, whatever the precision of the others; and fewer rows than these prove nothing.
_LOWEST_THRESHOLD = 0.5
_FEWEST_ROWS = 20
_FEWEST_ROWS_FOR_EXPONENT = 200
_LOG_BOUNDS = (-5.0, 5.0)


@dataclass(frozen=True, slots=True)
class Calibration:
    """The logits of a text of `tokens` tokens are multiplied by `factor * (tokens / typical_tokens) ** exponent`."""

    factor: float
    exponent: float = 0.0
    typical_tokens: float = 1.0

    @property
    def at_one_token(self) -> float:
        """What `factor` has to be multiplied with where lengths are not divided by the typical one."""
        return float(self.typical_tokens**-self.exponent)

    def apply(self, logits: Array, tokens: Counts) -> Array:
        """Give the probabilities of each row."""
        scales = self.factor * (tokens / self.typical_tokens) ** self.exponent
        return softmax(scales[:, None] * logits)


def softmax(logits: Array) -> Array:
    """Give the probabilities of each row."""
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: Array = exponentials / exponentials.sum(axis=1, keepdims=True)
    return probabilities


def fit_factor(logits: Array, labels: Counts) -> Calibration:
    """Give the one factor (1 / temperature) that makes the log-loss of all logits least."""
    targets = _doubtful(labels, logits.shape[1])
    log = minimize_scalar(lambda log: _loss(logits * np.exp(log), targets), bounds=_LOG_BOUNDS, method="bounded").x
    return Calibration(math.exp(log))


def fit_calibration(logits: Array, labels: Counts, tokens: Counts) -> Calibration:
    """Give the factor and the exponent that make the log-loss least; few rows do not tell an exponent."""
    plain = fit_factor(logits, labels)
    if len(labels) < _FEWEST_ROWS_FOR_EXPONENT:
        return plain
    targets = _doubtful(labels, logits.shape[1])
    typical = np.log(tokens).mean()
    lengths = np.log(tokens)[:, None] - typical
    log, exponent = minimize(
        lambda x: _loss(logits * np.exp(x[0] + x[1] * lengths), targets),
        (math.log(plain.factor), 0.5),
        bounds=(_LOG_BOUNDS, (0.0, 1.0)),
    ).x
    return Calibration(math.exp(log), float(exponent), math.exp(typical))


def _doubtful(labels: Counts, classes: int) -> Array:
    """Give Platt's targets: n right answers of n are no proof of certainty, so the factor stays finite."""
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
    """Give the lowest confidence, in hundredths, from which on 95 % of the predictions are right; NEVER if none is."""
    confidences, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    for threshold in np.arange(round(_LOWEST_THRESHOLD * 100), 100) / 100:
        automatic = confidences >= threshold
        if automatic.sum() >= _FEWEST_ROWS and right[automatic].mean() >= _PRECISION:
            return float(threshold)
    return NEVER
