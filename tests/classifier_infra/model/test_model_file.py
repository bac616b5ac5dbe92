import json
import os
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier_infra.model.model_file import END_OF_LINE, ModelFile, ModelFileError, Token, open_model_file
from classifier_infra.model.text import normalise
from training.linear.export import to_fasttext
from training.linear.features import Dictionary, FeatureSettings, build_dictionary, feature_ids

ROOT = Path(__file__).parents[3]
FASTTEXT_PYTHON = ROOT / ".venv-fasttext" / "bin" / "python"

LABELS = ("__label__a", "__label__b")
TEXTS = ("refund the invoice", "the über invoice 👍 , don't pay 00000", "请 退款 the the the")
QUESTIONS = [*TEXTS, "rare unbekannt 👩‍🚀 ñandú", "invoice", "the " * 50 + "invoice"]
SETTINGS = {
    "words": FeatureSettings(word_ngrams=1, minn=0, maxn=0),
    "words and pairs": FeatureSettings(word_ngrams=2, minn=0, maxn=0),
    "sub-words": FeatureSettings(word_ngrams=1, minn=2, maxn=4),
    "single characters": FeatureSettings(word_ngrams=2, minn=0, maxn=1),
    "all, rare words unknown": FeatureSettings(word_ngrams=4, minn=3, maxn=6, min_count=2),
}

# Trains a model and prints what fastText reads from it; needs fastText with its training half.
REFERENCE = """
import json, sys, fasttext
training, model_file, texts = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
fasttext.train_supervised(
    training, dim=5, wordNgrams=3, minn=2, maxn=4, bucket=300, minCount=2, epoch=50, thread=1, verbose=0
).save_model(model_file)
model = fasttext.load_model(model_file)
json.dump({
    "words": model.get_words(),
    "labels": model.get_labels(),
    "output": model.get_output_matrix().tolist(),
    "subwords": {word: model.get_subwords(word)[1].tolist() for text in texts for word in text.split()},
    "hidden": [model.get_sentence_vector(text).tolist() for text in texts],
}, sys.stdout)
"""


@pytest.fixture
def open_bytes(tmp_path):
    def open_bytes(content):
        path = tmp_path / "model.bin"
        path.write_bytes(content)
        return open_model_file(path)

    return open_bytes


@pytest.fixture
def small(write_fasttext):
    """One word, the end of the line, and two labels."""
    return write_fasttext({"</s>": (0.0, 0.25), "invoice": (1.5, -0.5)}, LABELS)


def hashed_model(dictionary: Dictionary) -> bytes:
    return to_fasttext(dictionary, np.zeros((dictionary.size, 2), np.float32), [(label, 1) for label in LABELS])


def tokenise(model: ModelFile, text: str) -> list[Token]:
    return [model.token(word) for word in (*text.split(), END_OF_LINE)]


def features_in(model: ModelFile, text: str) -> list[int]:
    tokens = tokenise(model, text)
    return [*(id for token in tokens for id in token.ids), *(ngram.id for ngram in model.ngrams(tokens))]


def overwrite(content: bytes, offset: int, replacement: bytes) -> bytes:
    return content[:offset] + replacement + content[offset + len(replacement) :]


# --- What is read ---------------------------------------------------------------------------------------------


def test_words_labels_and_rows_are_read_in_the_order_of_the_file(open_bytes, small):
    model = open_bytes(small)

    assert model.word_ids == {b"</s>": 0, b"invoice": 1}
    assert model.labels == LABELS
    assert [model.input.row(0), model.input.row(1)] == [(0.0, 0.25), (1.5, -0.5)]
    assert [model.output.row(0), model.output.row(1)] == [(1.0, 0.0), (0.0, 1.0)]


def test_an_open_model_outlives_its_file(tmp_path, small):
    path = tmp_path / "model.bin"
    path.write_bytes(small)
    model = open_model_file(path)

    path.unlink()

    assert model.input.row(1) == (1.5, -0.5)


