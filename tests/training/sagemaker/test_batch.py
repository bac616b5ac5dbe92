"""Batches of past messages: shards, joined answers, and resumed runs that lose no message."""

import json
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier_infra.inference.classifier import ClassifierUnavailable
from classifier_infra.model.model import load_model
from training.sagemaker.jobs import local_transform
from training.sagemaker.jobs.batch import (
    is_failure,
    open_parts,
    read_shards,
    read_transformed,
    to_transform,
    write_answers,
)


@pytest.fixture
def past(tmp_path):
    """Two thousand five hundred messages, three of which cannot be classified."""
    lines = [json.dumps({"id": f"m{i}", "text": ("warm", "cold")[i % 2]}) for i in range(2_500)]
    lines[7:7] = ["secret text that is no JSON", '{"id": "empty", "text": " "}', '{"id": "mark", "text": "\\u0301"}']
    path = tmp_path / "past.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


# --- Reading and joining ----------------------------------------------------------------------------------------


@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"]))), size=st.integers(1, 5))
def test_every_line_is_in_one_shard_in_order(texts, size):
    lines = [json.dumps({"id": i, "text": text}) for i, text in enumerate(texts)]

    shards = list(read_shards(lines, size))

    assert [message.id for shard in shards for message in shard.messages] == [str(i) for i in range(len(texts))]
    assert all(len(shard.messages) <= size for shard in shards)


@pytest.mark.parametrize(
    "line", ["x", "[]", '{"id": 1}', '{"text": "a"}', '{"id": null, "text": "a"}', '{"id": 1, "text": 2}', "1",
             '{"id": true, "text": "a"}', '{"id": 1, "text": "\\ud800"}']
)  # fmt: skip
def test_a_line_that_is_not_a_message_is_a_failure_and_is_not_quoted(line):
    (shard,) = read_shards([line], 10)

    written = write_answers(shard, {1: shard.messages[0].fault})

    assert is_failure(written)
    assert json.loads(written)["failed"] == 'not {"id": …, "text": …}'


def test_only_messages_with_words_are_sent_and_answers_are_joined_by_line(model_folder):
    model = load_model(model_folder, in_memory=False)
    (shard,) = read_shards(['{"id": "a", "text": "Warm!"}', "nonsense", '{"id": "b", "text": "cold"}'], 10)
    sent = [json.loads(line) for line in to_transform(shard, 2).splitlines()]
    prob = {"label": ["__label__blue", "__label__red"], "prob": [0.9, 0.1]}
    output = [json.dumps({"id": 3, "SageMakerOutput": prob})]

    lines = write_answers(shard, read_transformed(shard, output, model)).splitlines()

    assert sent == [{"id": 1, "source": "warm !", "k": 2}, {"id": 3, "source": "cold", "k": 2}]
    assert json.loads(lines[0])["failed"] == "no answer in the job's output"
    assert json.loads(lines[2]) == {"id": "b", "facets": {"category": {"label": "blue", "confidence": 0.9}}}


def test_an_answer_of_another_model_is_a_failure(model_folder):
    model = load_model(model_folder, in_memory=False)
    (shard,) = read_shards(['{"id": "a", "text": "warm"}'], 10)
    output = ['{"id": 1, "SageMakerOutput": {"label": ["__label__other"], "prob": [1.0]}}']

    (line,) = write_answers(shard, read_transformed(shard, output, model)).splitlines()

    assert json.loads(line)["failed"] == "invalid answer in the job's output (UnexpectedScores)"


# --- Over the local endpoint ------------------------------------------------------------------------------------


def test_all_messages_are_classified_in_order_and_failures_are_listed(run, past, model_folder, tmp_path):
    done = run("transform", past, model_folder, "--out", tmp_path / "out.jsonl", "--local")

    answers = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    failures = [json.loads(line) for line in (tmp_path / "out.failures.jsonl").read_text("utf-8").splitlines()]
    assert done.returncode == 0, done.stderr
    assert "2,500 messages classified" in done.stdout
    assert [answer["id"] for answer in answers] == [f"m{i}" for i in range(2_500)]
    assert [answer["facets"]["category"]["label"] for answer in answers[:4]] == ["red", "blue", "red", "blue"]
    assert [(failure["line"], failure["id"]) for failure in failures] == [(8, ""), (9, "empty"), (10, "mark")]
    assert "secret" not in (tmp_path / "out.failures.jsonl").read_text("utf-8")
    assert {path.name for path in tmp_path.iterdir()} == {"out.failures.jsonl", "out.jsonl", "past.jsonl"}


def test_an_interrupted_run_resumes_with_the_missing_parts(run, past, model_folder, tmp_path, monkeypatch):
    parts = open_parts(past, "colours-1", tmp_path / "out.jsonl", 1_000)
    asked = []
    predict = local_transform.predict_each

    def fail_at_the_third(classifier, texts):
        asked.append(len(texts))
        return [ClassifierUnavailable("down")] * len(texts) if len(asked) == 3 else predict(classifier, texts)

    monkeypatch.setattr(local_transform, "_THREADS", 1)
    monkeypatch.setattr(local_transform, "predict_each", fail_at_the_third)
    broken = run("transform", past, model_folder, "--out", tmp_path / "out.jsonl", "--local")
    kept = len(list(parts.folder.iterdir()))
    again = run("transform", past, model_folder, "--out", tmp_path / "out.jsonl", "--local")

    assert (broken.returncode, again.returncode) == (1, 0)
    assert "Run the command again to resume" in broken.stderr
    assert kept == 2
    assert len(asked) == 4
    assert len((tmp_path / "out.jsonl").read_text("utf-8").splitlines()) == 2_500
    assert not parts.folder.exists()


def test_other_messages_or_another_model_start_from_scratch(past, tmp_path):
    first = open_parts(past, "colours-1", tmp_path / "out.jsonl", 1_000).folder
    other_model = open_parts(past, "colours-2", tmp_path / "out.jsonl", 1_000).folder
    past.write_text('{"id": 1, "text": "warm"}\n', encoding="utf-8")

    assert len({first, other_model, open_parts(past, "colours-1", tmp_path / "out.jsonl", 1_000).folder}) == 3


def test_the_server_of_a_local_run_ends_with_it(model_folder, monkeypatch):
    started = []
    popen = subprocess.Popen

    def start(*arguments, **options):
        started.append(popen(*arguments, **options))
        return started[-1]

    monkeypatch.setattr(local_transform.subprocess, "Popen", start)

    with local_transform.local_endpoint(model_folder) as url:
        assert url.startswith("http://127.0.0.1:")

    assert started[0].poll() is not None


def test_without_a_bucket_the_error_names_the_local_option(run, past, model_folder, no_aws, tmp_path):
    done = run("transform", past, model_folder, "--out", tmp_path / "out.jsonl")

    assert done.returncode == 2
    assert "name a bucket with --bucket, or classify on this machine with --local" in done.stderr
