"""Uploads and downloads are atomic, checksummed and encrypted."""

import hashlib
import os
import resource
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from training.sagemaker import JobError
from training.sagemaker.jobs.inputs import Upload, open_prepared
from training.sagemaker.layout import Place
from training.sagemaker.s3 import download, upload

ROOT = Path(__file__).parents[3]


@pytest.fixture
def here(bucket) -> Place:
    return Place(bucket, "triage", "eu-central-1")


@pytest.fixture
def large(tmp_path) -> Upload:
    """A file of two parts."""
    path = tmp_path / "large.txt"
    content = os.urandom(1 << 20) * 20
    path.write_bytes(content)
    return Upload(path, "triage/large.txt", hashlib.sha256(content).hexdigest())


def test_splits_are_uploaded_to_separate_folders_encrypted_and_with_checksums(aws, bucket, here, prepared, keys):
    files = open_prepared(prepared).uploads(here)

    sent = upload(aws("s3"), here, files)

    folder = f"triage/data/{open_prepared(prepared).digest}"
    names = ("prepared.json", "test/test.txt", "train/train.txt", "validation/validation.txt")
    head = aws("s3").head_object(Bucket=bucket, Key=f"{folder}/train/train.txt", ChecksumMode="ENABLED")
    assert sent == 4
    assert keys() == [f"{folder}/{name}" for name in names]
    assert head["ServerSideEncryption"] == "AES256"
    assert head["Metadata"]["sha256"] == hashlib.sha256((prepared / "train.txt").read_bytes()).hexdigest()
    assert "ChecksumSHA256" in head


def test_a_customer_key_encrypts(aws, bucket, large):
    key = "arn:aws:kms:eu-central-1:123456789012:key/1"

    upload(aws("s3"), Place(bucket, "triage", "eu-central-1", key), [large])

    head = aws("s3").head_object(Bucket=bucket, Key=large.key)
    assert (head["ServerSideEncryption"], head["SSEKMSKeyId"]) == ("aws:kms", key)


def test_the_description_is_uploaded_last(prepared, here):
    files = open_prepared(prepared).uploads(here)

    assert files[-1].path.name == "prepared.json"


def test_files_in_the_bucket_are_not_sent_again(aws, here, prepared):
    files = open_prepared(prepared).uploads(here)
    upload(aws("s3"), here, files)

    assert upload(aws("s3"), here, files) == 0


def test_a_file_that_has_changed_is_sent_again(aws, here, large):
    upload(aws("s3"), here, [large])
    changed = Upload(large.path, large.key, "0" * 64)

    assert upload(aws("s3"), here, [changed]) == 1


def test_a_large_file_is_sent_in_parts_and_comes_back_the_same(aws, bucket, here, large, tmp_path):
    upload(aws("s3"), here, [large])
    download(aws("s3"), bucket, large.key, tmp_path / "back")

    head = aws("s3").head_object(Bucket=bucket, Key=large.key)
    assert head["ETag"].strip('"').endswith("-2")
    assert (tmp_path / "back").read_bytes() == large.path.read_bytes()


KILLED = """
import os, signal, sys
from pathlib import Path
import boto3
from training.sagemaker.layout import Place
from training.sagemaker.jobs.inputs import Upload
from training.sagemaker.s3 import upload
path, key, sha256, bucket = sys.argv[1:]
upload(boto3.client("s3"), Place(bucket, "triage", "eu-central-1"), [Upload(Path(path), key, sha256)],
       lambda count: os.kill(os.getpid(), signal.SIGKILL))
"""


def test_a_killed_upload_leaves_nothing_and_can_be_repeated(aws, bucket, here, large, keys):
    command = [sys.executable, "-c", KILLED, large.path, large.key, large.sha256, bucket]
    killed = subprocess.run(command, cwd=ROOT, capture_output=True)

    left = keys()
    sent = upload(aws("s3"), here, [large])

    assert killed.returncode == -signal.SIGKILL
    assert left == []
    assert sent == 1
    assert keys() == [large.key]


def test_a_deleted_bucket_is_reported(aws, large):
    with pytest.raises(JobError, match=r"AWS refused|could not be sent"):
        upload(aws("s3"), Place("not-there", "triage", "eu-central-1"), [large])


def test_a_full_disk_leaves_no_part_of_a_file(aws, bucket, here, large, tmp_path):
    upload(aws("s3"), here, [large])
    target = tmp_path / "target" / "back"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            download(aws("s3"), bucket, large.key, target)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert list(target.parent.iterdir()) == []
