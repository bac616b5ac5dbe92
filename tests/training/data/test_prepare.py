"""Prepared files: their lines, splits and order."""

import csv
import itertools
import json
from collections import Counter

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from classifier_infra.model.text import VERSION, clean, normalise
from training.data.dataset import TEST, TRAIN, VALIDATION, DataError, Example
from training.data.prepare import prepare, prepare_row

CLASSES = ("Billing", "Technical help")
ROWS = [(1 + i % 2, f"message number {i}") for i in range(200)]
RAW = ("__label__Billing", "__label__Technical_help")


def lines_of(folder, name):
    return (folder / name).read_text(encoding="utf-8").splitlines()


def all_lines_of(folder):
    return Counter(line for path in folder.glob("*.txt") for line in lines_of(folder, path.name))


# --- Lines ----------------------------------------------------------------------------------------------------


def test_a_line_has_the_label_and_the_words_as_served(tmp_path, write_facet):
    write_facet(tmp_path / "data", CLASSES, test='2,"Hi,","mail &lt;me@example.org&gt; at once!"\n')

    prepare(tmp_path / "data", tmp_path / "out")

    words = normalise(clean("Hi, mail &lt;me@example.org&gt; at once!"))
    assert lines_of(tmp_path / "out", "test.txt") == [f"__label__Technical_help {words}"]


def test_labels_of_other_facets_name_the_facet(tmp_path, write_facet):
    for facet in ("tone", "category"):
        write_facet(tmp_path / "data" / facet, CLASSES, test=[(1, "thank you")])

    prepare(tmp_path / "data", tmp_path / "out")

    assert lines_of(tmp_path / "out", "test.txt") == ["__label__Billing thank you", "__label__tone=Billing thank you"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(max_size=200))
def test_no_text_makes_a_second_label_or_a_second_line(tmp_path, text):
    words = normalise(clean(f"{text} __label__Billing\n\0x"))

    line = str(prepare_row(Example("", words, 0), TRAIN, RAW, 0.0))

    assert [token for token in line.split() if token.startswith("__label__")] == ["__label__Billing"]
    assert line == " ".join(line.split())


# --- Files ----------------------------------------------------------------------------------------------------


def test_validation_rows_are_taken_from_training_rows_and_never_from_test_rows(tmp_path, write_facet):
    data = write_facet(tmp_path / "data", CLASSES, train=ROWS, test=[(1, f"test {i}") for i in range(50)])

    prepared = prepare(data, tmp_path / "out")

    validated = lines_of(tmp_path / "out", "validation.txt")
    assert 5 <= len(validated) <= 40
    assert len(lines_of(tmp_path / "out", "train.txt")) + len(validated) == 200
    assert all("message number" in line for line in validated)
    assert len(lines_of(tmp_path / "out", "test.txt")) == sum(prepared.lines[TEST].values()) == 50


def test_with_validation_rows_all_training_rows_are_trained_on(tmp_path, write_facet):
    data = write_facet(tmp_path / "data", CLASSES, train=ROWS, validation=[(1, "one more")])

    prepare(data, tmp_path / "out")

    assert len(lines_of(tmp_path / "out", "train.txt")) == 200
    assert lines_of(tmp_path / "out", "validation.txt") == ["__label__Billing one more"]


def test_a_text_is_validated_in_all_facets_or_in_none():
    splits = {
        words: {prepare_row(Example("", words, label), TRAIN, RAW, 0.5).split for label in (0, 1)} for _, words in ROWS
    }

    assert set(map(len, splits.values())) == {1}
    assert set.union(*splits.values()) == {TRAIN, VALIDATION}


def test_classes_are_interleaved(tmp_path, write_facet):
    data = write_facet(tmp_path / "data", CLASSES, train=sorted(ROWS))

    prepare(data, tmp_path / "out", validation=0)

    labels = [line.partition(" ")[0] for line in lines_of(tmp_path / "out", "train.txt")]
    changes = sum(label != next_label for label, next_label in itertools.pairwise(labels))
    assert 60 <= changes <= 140


