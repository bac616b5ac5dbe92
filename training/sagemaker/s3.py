"""Uploads to and downloads from S3: checksummed, encrypted and atomic."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from training.data.atomic_files import atomic_path
from training.sagemaker import JobError
from training.sagemaker.aws import aws_errors
from training.sagemaker.jobs.inputs import Upload
from training.sagemaker.layout import Place

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

_PART_BYTES = 16 << 20
_CHUNK_BYTES = 1 << 20
_SHA256 = "sha256"


def upload(
    client: "S3Client", place: Place, files: Iterable[Upload], on_bytes: Callable[[int], object] = lambda count: None
) -> int:
    """Upload the files that are not in the bucket yet and return their number. Raises JobError.

    S3 checks the SHA-256 of each part, and an object appears once it has all parts: an interrupted upload leaves no
    object, and the next one continues with the first missing file.
    """
    from boto3.exceptions import Boto3Error  # here, so that other commands do not wait for boto3
    from boto3.s3.transfer import TransferConfig

    config = TransferConfig(multipart_threshold=_PART_BYTES, multipart_chunksize=_PART_BYTES)
    sent = 0
    for file in files:
        with aws_errors():
            if _is_there(client, place.bucket, file):
                on_bytes(file.path.stat().st_size)
                continue
            try:
                client.upload_file(
                    str(file.path), place.bucket, file.key, _arguments(place, file), Callback=on_bytes, Config=config
                )
            except Boto3Error as error:
                raise JobError(f"{file.path} could not be sent ({error}); run the command again to resume") from error
        sent += 1
    return sent


def _is_there(client: "S3Client", bucket: str, file: Upload) -> bool:
    try:
        found = client.head_object(Bucket=bucket, Key=file.key)
    except ClientError as error:
        if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
            return False
        raise
    return found["Metadata"].get(_SHA256) == file.sha256 and found["ContentLength"] == file.path.stat().st_size


def _arguments(place: Place, file: Upload) -> dict[str, Any]:
    encryption = (
        {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": place.kms_key}
        if place.kms_key
        else {"ServerSideEncryption": "AES256"}
    )
    return {"ChecksumAlgorithm": "SHA256", "Metadata": {_SHA256: file.sha256}, **encryption}


def download(
    client: "S3Client", bucket: str, key: str, target: Path, on_bytes: Callable[[int], object] = lambda count: None
) -> None:
    """Download an object to a file, atomically. Raises JobError, OSError."""
    with atomic_path(target) as part, part.open("wb") as file, aws_errors():
        found = client.get_object(Bucket=bucket, Key=key)
        copied = 0
        for chunk in found["Body"].iter_chunks(_CHUNK_BYTES):
            copied += file.write(chunk)
            on_bytes(len(chunk))
        if copied != found["ContentLength"]:
            raise JobError(f"s3://{bucket}/{key} ended after {copied} of {found['ContentLength']} bytes; try again")


def list_keys(client: "S3Client", bucket: str, prefix: str) -> Iterator[str]:
    """Yield the keys of all objects below a prefix. Raises JobError."""
    with aws_errors():
        for page in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix):
            yield from (found["Key"] for found in page.get("Contents", ()))
