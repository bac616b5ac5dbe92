"""Why a text has its label: what each of its words adds to the label's log-odds, exactly.

The log-odds of a label are ln of its probability over the geometric mean of those of the facet's other labels, with the
probabilities that decoding.py gives: the label's logit less the mean of the others' (0 where there is no other). Logits
are linear in the mean of the input rows of a text's features, so they come apart without a remainder:

    log-odds     = direction · mean of the features' rows
    direction    = scale * (output row of the label - mean of the output rows of the facet's others)
    scale        = calibration [* tau] * tokens ** length exponent
    contribution = direction · sum over a word's features of share * (row - typical row) / number of all features

A word has its own id and its sub-words alone (share 1), and each n-gram equally with the n-gram's other words (1 / n).
The rest is the baseline: the end of the line, which is a token too, and the typical row. That is what all features have
alike: training spreads a label's intercept evenly over them, and left there it would make every word, even one of a
language the model has never seen, seem to speak for the labels the model leans to.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from operator import mul
from typing import NamedTuple

from classifier_infra.model.manifest import Facet, Manifest
from classifier_infra.model.model_file import END_OF_LINE, ModelFile, ModelFileError, Token
from classifier_infra.model.text import normalise

# Known words whose rows stay added up: some 3 MB for a model of nine labels, 15 MB for one of a hundred.
_KEPT_WORDS = 4096
# Hashed rows have no order, so the first of them are a random sample.
_TYPICAL_ROWS = 1024

Vector = Sequence[float]


@dataclass(frozen=True, slots=True)
class WordContribution:
    """What one token of the normalised text, the `position`-th from 0, adds to the log-odds.

    `known` tells whether it was seen in training; of a token that was not, sub-words and n-grams count.
    """

    word: str
    position: int
    contribution: float
    known: bool


@dataclass(frozen=True, slots=True)
class Explanation:
    """A label's log-odds (natural logarithm): the sum of `baseline` and of the contributions, in the text's order."""

    facet: str
    label: str
    log_odds: float
    baseline: float
    words: tuple[WordContribution, ...]


class Explainer:
    """Explains what a model says. Raises ModelFileError where the manifest is another model's."""

    def __init__(self, model: ModelFile, manifest: Manifest) -> None:
        if sorted(model.labels) != sorted(manifest.raw_labels()):
            raise ModelFileError("the manifest names other labels than the model file has")
        self._model = model
        self._directions = {facet.name: _directions(facet, model, manifest) for facet in manifest.facets}
        self._exponents = {facet.name: facet.length_exponent for facet in manifest.facets}
        self._typical_row = _typical_row(model)
        self._study_known = lru_cache(_KEPT_WORDS)(partial(_study, model))

    def explain(self, text: str, facet: str, label: str) -> Explanation:
        """Explain the log-odds of a label, by its short name, for a text that has been through `text.clean`.

        Raises ValueError where the model has no such facet or label, or no feature for the text (then fastText gives
        no answer either).
        """
        direction = self._directions.get(facet, {}).get(label)
        if direction is None:
            raise ValueError(f"the model has no label {label!r} in a facet {facet!r}")
        studied = [self._study(word) for word in (*normalise(text).split(), END_OF_LINE)]
        stretch = len(studied) ** self._exponents[facet]
        direction = [stretch * value for value in direction]
        typical = _dot(self._typical_row, direction)
        *parts, end = self._parts(studied, direction, typical)
        words = tuple(
            WordContribution(word.token.text, position, part, word.token.known)
            for position, (word, part) in enumerate(zip(studied[:-1], parts, strict=True))
        )
        baseline = typical + end
        return Explanation(facet, label, baseline + sum(parts), baseline, words)

    def _study(self, word: str) -> "_StudiedToken":
        # An unknown word may be a name, and as long as a text: it is not kept.
        return self._study_known(word) if word.encode() in self._model.word_ids else _study(self._model, word)

    def _parts(self, studied: Sequence["_StudiedToken"], direction: Vector, typical: float) -> list[float]:
        """Give what each token adds to `typical`, the log-odds of a text that had only typical rows."""
        ngrams = self._model.ngrams([word.token for word in studied])
        features = len(ngrams) + sum(len(word.token.ids) for word in studied)
        if not features:
            raise ValueError("the model has no feature for this text")
        sums = [_dot(word.row_sum, direction) - len(word.token.ids) * typical for word in studied]
        for ngram in ngrams:
            share = (_dot(self._model.input.row(ngram.id), direction) - typical) / ngram.length
            for position in range(ngram.first, ngram.first + ngram.length):
                sums[position] += share
        return [value / features for value in sums]


def _directions(facet: Facet, model: ModelFile, manifest: Manifest) -> dict[str, Vector]:
    """Give, label by label, what to multiply a text's mean row with to get the label's log-odds.

    What the text's length adds to that is not in it.
    """
    scale = facet.calibration * (manifest.tau if manifest.method == "heads" else 1.0)
    rows = [model.output.row(model.labels.index(manifest.raw_label(facet, label))) for label in facet.labels]
    centre = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
    # It is that much further from the mean of all labels to the mean of the others.
    scale *= len(rows) / max(len(rows) - 1, 1)
    return {
        label.name: [scale * (value - middle) for value, middle in zip(row, centre, strict=True)]
        for label, row in zip(facet.labels, rows, strict=True)
    }


class _StudiedToken(NamedTuple):
    token: Token
    row_sum: Vector
    """The rows of the token's own ids, added up."""


def _study(model: ModelFile, word: str) -> _StudiedToken:
    token = model.token(word)
    return _StudiedToken(token, _add_up([model.input.row(id) for id in token.ids], model.arguments.dim))


def _typical_row(model: ModelFile) -> Vector:
    """Give the mean of the first hashed rows; zeros where a model has words only."""
    first = len(model.word_ids)
    end = min(first + _TYPICAL_ROWS, model.input.rows)
    total = _add_up([model.input.row(id) for id in range(first, end)], model.arguments.dim)
    return [value / max(end - first, 1) for value in total]


def _add_up(rows: Sequence[Vector], dim: int) -> Vector:
    return [sum(column) for column in zip(*rows, strict=True)] or [0.0] * dim


def _dot(left: Vector, right: Vector) -> float:
    product: float = sum(map(mul, left, right))
    return product