def test_words_need_not_be_utf_8(open_bytes, small):
    model = open_bytes(small.replace(b"invoice", b"invo\xffce"))

    assert model.word_ids[b"invo\xffce"] == 1


# --- Features -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=SETTINGS.values(), ids=SETTINGS)
def hashed(request, tmp_path_factory):
    """A model file with hashed features and the dictionary it was written from."""
    dictionary = build_dictionary(TEXTS, request.param, buckets=1021)
    path = tmp_path_factory.mktemp("hashed") / "model.bin"
    path.write_bytes(hashed_model(dictionary))
    return open_model_file(path), dictionary


@given(st.lists(st.sampled_from(" ".join(TEXTS).split()) | st.text().map(normalise)).map(" ".join))
def test_a_text_has_the_features_that_the_trainer_counted(hashed, text):
    model, dictionary = hashed

    assert sorted(features_in(model, text)) == feature_ids(text, dictionary)


def test_a_known_word_has_its_own_id_and_its_sub_words_and_an_unknown_one_its_sub_words(open_bytes):
    dictionary = build_dictionary(["invoice"], FeatureSettings(word_ngrams=1, minn=3, maxn=3), buckets=1000)
    model = open_bytes(hashed_model(dictionary))

    known, unknown = model.token("invoice"), model.token("voices")

    assert (known.known, len(known.ids)) == (True, 1 + len(["<in", "inv", "nvo", "voi", "oic", "ice", "ce>"]))
    assert (unknown.known, len(unknown.ids)) == (False, len(["<vo", "voi", "oic", "ice", "ces", "es>"]))
    assert known.ids[0] == model.word_ids[b"invoice"]
    assert set(known.ids[4:7]) <= set(unknown.ids)


def test_every_run_of_tokens_up_to_the_longest_is_an_ngram_and_the_end_of_the_line_is_a_token(open_bytes):
    dictionary = build_dictionary(["a b"], FeatureSettings(word_ngrams=3, minn=0, maxn=0), buckets=1000)
    model = open_bytes(hashed_model(dictionary))

    tokens = tokenise(model, "a b")

    assert [token.text for token in tokens] == ["a", "b", "</s>"]
    assert [(ngram.first, ngram.length) for ngram in model.ngrams(tokens)] == [(0, 2), (0, 3), (1, 2)]


def test_supervised_models_of_version_11_have_no_sub_words(open_bytes):
    dictionary = build_dictionary(["invoice"], FeatureSettings(word_ngrams=1, minn=3, maxn=3), buckets=1000)
    version_11 = overwrite(hashed_model(dictionary), 4, struct.pack("<i", 11))

    model = open_bytes(version_11)

    assert model.token("invoice").ids == (model.word_ids[b"invoice"],)


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """A model that fastText trained and saved, and what fastText itself reads from it."""
    if not FASTTEXT_PYTHON.exists() or _run_fasttext("import fasttext").returncode:
        missing = "fasttext-wheel is not installed in .venv-fasttext (make .venv-fasttext/.ready; Python 3.12 at most)"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    folder = tmp_path_factory.mktemp("reference")
    lines = [f"{label} {text}\n" for label, text in zip((*LABELS, "__label__c"), TEXTS, strict=True)]
    (folder / "train.txt").write_text("".join(lines * 3 + ["__label__a rare\n"]), encoding="utf-8")
    result = _run_fasttext(REFERENCE, str(folder / "train.txt"), str(folder / "model.bin"), json.dumps(QUESTIONS))
    assert result.returncode == 0, result.stderr
    return open_model_file(folder / "model.bin"), json.loads(result.stdout)


