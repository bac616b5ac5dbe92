"""The starter messages, and the data folder made of them."""

from collections import Counter

import pytest

from training.data.dataset import SPLITS, TEST, TRAIN, VALIDATION, DataError, read_dataset
from training.starter import FACETS, read_messages, write_dataset

HEADER = "category,urgency,tone,text\n"


@pytest.fixture(scope="module")
def messages():
    return read_messages()


@pytest.fixture(scope="module")
def folder(messages, tmp_path_factory):
    folder = tmp_path_factory.mktemp("starter")
    write_dataset(messages, folder)
    return folder


def test_there_are_enough_messages_of_every_label(messages):
    assert len(messages) >= 400
    for facet, labels in FACETS.items():
        counts = Counter(message.labels[facet] for message in messages)
        assert min(counts[label] for label in labels) >= len(messages) / 6


def test_openings_vary(messages):
    openings = Counter(" ".join(message.text.lower().split()[:3]) for message in messages)

    assert openings.most_common(1)[0][1] <= len(messages) / 100


def test_each_facet_is_a_folder_that_can_be_trained_on(folder):
    facets = read_dataset(folder)

    assert {facet.name: tuple(label.name for label in facet.labels) for facet in facets} == {
        name: tuple(labels) for name, labels in FACETS.items()
    }


def test_a_message_is_in_the_same_split_of_every_facet(folder):
    for split in SPLITS:
        words = [sorted(example.words for example in facet.split(split)) for facet in read_dataset(folder)]
        assert words[0] == words[1] == words[2]


def test_no_message_is_in_two_splits(folder, messages):
    for facet in read_dataset(folder):
        words = [example.words for split in SPLITS for example in facet.split(split)]
        assert len(set(words)) == len(words) == len(messages)


def test_eight_tenths_are_for_training(folder, messages):
    facet = read_dataset(folder)[0]

    shares = [len(facet.split(split)) / len(messages) for split in (TRAIN, VALIDATION, TEST)]

    assert shares == pytest.approx([0.8, 0.1, 0.1], abs=0.03)


def test_a_message_keeps_its_split_when_others_are_removed(folder, messages, tmp_path):
    write_dataset(messages[::2], tmp_path)

    before, after = (read_dataset(path)[0] for path in (folder, tmp_path))

    assert set(after.split(TEST)) <= set(before.split(TEST))


def test_all_bad_messages_are_reported_at_once(tmp_path):
    (tmp_path / "a.csv").write_text(
        HEADER + "billing,low,neutral,fine\nsales,low,neutral,hello\nbilling,low,too few\nbilling,low,neutral, \n"
    )
    (tmp_path / "b.csv").write_text(HEADER + "general,low,neutral,FINE\n")
    (tmp_path / "c.csv").write_text("text,label\nhello,1\n")

    with pytest.raises(DataError) as raised:
        read_messages(tmp_path)

    assert [(problem.path.name, problem.line, problem.what) for problem in raised.value.problems] == [
        ("a.csv", 3, "unknown category 'sales'"),
        ("a.csv", 4, "3 columns, not 4"),
        ("a.csv", 5, "empty text"),
        ("b.csv", 2, "same text as a.csv:2"),
        ("c.csv", 1, "unexpected header"),
    ]


def test_a_folder_without_messages_is_refused(tmp_path):
    with pytest.raises(DataError, match="no messages"):
        read_messages(tmp_path)
