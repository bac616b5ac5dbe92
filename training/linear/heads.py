"""Linear heads over the mean of a text's features: one head per facet, with a shared dictionary.

A head is LIBLINEAR's support vector machine, one class against the rest. Cross-validation on training rows preferred it
to multinomial logistic regression on the same features: 97.3 against 96.8 % (DBpedia sample, words and 2-grams) and
90.7 against 90.6 % (Banking77), in a fifth of the time or less. Its margins are not probabilities, so calibrate.py fits
a temperature on held-out rows.

Naive Bayes is linear over the same features, makes other mistakes, and costs one matrix product, so a head may be the
sum of both (`Hyperparameters.bayes`).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.svm import LinearSVC

from training.data.dataset import Example
from training.data.splits import MANY_ROWS
from training.linear import Hyperparameters
from training.linear.features import Dictionary, build_dictionary, featurise

# Size limit of the hashed rows of a model.bin, which keeps models small enough for a Lambda function.
_HASHED_BYTES = 8 << 20
_MIN_BUCKETS = 1 << 8
_MAX_ITERATIONS = 10_000
# Naive Bayes' smoothing: added to each feature's sum of shares in each class.
_UNSEEN = 3e-4
# A smaller spread is noise from where LIBLINEAR stopped, and must not be scaled up.
_LEAST_SPREAD = 1e-3
# For many rows, LIBLINEAR's own default: half the time of scikit-learn's, and the same answers to 2,500 texts.
_TOLERANCE, _TOLERANCE_OF_MANY = 1e-4, 1e-1

Weights = NDArray[np.float64]
Classes = Sequence[int] | NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LinearModel:
    """A dictionary and one weight matrix (features × labels) per facet."""

    dictionary: Dictionary
    heads: tuple[Weights, ...]

    def logits(self, words: Sequence[str], facet: int) -> Weights:
        """Return the logits (texts × labels) of normalised texts for the facet with this index."""
        logits: Weights = featurise(words, self.dictionary) @ self.heads[facet]
        return logits


def fit_model(
    examples: Sequence[Sequence[Example]],
    label_counts: Sequence[int],
    hyperparameters: Hyperparameters,
    on_head: Callable[[], object] = lambda: None,
) -> LinearModel:
    """Fit one head per facet to its own examples; `on_head` is called after each."""
    dictionary = fit_dictionary(examples, label_counts, hyperparameters)
    heads = []
    for facet in examples:
        shares = featurise([example.words for example in facet], dictionary)
        heads.append(fit_head(shares, [example.label for example in facet], hyperparameters))
        on_head()
    return LinearModel(dictionary, tuple(heads))


def fit_dictionary(
    examples: Sequence[Sequence[Example]], label_counts: Sequence[int], hyperparameters: Hyperparameters
) -> Dictionary:
    """Build the dictionary shared by the heads of all facets."""
    # Texts in several facets count once.
    texts = list(dict.fromkeys(example.words for example in chain.from_iterable(examples)))
    buckets = hyperparameters.buckets or choose_buckets(sum(map(len, texts)), sum(label_counts))
    return build_dictionary(texts, hyperparameters.features, buckets)


def choose_buckets(characters: int, labels: int) -> int:
    """Return a power of two: about one id per n-gram and sub-word of the texts, limited by the file's size."""
    # A thousand messages have about one distinct n-gram or sub-word per five characters; more messages have fewer.
    wanted = 1 << max(characters // 4, _MIN_BUCKETS).bit_length() - 1
    room = 1 << (_HASHED_BYTES // (4 * labels)).bit_length() - 1
    return min(wanted, room)


def fit_head(shares: sparse.csr_matrix, labels: Classes, hyperparameters: Hyperparameters) -> Weights:
    """Fit a head to feature shares (texts × features, rows sum to 1) and classes 0 … k-1, each with an example.

    The weights (features × k) include the features' scales and the intercept: since rows sum to 1, adding the intercept
    to every weight adds it to every logit.
    """
    scale = _inverse_document_frequencies(shares)
    # Scale texts to norm 1 on average, so that `cost` means the same for long texts, whose shares are small.
    scale /= np.sqrt(shares.power(2) @ scale**2).mean()
    machine = LinearSVC(
        C=hyperparameters.cost,
        class_weight="balanced" if hyperparameters.balanced else None,
        dual=True,
        tol=_TOLERANCE if shares.shape[0] < MANY_ROWS else _TOLERANCE_OF_MANY,
        max_iter=_MAX_ITERATIONS,
        random_state=hyperparameters.seed,
    )
    machine.fit(shares @ sparse.diags(scale), labels)
    weights: Weights = scale[:, None] * machine.coef_.T + machine.intercept_
    # With two classes, there is only the second one's margin.
    margins = np.hstack([-weights, weights]) if weights.shape[1] == 1 else weights
    if not hyperparameters.bayes:
        return margins
    evidence = _naive_bayes_weights(shares, labels)
    return _to_unit_spread(margins, shares) + hyperparameters.bayes * _to_unit_spread(evidence, shares)


def _naive_bayes_weights(shares: sparse.csr_matrix, labels: Classes) -> Weights:
    """Return naive Bayes' weights: a feature's log-likelihood in a class minus that in all other classes."""
    texts = np.arange(shares.shape[0])
    of_class = sparse.csr_matrix((np.ones(len(texts)), (texts, np.asarray(labels))))
    seen = (shares.T @ of_class).toarray() + _UNSEEN
    others = seen.sum(axis=1, keepdims=True) - seen
    weights: Weights = np.log(seen / seen.sum(axis=0)) - np.log(others / others.sum(axis=0))
    return weights


def _to_unit_spread(weights: Weights, shares: sparse.csr_matrix) -> Weights:
    """Centre each feature's weights and scale them so that the texts' logits have standard deviation 1."""
    centred: Weights = weights - weights.mean(axis=1, keepdims=True)
    spread = float((shares @ centred).std())
    return centred / spread if spread > _LEAST_SPREAD else centred


def cross_fit(
    shares: sparse.csr_matrix,
    labels: Classes,
    folds: NDArray[np.int64],
    words: int,
    hyperparameters: Hyperparameters,
    on_head: Callable[[], object] = lambda: None,
) -> Weights:
    """Return each row's logits from a head fitted to all other folds; NaN for rows with a negative fold.

    The first `words` features are known words. A word that occurs in no other fold is removed from a row, as an unknown
    word would be.
    """
    classes = np.asarray(labels)
    logits = np.full((len(classes), classes.max() + 1), np.nan)
    for fold in range(folds.max() + 1):
        held = folds == fold
        seen = shares[~held]
        head = fit_head(seen, classes[~held], hyperparameters)
        counts = np.bincount(seen.indices, minlength=shares.shape[1])
        logits[held] = _remove_unknown_words(shares[held], counts, words) @ head
        on_head()
    return logits


def _remove_unknown_words(shares: sparse.csr_matrix, counts: NDArray[np.int64], words: int) -> sparse.csr_matrix:
    known = (counts > 0) | (np.arange(len(counts)) >= words)
    kept = shares @ sparse.diags(known.astype(float))
    return sparse.diags(1 / np.asarray(kept.sum(axis=1)).ravel()) @ kept


def _inverse_document_frequencies(shares: sparse.csr_matrix) -> Weights:
    texts = shares.shape[0]
    frequencies = np.bincount(shares.indices, minlength=shares.shape[1])
    idf: Weights = np.log((1 + texts) / (1 + frequencies)) + 1
    return idf
