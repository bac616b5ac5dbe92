"""Decode the raw scores of a `model.bin` into a probability for each label of each facet.

fastText answers float32 `p + 1e-5` with p = softmax over *all* labels; a server may not add this floor, so it is
measured (`(sum - 1) / labels`), never assumed. The meaning of p depends on how the model was made:

- `direct`: one facet, exported at its calibrated temperature; p is the answer.
- `heads`: several linear heads, each centred, exported divided by `tau`: within a facet
  softmax(calibration * tau * ln p) undoes that exactly; the constant of the joint softmax cancels.
- `joint`: one softmax learnt over several facets (BlazingText's own training); p is renormalised in the facet.

If a facet has a length exponent, its log-odds are also multiplied by tokens ** exponent. `direct` models have none:
their raw scores are calibrated as they are, and too coarse near 0 to be softened afterwards.
"""

import math
from collections.abc import Mapping
from operator import attrgetter

from classifier_infra.model.manifest import Facet, Manifest
from classifier_infra.model.prediction import FacetPrediction, Score

# The probability of a label that scored only the floor: float32 cannot tell smaller ones apart.
_SMALLEST = 1e-9

# The floors of known servers. A measured floor is rounded to one of them, because the error of a float32 sum would show
# in log-odds that are made smaller afterwards.
_KNOWN_FLOORS = (1e-5, 0.0)
_FLOOR_ERROR = 1e-6

_LARGEST_FLOOR = 1e-3  # above this, the scores are not a softmax with a floor
_MOST_NAMED = 3
_CONFIDENCE = attrgetter("confidence")


class UnexpectedScores(ValueError):
    """The scores are not a probability distribution over this manifest's labels."""


class Decoder:
    """Decodes the scores of one model."""

    def __init__(self, manifest: Manifest) -> None:
        self._labels = frozenset(manifest.raw_labels())
        self._facets = [_PreparedFacet(facet, manifest) for facet in manifest.facets]

    def decode(self, scores: Mapping[str, float], tokens: int) -> dict[str, FacetPrediction]:
        """Return the predictions of a text by facet, in the manifest's order.

        `scores` are those of all raw labels, `tokens` the text's tokens as count_tokens counts them. Raises
        UnexpectedScores if a label is missing or unknown, a score is not a finite number, or their sum is not about 1.
        """
        if scores.keys() != self._labels:
            # Unknown labels are not quoted: there is no telling what a wrong server puts there.
            missing = sorted(self._labels - scores.keys())[:_MOST_NAMED]
            raise UnexpectedScores(f"{len(scores)} labels instead of {len(self._labels)}; missing are {missing}")
        floor = _measure_floor(scores)
        return {facet.name: facet.decode(scores, floor, tokens) for facet in self._facets}


def count_tokens(words: str) -> int:
    """Count the tokens of a normalised text as fastText does, including the end of the line."""
    return len(words.split()) + 1


def _measure_floor(scores: Mapping[str, float]) -> float:
    try:
        floor = (sum(scores.values()) - 1) / len(scores)
    except (TypeError, OverflowError) as error:
        raise UnexpectedScores("a score is not a number") from error
    if not math.isfinite(floor) or min(scores.values()) < 0:
        raise UnexpectedScores("a score is negative or not a finite number")
    if abs(floor) > _LARGEST_FLOOR:
        raise UnexpectedScores("the scores do not sum to 1")
    return next((known for known in _KNOWN_FLOORS if abs(floor - known) < _FLOOR_ERROR), floor)


class _PreparedFacet:
    """A facet's raw labels and scale, computed once."""

    def __init__(self, facet: Facet, manifest: Manifest) -> None:
        self.name = facet.name
        self._labels = [(label.name, manifest.raw_label(facet, label)) for label in facet.labels]
        self._scale = facet.calibration * (manifest.tau if manifest.method == "heads" else 1.0)
        self._exponent = facet.length_exponent

    def decode(self, scores: Mapping[str, float], floor: float, tokens: int) -> FacetPrediction:
        scale = self._scale * tokens**self._exponent
        values = [max(scores[raw] - floor, _SMALLEST) for _, raw in self._labels]
        top = max(values)
        # softmax(scale * ln p), computed without logarithms
        weights = [(value / top) ** scale for value in values]
        total = sum(weights)
        named = [Score(name, weight / total) for (name, _), weight in zip(self._labels, weights, strict=True)]
        named.sort(key=_CONFIDENCE, reverse=True)
        return FacetPrediction(tuple(named))
