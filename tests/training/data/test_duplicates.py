"""Reports of duplicate texts."""

import pytest

from training.data.dataset import read_dataset
from training.data.duplicates import find_duplicates


@pytest.fixture
def describe(tmp_path, write_facet):
    return lambda **splits: find_duplicates(read_dataset(write_facet(tmp_path, **splits))[0])


def test_repeated_leaked_and_contradicting_texts_are_listed_with_their_lines(describe):
    train = [(1, "refund"), (1, "Refund"), (2, "crash"), (3, "crash"), (3, "hours")]

    assert describe(train=train, test=[(3, "hours"), (1, "crash"), (2, "new")]) == [
        "2 texts repeated in train.csv: train.csv:1, train.csv:2; train.csv:3, train.csv:4",
        "2 texts in both train.csv and test.csv: train.csv:3, train.csv:4, test.csv:2; train.csv:5, test.csv:1",
        "1 text given different classes: train.csv:3 (Technical help), train.csv:4 (General), test.csv:2 (Billing)",
    ]


def test_a_line_is_where_the_row_begins(describe):
    assert describe(train='1,"","one\nline"\n\n2,"","two\nlines"\n3,"","One Line"\n') == [
        "1 text repeated in train.csv: train.csv:1, train.csv:6",
        "1 text given different classes: train.csv:1 (Billing), train.csv:6 (General)",
    ]


def test_only_the_first_of_many_texts_are_shown(describe):
    rows = [(1 + i % 3, f"text {i}") for i in range(5)]

    assert describe(train=rows + rows) == [
        "5 texts repeated in train.csv: train.csv:1, train.csv:6; train.csv:2, train.csv:7; train.csv:3, train.csv:8; "
        "and 2 more"
    ]


def test_unique_texts_are_not_reported(describe):
    assert describe(train=[(1, "a"), (2, "b"), (3, "c")]) == []
