"""`sagemaker process`, with the real SDK over HTTP; each machine of the stand-in runs the uploaded script."""

import pytest

pytestmark = [pytest.mark.sagemaker, pytest.mark.usefixtures("sdk")]

IMAGE = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/python:3.13"


@pytest.fixture
def process(run, data, bucket, role, tmp_path):
    def process(*options):
        where = ["--bucket", bucket, "--role", role, "--image", IMAGE, "--yes", "--poll", 0.05]
        return run("process", data, "--out", tmp_path / "merged", *where, *options)

    return process


def test_two_machines_prepare_the_same_as_one(process, prepared, tmp_path):
    done = process("--job", "prepare-1", "--instances", 2)

    assert done.returncode == 0, done.stderr
    assert "train.txt: 30 lines\n" in done.stdout
    for path in prepared.iterdir():
        assert (tmp_path / "merged" / path.name).read_bytes() == path.read_bytes()


def test_a_job_created_without_waiting_is_collected_later(process, tmp_path):
    created = process("--job", "prepare-2", "--no-wait")
    collected = process("--collect", "prepare-2")

    assert "the same command with --collect prepare-2" in created.stdout
    assert collected.returncode == 0, collected.stderr
    assert (tmp_path / "merged" / "train.txt").exists()


def test_a_failed_job_leaves_no_prepared_folder(process, run, write_facet, bucket, role, tmp_path):
    bad = write_facet(tmp_path / "bad", train='1,"","fine"\n9,"","no such class"\n')
    done = run(
        *("process", bad, "--out", tmp_path / "merged", "--bucket", bucket, "--role", role),
        *("--image", IMAGE, "--yes", "--poll", 0.05, "--job", "prepare-3"),
    )

    assert done.returncode == 1
    assert "class index 9 is out of range" in done.stderr
    assert not (tmp_path / "merged").exists()
