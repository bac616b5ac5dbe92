"""Assignment of examples to validation folds, independent of their order."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.data.dataset import TRAIN, VALIDATION, DataError, Example, Facet, Problem

ALWAYS_TRAINED = -1
"""Fold of an example that is never used for validation."""

MANY_ROWS = 100_000
"""From this number of rows, validation rows are held out of the final fit too."""

_FOLDS_OF_MANY = 50

# This many validation rows measure a precision of 95 % to about one point; more only take time.
_ENOUGH_ROWS = 1_000


@dataclass(frozen=True, slots=True)
class Rows:
    """A facet's examples with their validation folds.

    With `is_refitted`, the exported head is fitted to all examples after validation; otherwise it is the validated one.
    """

    examples: tuple[Example, ...]
    folds: NDArray[np.int64]
    is_refitted: bool = True

    @property
    def labels(self) -> NDArray[np.int64]:
        return np.array([example.label for example in self.examples])

    @property
    def fitted(self) -> tuple[Example, ...]:
        """The examples that the exported head is fitted to."""
        if self.is_refitted:
            return self.examples
        return tuple(example for example, fold in zip(self.examples, self.folds, strict=True) if fold == ALWAYS_TRAINED)

    @property
    def validated(self) -> list[Example]:
        return [example for example, fold in zip(self.examples, self.folds, strict=True) if fold != ALWAYS_TRAINED]


def divide(facet: Facet, folds: int) -> Rows:
    """Assign the rows of `train.csv` and `validation.csv` to folds.

    Of many rows, a fiftieth is enough for validation and is not missed in the fit, so there is no second fit. Raises
    DataError if no row can be held out.
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
        what = "no class has two different texts, so none can be held out for validation"
        raise DataError([Problem(facet.path / TRAIN, 0, what, "add examples")])
    return Rows(examples, keep_one_fold(assigned) if len(examples) >= folds * _ENOUGH_ROWS else assigned)


def assign_folds(examples: Sequence[Example], folds: int) -> NDArray[np.int64]:
    """Return the validation fold (0 to folds - 1) of each example.

    Folds are stratified by class and chosen by a hash of the words; equal texts of a class share a fold. The only text
    of a class is always trained, since the class would be unknown without it.
    """
    by_class: defaultdict[int, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for row, example in enumerate(examples):
        by_class[example.label][example.words].append(row)
    assigned = np.full(len(examples), ALWAYS_TRAINED, dtype=np.int64)
    for label, texts in by_class.items():
        for rank, words in enumerate(sorted(texts, key=_hash) if len(texts) > 1 else ()):
            # Classes start at different folds, so that small classes are spread over all folds.
            assigned[texts[words]] = (rank + label) % folds
    return assigned


def keep_one_fold(folds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Keep fold 0 for validation and always train the others."""
    return np.where(folds == 0, 0, ALWAYS_TRAINED)


def _hash(words: str) -> bytes:
    return hashlib.sha256(words.encode()).digest()
