"""Which examples are validated when: the same texts always give the same folds, in whatever order they come."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.dataset import TRAIN, VALIDATION, DataError, Example, Facet, Problem

ALWAYS_TRAINED = -1
"""The fold of an example that is never validated."""

MANY_ROWS = 100_000
"""From so many rows on, those that are validated are not fitted to afterwards either."""

_FOLDS_OF_MANY = 50

# So many validated rows tell a precision of 95 % to about a point; more of them would only take time.
_ENOUGH_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Rows:
    """A facet's examples, and the fold that each of them is validated in.

    Unless `is_refitted`, the head that is validated is the one that is exported.
    """

    examples: tuple[Example, ...]
    folds: NDArray[np.int64]
    is_refitted: bool = True

    @property
    def labels(self) -> NDArray[np.int64]:
        return np.array([example.label for example in self.examples])

    @property
    def fitted(self) -> tuple[Example, ...]:
        """Give the examples that the exported head is fitted to."""
        if self.is_refitted:
            return self.examples
        return tuple(example for example, fold in zip(self.examples, self.folds, strict=True) if fold == ALWAYS_TRAINED)

    @property
    def validated(self) -> list[Example]:
        return [example for example, fold in zip(self.examples, self.folds, strict=True) if fold != ALWAYS_TRAINED]


def divide(facet: Facet, folds: int) -> Rows:
    """Say which rows of `train.csv` and `validation.csv` are validated when.

    A fiftieth of many rows is enough to validate, and too little to be missed: they are fitted to once.

    Raises DataError where nothing can be set apart for validation.
    """
    training, validation = facet.split(TRAIN), facet.split(VALIDATION)
    examples = training + validation
    is_refitted = len(examples) < MANY_ROWS
    if len(validation) >= _ENOUGH_ROWS:
        return Rows(examples, np.repeat([ALWAYS_TRAINED, 0], [len(training), len(validation)]), is_refitted)
    if not is_refitted:
        return Rows(examples, keep_one_fold(assign_folds(examples, _FOLDS_OF_MANY)), is_refitted)
    assigned = assign_folds(examples, folds)
    if (assigned == ALWAYS_TRAINED).all():
        what = "no class has two different texts, so none can be set apart for validation"
        raise DataError([Problem(facet.path / TRAIN, 0, what, "add examples")])
    return Rows(examples, keep_one_fold(assigned) if len(examples) >= folds * _ENOUGH_ROWS else assigned)


def assign_folds(examples: Sequence[Example], folds: int) -> NDArray[np.int64]:
    """Give each example the fold (0 to folds - 1) that it is validated in, by a head fitted to all the others.

    Of each class a fold has about as many distinct texts as every other, chosen by their words' hash; equal texts of
    a class stay together. A class with one text alone is always trained: without it the class would be unknown.
    """
    by_class: defaultdict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row, example in enumerate(examples):
        by_class[example.label][example.words].append(row)
    assigned = np.full(len(examples), ALWAYS_TRAINED, dtype=np.int64)
    for label, texts in by_class.items():
        for rank, words in enumerate(sorted(texts, key=_hash) if len(texts) > 1 else ()):
            # Small classes begin with different folds, so that all folds have a part of them.
            assigned[texts[words]] = (rank + label) % folds
    return assigned


def keep_one_fold(folds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Have one fold validated, and the others always trained."""
    return np.where(folds == 0, 0, ALWAYS_TRAINED)


def _hash(words: str) -> bytes:
    return hashlib.sha256(words.encode()).digest()