def _run_fasttext(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([FASTTEXT_PYTHON, "-c", program, *arguments], capture_output=True, text=True, check=False)


def test_fasttext_reads_the_same_words_labels_and_output(reference):
    model, expected = reference

    assert [word.decode() for word in model.word_ids] == expected["words"]
    assert list(model.labels) == expected["labels"]
    assert [model.output.row(i) for i in range(model.output.rows)] == [pytest.approx(row) for row in expected["output"]]


def test_fasttext_gives_words_the_same_ids(reference):
    model, expected = reference

    assert {word: list(model.token(word).ids) for word in expected["subwords"]} == expected["subwords"]


def test_the_mean_of_a_texts_rows_is_what_fasttext_computes_from_it(reference):
    model, expected = reference

    hidden = [np.mean([model.input.row(id) for id in features_in(model, text)], axis=0) for text in QUESTIONS]

    np.testing.assert_allclose(hidden, expected["hidden"], atol=1e-6)


# --- What is refused ------------------------------------------------------------------------------------------


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelFileError, match=r"model\.bin: No such file or directory"):
        open_model_file(tmp_path / "model.bin")


@pytest.mark.parametrize(
    ("header", "complaint"),
    [
        ({"magic": 1}, "not a fastText model"),
        ({"version": 10}, "fastText format version 10; 12 is needed"),
        ({"version": 13}, "fastText format version 13; 12 is needed"),
        ({"loss": 4}, "not a supervised fastText model with softmax loss"),
        ({"model": 2}, "not a supervised fastText model with softmax loss"),
        ({"dim": 0}, "damaged or cut short"),
        ({"bucket": -1}, "damaged or cut short"),
        ({"word_ngrams": 2}, "damaged or cut short"),
        ({"maxn": 3}, "damaged or cut short"),
        ({"bucket": 5}, "damaged or cut short"),
    ],
)
def test_a_model_that_cannot_be_read_says_why(open_bytes, write_fasttext, header, complaint):
    with pytest.raises(ModelFileError, match=rf"model\.bin: {complaint}"):
        open_bytes(write_fasttext({"</s>": (0.0, 0.0)}, LABELS, **header))


@pytest.mark.parametrize("matrix", ["input", "output"])
def test_a_quantised_model_is_refused(open_bytes, small, matrix):
    two_by_two = struct.calcsize("<?2q4f")
    offset = len(small) - two_by_two * {"input": 2, "output": 1}[matrix]

    with pytest.raises(ModelFileError, match="a quantised model has no rows to read"):
        open_bytes(overwrite(small, offset, b"\1"))


def test_a_pruned_model_is_refused(open_bytes, small):
    pruned_entries = struct.calcsize("<14id3iq")

    with pytest.raises(ModelFileError, match="a quantised model has no rows to read"):
        open_bytes(overwrite(small, pruned_entries, struct.pack("<q", 7)))


def test_a_matrix_of_another_shape_than_the_header_says_is_refused(open_bytes, small):
    offset = len(small) - 2 * struct.calcsize("<?2q4f") + 1

    with pytest.raises(ModelFileError, match="damaged or cut short"):
        open_bytes(overwrite(small, offset, struct.pack("<2q", 1, 4)))


def test_a_file_cut_short_anywhere_is_refused(open_bytes, small):
    for length in range(len(small)):
        with pytest.raises(ModelFileError, match="damaged or cut short"):
            open_bytes(small[:length])


@given(st.data())
def test_of_a_damaged_file_nothing_is_read_that_is_not_there(tmp_path_factory, data):
    dictionary = build_dictionary(["a b", "a c"], FeatureSettings(word_ngrams=2, minn=2, maxn=3), buckets=4)
    content = hashed_model(dictionary)
    offset = data.draw(st.integers(0, len(content) - 1))
    path = tmp_path_factory.mktemp("damaged") / "model.bin"
    path.write_bytes(overwrite(content, offset, data.draw(st.binary(min_size=1, max_size=8)))[: len(content)])

    try:
        model = open_model_file(path)
    except ModelFileError:
        return

    assert all(0 <= id < model.input.rows for id in features_in(model, "a b ccc"))
    assert len(model.input.row(model.input.rows - 1)) == len(model.output.row(model.output.rows - 1))
