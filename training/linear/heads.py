"""Linear heads over the mean of a text's features: one head a facet, all over one dictionary.

A head is fitted by LIBLINEAR's support vector machine, one class against the rest. It was chosen by cross-validation
on training rows against multinomial logistic regression on the same features: 97.3 against 96.8 % (DBpedia sample,
words and 2-grams) and 90.7 against 90.6 % (Banking77), in a fifth of the time or less. Its margins are no
probabilities, so they are given a temperature on rows that a head has not seen (calibrate.py).

Naive Bayes is linear over the same features, errs elsewhere, and costs one product of matrices: a head may be the sum
of both (`Hyperparameters.bayes`).
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
from training.linear.features import Dictionary, build_dictionary, featurise
from training.linear.hyperparameters import Hyperparameters

# What the hashed rows of a model.bin may take, in bytes: models stay small enough for a Lambda function.
_HASHED_BYTES = 8 << 20
_MIN_BUCKETS = 1 << 8
_MAX_ITERATIONS = 10_000
# What naive Bayes believes to have seen of every feature in every class, as a part of a text.
_UNSEEN = 3e-4
# Logits that differ less say nothing: that is where LIBLINEAR happened to stop, and is not to be made larger.
_LEAST_SPREAD = 1e-3
# Of many rows LIBLINEAR's own default: half the time of scikit-learn's, and the same answer to each of 2,500 texts.
_TOLERANCE, _TOLERANCE_OF_MANY = 1e-4, 1e-1

Weights = NDArray[np.float64]
Classes = Sequence[int] | NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class LinearModel:
    """A dictionary and one weight matrix a facet: features × labels, so that logits = featurise(words) @ weights."""

    dictionary: Dictionary
    heads: tuple[Weights, ...]

    def logits(self, words: Sequence[str], facet: int) -> Weights:
        """Give texts × labels."""
        logits: Weights = featurise(words, self.dictionary) @ self.heads[facet]
        return logits


def fit_model(
    examples: Sequence[Sequence[Example]],
    label_counts: Sequence[int],
    hyperparameters: Hyperparameters,
    on_head: Callable[[], object] = lambda: None,
) -> LinearModel:
    """Fit one head a facet from its own examples; `on_head` is called after each."""
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
    """Make the dictionary that the heads of all facets share."""
    # A text that several facets share counts once.
    texts = list(dict.fromkeys(example.words for example in chain.from_iterable(examples)))
    buckets = hyperparameters.buckets or choose_buckets(sum(map(len, texts)), sum(label_counts))
    return build_dictionary(texts, hyperparameters.features, buckets)


def choose_buckets(characters: int, labels: int) -> int:
    """Give a power of two: about one id for each n-gram and sub-word of the texts, as far as a small file has room."""
    # A thousand messages have a distinct n-gram or sub-word for every five characters; more of them have fewer.
    wanted = 1 << max(characters // 4, _MIN_BUCKETS).bit_length() - 1
    room = 1 << (_HASHED_BYTES // (4 * labels)).bit_length() - 1
    return min(wanted, room)


def fit_head(shares: sparse.csr_matrix, labels: Classes, hyperparameters: Hyperparameters) -> Weights:
    """Fit a head to feature shares (texts × features, rows sum to 1) and classes 0 … k-1, each with an example.

    The weights (features × k) include what scales a feature, and the intercept: rows sum to 1, so what is added to
    every feature's weight is added to every text's logit, exactly.
    """
    scale = _inverse_document_frequencies(shares)
    # Texts of length 1 on average: so `cost` means the same for long texts, whose shares are small, and short ones.
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
    # Of two classes there is one margin, the second's.
    margins = np.hstack([-weights, weights]) if weights.shape[1] == 1 else weights
    if not hyperparameters.bayes:
        return margins
    evidence = _weigh_evidence(shares, labels)
    return _to_unit_spread(margins, shares) + hyperparameters.bayes * _to_unit_spread(evidence, shares)


def _weigh_evidence(shares: sparse.csr_matrix, labels: Classes) -> Weights:
    """Give naive Bayes' weights: the log of how much likelier a feature is in a class than in all the others."""
    texts = np.arange(shares.shape[0])
    of_class = sparse.csr_matrix((np.ones(len(texts)), (texts, np.asarray(labels))))
    seen = (shares.T @ of_class).toarray() + _UNSEEN
    others = seen.sum(axis=1, keepdims=True) - seen
    weights: Weights = np.log(seen / seen.sum(axis=0)) - np.log(others / others.sum(axis=0))
    return weights


def _to_unit_spread(weights: Weights, shares: sparse.csr_matrix) -> Weights:
    """Scale weights so that the texts' logits have standard deviation 1, around 0 in each text."""
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
    """Give each row the logits of a head fitted to the rows of all other folds; NaN where its fold is negative.

    The first `words` features are words with ids of their own. One that the other folds do not have is taken out of
    a row, as an unknown word would be.
    """
    classes = np.asarray(labels)
    logits = np.full((len(classes), classes.max() + 1), np.nan)
    for fold in range(folds.max() + 1):
        held = folds == fold
        seen = shares[~held]
        head = fit_head(seen, classes[~held], hyperparameters)
        logits[held] = _forget_words(shares[held], np.bincount(seen.indices, minlength=shares.shape[1]), words) @ head
        on_head()
    return logits


def _forget_words(shares: sparse.csr_matrix, counts: NDArray[np.int64], words: int) -> sparse.csr_matrix:
    known = (counts > 0) | (np.arange(len(counts)) >= words)
    kept = shares @ sparse.diags(known.astype(float))
    return sparse.diags(1 / np.asarray(kept.sum(axis=1)).ravel()) @ kept


def _inverse_document_frequencies(shares: sparse.csr_matrix) -> Weights:
    texts = shares.shape[0]
    frequencies = np.bincount(shares.indices, minlength=shares.shape[1])
    idf: Weights = np.log((1 + texts) / (1 + frequencies)) + 1
    return idf
