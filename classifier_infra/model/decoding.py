"""From the raw scores of `model.bin` to a probability for each label of each facet.

fastText answers float32 `p + 1e-5` with p = softmax over *all* labels; a server may add no such floor, so it is
measured (`(sum - 1) / labels`), never assumed. What p means depends on how the model was made:

- `direct`: one facet, exported at its calibrated temperature; p is the answer.
- `heads`: several linear heads, each centred, exported divided by `tau`: within a facet
  softmax(calibration * tau * ln p) undoes that exactly; the constant of the joint softmax cancels.
- `joint`: one softmax learnt over several facets (BlazingText's own training); p is renormalised in the facet.

Where a facet has a length exponent, its log-odds are multiplied by tokens ** exponent on top of that. `direct` models
have none: their raw scores are honest as they are, and too coarse near 0 to be made less sure afterwards.
"""

import math
from collections.abc import Mapping
from operator import attrgetter

from classifier_infra.model.manifest import Facet, Manifest
from classifier_infra.model.prediction import FacetPrediction, Score

# What is left of a label when the floor is all it scored: float32 cannot tell smaller ones apart.
_SMALLEST = 1e-9

# What servers are known to add. A sum of float32 is off by more than the floor's own last digits, which matter where
# log-odds are made smaller afterwards.
_KNOWN_FLOORS = (1e-5, 0.0)
_FLOOR_ERROR = 1e-6

# Further from 1 than this, over the labels, no sum of a softmax strays: fastText's floor is 1e-5.
_LARGEST_FLOOR = 1e-3

_MOST_NAMED = 3


class UnexpectedScores(ValueError):
    """The scores are not a probability distribution over this manifest's labels."""


class Decoder:
    """Decodes the scores of one model, as often as it is asked to."""

    def __init__(self, manifest: Manifest) -> None:
        self._labels = frozenset(manifest.raw_labels())
        self._facets = [_PreparedFacet(facet, manifest) for facet in manifest.facets]

    def decode(self, scores: Mapping[str, float], tokens: int) -> dict[str, FacetPrediction]:
        """Decode the scores of all raw labels of one text of `tokens` tokens, facet by facet, in the manifest's order.

        Raises UnexpectedScores where a label is missing or unknown, a score is no finite number, or they do not sum
        to about 1.
        """
        if scores.keys() != self._labels:
            # A label that we do not know is not repeated: nobody can tell what a wrong server puts there.
            missing = sorted(self._labels - scores.keys())[:_MOST_NAMED]
            raise UnexpectedScores(f"{len(scores)} labels instead of {len(self._labels)}; missing are {missing}")
        floor = _measure_floor(scores)
        return {facet.name: facet.decode(scores, floor, tokens) for facet in self._facets}


def decode(scores: Mapping[str, float], manifest: Manifest, tokens: int) -> dict[str, FacetPrediction]:
    """Decode the scores of one text; see Decoder, which is for many. Raises UnexpectedScores."""
    return Decoder(manifest).decode(scores, tokens)


def count_tokens(words: str) -> int:
    """Count the tokens of a normalised text as fastText does, for whom the end of the line is one."""
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
    """What decoding a facet takes, worked out once."""

    def __init__(self, facet: Facet, manifest: Manifest) -> None:
        self.name = facet.name
        self._labels = [(label.name, manifest.raw_label(facet, label)) for label in facet.labels]
        self._scale = facet.calibration * (manifest.tau if manifest.method == "heads" else 1.0)
        self._exponent = facet.length_exponent

    def decode(self, scores: Mapping[str, float], floor: float, tokens: int) -> FacetPrediction:
        scale = self._scale * tokens**self._exponent
        values = [max(scores[raw] - floor, _SMALLEST) for _, raw in self._labels]
        top = max(values)
        # softmax(scale * ln p), without leaving and coming back to the probabilities
        weights = [(value / top) ** scale for value in values]
        total = sum(weights)
        named = [Score(name, weight / total) for (name, _), weight in zip(self._labels, weights, strict=True)]
        named.sort(key=_confidence, reverse=True)
        return FacetPrediction(tuple(named))


_confidence = attrgetter("confidence")
