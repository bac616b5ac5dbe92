"""Word vectors from unlabelled messages, and the search for similar messages."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

np = pytest.importorskip("numpy", reason="vectors take the extra `train`")

from training.sagemaker import JobError  # noqa: E402
from training.sagemaker.jobs.word_vectors import Index, WordVectors, inverse_document_frequencies, read_vectors  # noqa: E402

VECTORS = WordVectors(
    {"refund": 0, "money": 1, "crash": 2, "the": 3},
    np.array([[1, 0.1, 0], [0.9, 0, 0.1], [0, 1, 0], [0.3, 0.3, 0.9]], dtype=np.float32),
)
MESSAGES = ["the refund", "the crash", "the money", "unknown words"]


def test_the_nearest_messages_come_first():
    found = Index(VECTORS, MESSAGES).nearest("refund", 3)

    assert [near.message for near in found] == [0, 2, 1]
    assert found[0].cosine > found[1].cosine > found[2].cosine


def test_a_text_is_nearest_to_itself():
    (near,) = Index(VECTORS, MESSAGES).nearest("the crash", 1)

    assert near.message == 1
    assert near.cosine == pytest.approx(1.0, abs=1e-6)


def test_a_text_without_a_known_word_has_no_similar_messages():
    assert Index(VECTORS, MESSAGES).nearest("unknown", 3) == []


def test_rare_words_weigh_more():
    weights = inverse_document_frequencies(MESSAGES)

    assert weights["refund"] > weights["the"] > 1


@given(words=st.lists(st.sampled_from([*VECTORS.rows, "unknown"])))
def test_cosines_are_cosines(words):
    for near in Index(VECTORS, MESSAGES).nearest(" ".join(words), 4):
        assert -1.001 <= near.cosine <= 1.001


@pytest.mark.parametrize("text", ["", "2\n", "1 2\nword 1\n", "1 2\nword 1 x\n", "a b\n", "2 1\nword 1\n"])
def test_a_file_without_vectors_is_refused(text, tmp_path):
    (tmp_path / "vectors.txt").write_text(text)

    with pytest.raises(JobError, match="not word vectors in word2vec's text format"):
        read_vectors(tmp_path / "vectors.txt")


@pytest.fixture
def past(message_rows, tmp_path):
    path = tmp_path / "past.jsonl"
    lines = [json.dumps({"id": f"m{i}", "text": text}) for i, (_, text) in enumerate(message_rows * 20)]
    path.write_text("\n".join([*lines, "no message"]), encoding="utf-8")
    return path


@pytest.mark.parametrize("mode", ["skipgram", "cbow"])
def test_vectors_are_learnt_locally_and_find_messages(run, past, fasttext_trainer, tmp_path, mode):
    small = ["--set", "vector_dim=8", "--set", "min_count=1", "--set", "buckets=100", "--mode", mode]

    learnt = run("vectors", past, "--out", tmp_path / "vectors", "--local", *small)
    found = run("similar", tmp_path / "vectors", past, "where is my REFUND?", "--count", 1, "--json")

    assert learnt.returncode == 0, learnt.stderr
    assert "words of 600 messages" in learnt.stdout
    assert json.loads(found.stdout)["text"] == "where is my refund"


def test_similar_messages_are_shown_with_their_ids(run, past, tmp_path):
    (tmp_path / "vectors.txt").write_text("2 2\nrefund 1 0\nlogin 0 1\n")

    done = run("similar", tmp_path, past, "a login problem", "--count", 1)

    assert done.stdout.startswith("1.000  m")
    assert "login" in done.stdout


def test_messages_with_the_same_words_are_shown_once(run, past, tmp_path):
    (tmp_path / "vectors.txt").write_text("2 2\nrefund 1 0\nlogin 0 1\n")

    shown = run("similar", tmp_path, past, "a login problem", "--count", 4).stdout.splitlines()

    assert len({line.split(maxsplit=2)[2] for line in shown}) == 4


def test_a_text_without_known_words_is_an_error(run, past, tmp_path):
    (tmp_path / "vectors.txt").write_text("1 2\nrefund 1 0\n")

    done = run("similar", tmp_path, past, "zebra")

    assert (done.returncode, done.stdout) == (1, "")
    assert "no word of this text has a vector" in done.stderr


@pytest.mark.sagemaker
@pytest.mark.usefixtures("sdk", "fasttext_trainer")
def test_vectors_are_learnt_on_aws(run, past, bucket, role, tmp_path):
    small = ["--set", "vector_dim=8", "--set", "min_count=1", "--set", "buckets=100"]
    where = ["--bucket", bucket, "--role", role, "--yes", "--poll", 0.05, "--job", "vectors-1"]

    learnt = run("vectors", past, "--out", tmp_path / "vectors", *small, *where)
    again = run("vectors", past, "--out", tmp_path / "again", *small, *where[:-2], "--collect", "vectors-1")

    assert (learnt.returncode, again.returncode) == (0, 0), learnt.stderr + again.stderr
    assert read_vectors(tmp_path / "vectors" / "vectors.txt").dimensions == 8
    assert (tmp_path / "again" / "vectors.txt").read_bytes() == (tmp_path / "vectors" / "vectors.txt").read_bytes()
