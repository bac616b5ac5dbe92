"""Assignment of examples to validation folds."""

from collections import Counter

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from training.data.dataset import TRAIN, Example, Facet
from training.data.splits import ALWAYS_TRAINED, assign_folds, divide, keep_one_fold

EXAMPLES = [
    Example(f"text {i}", f"text {i}", label) for label, count in ((0, 100), (1, 30), (2, 2)) for i in range(count)
]


def test_folds_are_stratified_by_class():
    folds = assign_folds(EXAMPLES, 10)

    parts = [Counter(np.array([example.label for example in EXAMPLES])[folds == fold].tolist()) for fold in range(10)]
    assert {part[0] for part in parts} == {10}
    assert {part[1] for part in parts} == {3}
    assert sum(part[2] for part in parts) == 2


def test_the_order_of_the_rows_changes_nothing():
    folds, of_reversed = assign_folds(EXAMPLES, 5), assign_folds(EXAMPLES[::-1], 5)

    np.testing.assert_array_equal(folds, of_reversed[::-1])


def test_the_only_text_of_a_class_is_always_trained():
    assert assign_folds([Example("a", "a", 0)] * 3, 5).tolist() == [ALWAYS_TRAINED] * 3


def test_one_fold_can_be_kept():
    assert keep_one_fold(np.array([0, 1, 2, 0, ALWAYS_TRAINED])).tolist() == [0, -1, -1, 0, -1]


@given(st.lists(st.tuples(st.text("ab", max_size=3), st.integers(0, 3))), st.integers(2, 5))
def test_equal_texts_share_a_fold_and_every_class_always_has_an_example(rows, folds):
    examples = [Example(words, words, label) for words, label in rows]

    assigned = assign_folds(examples, folds)

    assert len({(row, fold) for row, fold in zip(rows, assigned.tolist(), strict=True)}) == len(set(rows))
    for fold in range(folds):
        trained = {example.label for example, held in zip(examples, assigned == fold, strict=True) if not held}
        assert trained == {example.label for example in examples}


# --- Many rows ------------------------------------------------------------------------------------------------


def test_a_fiftieth_of_many_rows_is_held_out_of_every_fit(tmp_path, monkeypatch):
    monkeypatch.setattr("training.data.splits.MANY_ROWS", 1_000)
    examples = tuple(Example("", f"text {i}", i % 2) for i in range(2_000))

    rows = divide(Facet("category", tmp_path, (), {TRAIN: examples}, {}), folds=5)

    assert len(rows.validated) == 40
    assert not rows.is_refitted
    assert {*rows.fitted} == {*examples} - {*rows.validated}


def test_few_rows_are_all_fitted_to(tmp_path):
    examples = tuple(Example("", f"text {i}", i % 2) for i in range(20))

    rows = divide(Facet("category", tmp_path, (), {TRAIN: examples}, {}), folds=5)

    assert rows.fitted == examples