def test_the_same_rows_in_any_order_give_the_same_bytes(tmp_path, write_facet):
    prepare(write_facet(tmp_path / "data", CLASSES, train=ROWS), tmp_path / "out")
    prepare(write_facet(tmp_path / "other", CLASSES, train=ROWS[::-1]), tmp_path / "out2")

    for path in (tmp_path / "out").iterdir():
        assert path.read_bytes() == (tmp_path / "out2" / path.name).read_bytes()


def test_shards_together_have_the_lines_of_the_whole(tmp_path, write_facet):
    prepare(write_facet(tmp_path / "all", CLASSES, train=ROWS, test=ROWS[:5]), tmp_path / "out")
    prepare(write_facet(tmp_path / "a", CLASSES, train=ROWS[:1]), tmp_path / "parts", part="a")
    prepare(write_facet(tmp_path / "b", CLASSES, train=ROWS[1:]), tmp_path / "parts", part="b")
    prepare(write_facet(tmp_path / "c", CLASSES, test=ROWS[:5]), tmp_path / "parts", part="c")

    assert all_lines_of(tmp_path / "parts") == all_lines_of(tmp_path / "out")
    validated = lines_of(tmp_path / "parts", "validation-a.txt") + lines_of(tmp_path / "parts", "validation-b.txt")
    assert sorted(validated) == sorted(lines_of(tmp_path / "out", "validation.txt"))


def test_the_description_of_labels_is_written_with_the_lines(tmp_path, write_facet):
    prepare(write_facet(tmp_path / "data", CLASSES, train=ROWS), tmp_path / "out", validation=0.25)

    described = json.loads((tmp_path / "out" / "prepared.json").read_text())

    trained, validated = described["lines"][TRAIN], described["lines"][VALIDATION]
    assert described["normaliser"] == VERSION
    assert described["validation"] == 0.25
    assert described["facets"]["category"][1] == {"name": "Technical_help", "display": "Technical help"}
    assert {label: trained[label] + validated[label] for label in RAW} == dict.fromkeys(RAW, 100)


# --- What cannot be prepared ------------------------------------------------------------------------------------


def test_every_bad_row_of_every_file_is_reported_and_nothing_is_written(tmp_path, write_facet):
    data = write_facet(tmp_path / "data", CLASSES, train='1,"",good\n3,"",what\n', test='1,"",!\n1,""\n')

    with pytest.raises(DataError) as raised:
        prepare(data, tmp_path / "out")

    assert [(problem.path.name, problem.line) for problem in raised.value.problems] == [
        ("train.csv", 2),
        ("test.csv", 2),
    ]
    assert list((tmp_path / "out").iterdir()) == []


def test_bad_rows_can_be_skipped_and_listed(tmp_path, write_facet):
    data = write_facet(tmp_path / "data", CLASSES, test='1,"",good\n3,"",what\n')
    dropped = []

    prepare(data, tmp_path / "out", dropped=dropped)

    assert lines_of(tmp_path / "out", "test.txt") == ["__label__Billing good"]
    assert [problem.line for problem in dropped] == [2]


def test_a_folder_without_rows_is_refused(tmp_path, write_facet):
    with pytest.raises(DataError, match=r"none of train\.csv, validation\.csv, test\.csv exists"):
        prepare(write_facet(tmp_path, CLASSES), tmp_path / "out")


def test_fields_with_quotes_line_breaks_and_commas_are_one_message(tmp_path, write_facet):
    data = write_facet(tmp_path / "data", CLASSES)
    with (data / "test.csv").open("w", newline="") as file:
        csv.writer(file).writerow([1, "", 'It says "no",\r\nagain'])

    prepare(data, tmp_path / "out")

    assert lines_of(tmp_path / "out", "test.txt") == ['__label__Billing it says " no " , again']
