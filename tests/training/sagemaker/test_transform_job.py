"""`sagemaker transform` on AWS, with the real SDK over HTTP."""

import json

import pytest

from training.sagemaker.cli import transform

pytestmark = [pytest.mark.sagemaker, pytest.mark.usefixtures("sdk")]


@pytest.fixture
def classify(run, bucket, role, model_folder, tmp_path, monkeypatch):
    """Classify 250 messages in parts of a hundred."""
    lines = [json.dumps({"id": f"m{i}", "text": ("warm", "cold")[i % 2]}) for i in range(250)]
    (tmp_path / "past.jsonl").write_text("\n".join([*lines, "no message"]), encoding="utf-8")
    monkeypatch.setattr(transform, "_SHARD", 100)

    def classify(*options):
        where = ["--bucket", bucket, "--role", role, "--yes", "--poll", 0.05]
        out = ["--out", tmp_path / "out.jsonl"]
        return run("transform", tmp_path / "past.jsonl", model_folder, *out, *where, *options)

    return classify


def test_a_job_classifies_all_messages_and_joins_answers_by_id(classify, keys, tmp_path):
    done = classify("--job", "past-1", "--instances", 2)

    answers = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text("utf-8").splitlines()]
    assert done.returncode == 0, done.stderr
    assert [answer["id"] for answer in answers] == [f"m{i}" for i in range(250)]
    assert [answer["facets"]["category"]["label"] for answer in answers[:2]] == ["red", "blue"]
    assert json.loads((tmp_path / "out.failures.jsonl").read_text("utf-8"))["line"] == 251
    assert "blazing-triage/transform/past-1/input/part-000002.jsonl" in keys()
    assert "blazing-triage/models/colours-1/model.tar.gz" in keys()


def test_only_parts_missing_from_a_failed_job_are_reported_and_sent_again(classify, aws, bucket, keys, tmp_path):
    job = aws("s3")
    left = classify("--job", "past-2-fails")
    key = "blazing-triage/transform/past-2-fails/output/part-000001.jsonl.out"
    prob = {"label": ["__label__blue", "__label__red"], "prob": [0.9, 0.1]}
    lines = "\n".join(json.dumps({"id": i, "SageMakerOutput": prob}) for i in range(101, 201))
    job.put_object(Bucket=bucket, Key=key, Body=lines.encode())

    collected = classify("--collect", "past-2-fails")
    again = classify("--job", "past-3")

    assert (left.returncode, collected.returncode, again.returncode) == (1, 1, 0), again.stderr
    assert "3 parts missing" in left.stderr
    assert (
        "2 parts missing (messages 1 to 100, 201 to 300); run the command again to send only these" in collected.stderr
    )
    assert [key for key in keys() if "past-3/input" in key] == [
        f"blazing-triage/transform/past-3/input/part-00000{number}.jsonl" for number in (0, 2)
    ]
    assert len((tmp_path / "out.jsonl").read_text("utf-8").splitlines()) == 250


def test_a_job_created_without_waiting_is_collected_later(classify, tmp_path):
    created = classify("--job", "past-4", "--no-wait")
    collected = classify("--collect", "past-4")

    assert "the same command with --collect past-4" in created.stdout
    assert collected.returncode == 0, collected.stderr
    assert len((tmp_path / "out.jsonl").read_text("utf-8").splitlines()) == 250
