"""Explain a prediction: the exact contribution of each word to a label's log-odds.

The log-odds of a label are ln of its probability over the geometric mean of those of the facet's other labels, with the
probabilities of decoding.py: the label's logit less the mean of the others' (0 if there is no other). Logits are linear
in the mean of the input rows of a text's features, so they can be split without a remainder:

    log-odds     = direction · mean of the features' rows
    direction    = scale * (output row of the label - mean of the output rows of the facet's others)
    scale        = calibration [* tau] * tokens ** length exponent
    contribution = direction · sum over a word's features of share * (row - typical row) / number of all features

A word's own id and its sub-words count fully (share 1), and each n-gram in equal shares for its n words (1 / n). The
rest is the baseline: the end of the line, which is a token too, and the typical row, the part that all features have in
common. Training spreads a label's intercept evenly over the features; counted as part of the words, it would make every
word, even one of an unknown language, speak for the labels that the model prefers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from operator import mul
from typing import NamedTuple

from classifier_infra.model.manifest import Facet, Manifest
from classifier_infra.model.model_file import END_OF_LINE, ModelFile, ModelFileError, Token
from classifier_infra.model.text import normalise

# Cached row sums of known words: some 3 MB for a model of nine labels, 15 MB for one of a hundred.
_CACHED_WORDS = 4096
# Hashed rows have no order, so the first ones are a random sample.
_TYPICAL_ROWS = 1024

Vector = Sequence[float]


@dataclass(frozen=True, slots=True)
class WordContribution:
    """The contribution to the log-odds of one token of the normalised text; positions count from 0.

    Of a token that is not `known` from training, only sub-words and n-grams count.
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
    """Explains the predictions of a model. Raises ModelFileError if the manifest is another model's."""

    def __init__(self, model: ModelFile, manifest: Manifest) -> None:
        if sorted(model.labels) != sorted(manifest.raw_labels()):
            raise ModelFileError("the manifest names other labels than the model file has")
        self._model = model
        self._directions = {facet.name: _directions(facet, model, manifest) for facet in manifest.facets}
        self._exponents = {facet.name: facet.length_exponent for facet in manifest.facets}
        self._typical_row = _typical_row(model)
        self._study_known = lru_cache(_CACHED_WORDS)(partial(_study, model))

    def explain(self, text: str, facet: str, label: str) -> Explanation:
        """Explain the log-odds of a label, by its short name, for a text that has been through `text.clean`.

        Raises ValueError if the model has no such facet or label, or no feature for the text, which fastText cannot
        classify either.
        """
        direction = self._directions.get(facet, {}).get(label)
        if direction is None:
            raise ValueError(f"the model has no label {label!r} in a facet {facet!r}")
        studied = [self._study(word) for word in (*normalise(text).split(), END_OF_LINE)]
        length_factor = len(studied) ** self._exponents[facet]
        direction = [length_factor * value for value in direction]
        typical = _dot(self._typical_row, direction)
        *parts, end = self._parts(studied, direction, typical)
        words = tuple(
            WordContribution(word.token.text, position, part, word.token.known)
            for position, (word, part) in enumerate(zip(studied[:-1], parts, strict=True))
        )
        baseline = typical + end
        return Explanation(facet, label, baseline + sum(parts), baseline, words)

    def _study(self, word: str) -> "_StudiedToken":
        # Unknown words are not cached: they may be names, and as long as a text.
        return self._study_known(word) if word.encode() in self._model.word_ids else _study(self._model, word)

    def _parts(self, studied: Sequence["_StudiedToken"], direction: Vector, typical: float) -> list[float]:
        """Return what each token adds to `typical`, the log-odds of a text with only typical rows."""
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
    """Return for each label the vector whose product with a text's mean row is the label's log-odds.

    The factor for the text's length is not included.
    """
    scale = facet.calibration * (manifest.tau if manifest.method == "heads" else 1.0)
    rows = [model.output.row(model.labels.index(manifest.raw_label(facet, label))) for label in facet.labels]
    centre = [sum(column) / len(rows) for column in zip(*rows, strict=True)]
    # From the distance to the mean of all labels to the distance to the mean of the others.
    scale *= len(rows) / max(len(rows) - 1, 1)
    return {
        label.name: [scale * (value - middle) for value, middle in zip(row, centre, strict=True)]
        for label, row in zip(facet.labels, rows, strict=True)
    }


class _StudiedToken(NamedTuple):
    token: Token
    row_sum: Vector
    """The sum of the rows of the token's own ids."""


def _study(model: ModelFile, word: str) -> _StudiedToken:
    token = model.token(word)
    return _StudiedToken(token, _sum_rows([model.input.row(id) for id in token.ids], model.arguments.dim))


def _typical_row(model: ModelFile) -> Vector:
    """Return the mean of the first hashed rows, or zeros if the model has only words."""
    first = len(model.word_ids)
    end = min(first + _TYPICAL_ROWS, model.input.rows)
    total = _sum_rows([model.input.row(id) for id in range(first, end)], model.arguments.dim)
    return [value / max(end - first, 1) for value in total]


def _sum_rows(rows: Sequence[Vector], dim: int) -> Vector:
    return [sum(column) for column in zip(*rows, strict=True)] or [0.0] * dim


def _dot(left: Vector, right: Vector) -> float:
    product: float = sum(map(mul, left, right))
    return product
