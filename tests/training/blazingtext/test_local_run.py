"""Local runs of BlazingText jobs with the original fastText."""

import sys
from pathlib import Path

import fasttext
import pytest

from training.blazingtext.hyperparameters import SUPERVISED, estimate_bytes, resolve
from training.blazingtext.local_run import LocalRunError, run_locally, to_fasttext_arguments

SMALL = {"vector_dim": "8", "buckets": "1000", "min_count": "1", "epochs": "20", "learning_rate": "0.5"}


@pytest.fixture(scope="module")
def prepared(tmp_path_factory, message_examples, message_labels):
    path = tmp_path_factory.mktemp("prepared") / "train.txt"
    lines = [f"__label__{message_labels[example.label].name} {example.words}\n" for example in message_examples]
    path.write_text("".join(lines), encoding="utf-8")
    return path


def test_a_supervised_model_can_be_served_and_has_the_same_bytes_again(ask_fasttext, prepared, tmp_path):
    values = resolve(SUPERVISED, SMALL)

    first = run_locally(SUPERVISED, prepared, tmp_path / "first", values)
    second = run_locally(SUPERVISED, prepared, tmp_path / "second", values)

    model = fasttext.load_model(str(first.model))
    assert first.model.read_bytes() == second.model.read_bytes()
    assert model.f.predict("why did the price of my plan go up\n", 1, 0.0, "strict")[0][1] == "__label__Billing"
    assert first.model.stat().st_size == pytest.approx(estimate_bytes(values, first.words), abs=10_000)
    assert first.vectors is None


@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
def test_word_vectors_are_written_as_word2vec_writes_them(ask_fasttext, prepared, tmp_path, mode):
    values = resolve(mode, {"vector_dim": "8", "min_count": "2", "epochs": "1"})

    found = run_locally(mode, prepared, tmp_path, values)

    head, *rows = found.vectors.read_text(encoding="utf-8").splitlines()
    assert head == f"{found.words} 8"
    assert len(rows) == found.words > 5
    assert all(len([float(number) for number in row.split(" ")[1:]]) == 8 for row in rows)
    assert not any(row.startswith("__label__") for row in rows)


def test_fasttexts_error_is_reported_and_no_file_is_left(ask_fasttext, tmp_path):
    (tmp_path / "empty.txt").write_text("")

    with pytest.raises(LocalRunError, match=r"fastText ended with exit code 1: .*Empty vocabulary"):
        run_locally(SUPERVISED, tmp_path / "empty.txt", tmp_path / "out", resolve(SUPERVISED, {}))

    assert list((tmp_path / "out").iterdir()) == []


def test_without_its_environment_the_error_says_how_to_set_it_up(tmp_path, prepared):
    with pytest.raises(LocalRunError, match=r"there is no .*, which has fastText 0\.9\.2"):
        run_locally(SUPERVISED, prepared, tmp_path, resolve(SUPERVISED, {}), python=tmp_path / "python")


def test_the_serving_environments_fasttext_cannot_train(tmp_path, prepared):
    with pytest.raises(LocalRunError, match="train_supervised"):
        run_locally(SUPERVISED, prepared, tmp_path, resolve(SUPERVISED, {}), python=Path(sys.executable))


def test_batch_skipgram_has_no_counterpart():
    with pytest.raises(LocalRunError, match="use skipgram"):
        to_fasttext_arguments("batch_skipgram", resolve("batch_skipgram", {}))


def test_the_learning_rate_is_always_passed_because_fasttext_has_another_default():
    assert to_fasttext_arguments(SUPERVISED, resolve(SUPERVISED, {}))["lr"] == 0.05
