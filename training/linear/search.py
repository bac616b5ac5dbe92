"""Hyperparameter search by cross-validation, on the rows that training calibrates on, never on test rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product

from training.data.dataset import Facet
from training.data.splits import ALWAYS_TRAINED, Rows, divide
from training.linear import Hyperparameters
from training.linear.features import featurise
from training.linear.heads import cross_fit, fit_dictionary
from training.metrics import Answers, measure

_COSTS = (0.5, 1.0, 2.0, 4.0)
_LONGEST_NGRAMS = (2, 3)
_LONGEST_SUBWORDS = (0, 4, 5)
_BAYES_WEIGHTS = (0.0, 0.4, 0.8, 1.2)


@dataclass(frozen=True, slots=True)
class Trial:
    """Hyperparameters with their cross-validated macro-F1, averaged over the facets."""

    hyperparameters: Hyperparameters
    macro_f1: float


def list_candidates(start: Hyperparameters) -> list[Hyperparameters]:
    """Return `start` with other costs, word n-grams and sub-words."""
    return [
        replace(start, cost=cost, features=replace(start.features, word_ngrams=ngrams, maxn=maxn))
        for ngrams, maxn, cost in product(_LONGEST_NGRAMS, _LONGEST_SUBWORDS, _COSTS)
        if maxn == 0 or maxn >= start.features.minn
    ]


def vary_bayes(best: Hyperparameters) -> list[Hyperparameters]:
    """Return `best` with other weights of naive Bayes; a full grid would take four times as many trials."""
    return [replace(best, bayes=weight) for weight in _BAYES_WEIGHTS if weight != best.bayes]


def search(
    facets: Sequence[Facet], candidates: Sequence[Hyperparameters], on_trial: Callable[[], object] = lambda: None
) -> list[Trial]:
    """Try every candidate and return the trials, best first, ties in the order of candidates.

    Raises DataError if no row can be held out.
    """
    parts = [divide(facet, candidates[0].folds) for facet in facets]
    trials = []
    for candidate in candidates:
        trials.append(Trial(candidate, _try(facets, parts, candidate)))
        on_trial()
    return sorted(trials, key=lambda trial: -trial.macro_f1)


def _try(facets: Sequence[Facet], parts: Sequence[Rows], candidate: Hyperparameters) -> float:
    dictionary = fit_dictionary([rows.examples for rows in parts], [len(facet.labels) for facet in facets], candidate)
    scores = []
    for facet, rows in zip(facets, parts, strict=True):
        shares = featurise([example.words for example in rows.examples], dictionary)
        logits = cross_fit(shares, rows.labels, rows.folds, len(dictionary.words), candidate)
        held = rows.folds != ALWAYS_TRAINED
        names = tuple(label.name for label in facet.labels)
        scores.append(measure(Answers(names, rows.labels[held], logits[held])).macro_f1)
    return sum(scores) / len(scores)
