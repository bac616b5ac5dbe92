"""Where models are kept: an S3 bucket, or a folder. Each model has a folder there, named after its version.

active.json              {"version": …}: the model in use
accepted.json            what people accepted in place of the answers that canaries should give
<version>/manifest.json, <version>/model.tar.gz
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

ACTIVE = "active.json"
ACCEPTED = "accepted.json"

_S3 = "s3://"
_CHUNK_BYTES = 1 << 20


class StoreError(Exception):
    """The store cannot be read or written just now, or at all: the message says why."""


class NotStored(StoreError):
    """There is no file of that name."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file's content, and the tag that tells it from other contents under the same name."""

    content: bytes
    tag: str


class ModelStore(Protocol):
    """Files by name (`active.json`, `<version>/model.tar.gz`). Methods raise StoreError."""

    def read(self, name: str, known_tag: str | None = None) -> Stored | None:
        """Give a file, or None where it still has the tag that is known. Raises NotStored."""
        ...

    def fetch(self, name: str, target: Path) -> None:
        """Copy a file to a path of this machine. Raises NotStored."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Write a file whole, or leave it as it was."""
        ...

    def upload(self, source: Path, name: str) -> None:
        """Copy a file of this machine, whole or not at all."""
        ...

    def locate(self, name: str) -> str:
        """Give a file's URL, or its path; nobody is asked whether it is there."""
        ...


def open_store(place: str) -> ModelStore:
    """Open `s3://bucket/prefix`, or a folder by its path."""
    if not place.startswith(_S3):
        return FolderStore(Path(place))
    bucket, _, prefix = place.removeprefix(_S3).partition("/")
    return S3Store(_build_s3_client(), bucket, prefix.rstrip("/"))


@dataclass(frozen=True, slots=True)
class FolderStore:
    """A folder of this machine."""

    folder: Path

    def read(self, name: str, known_tag: str | None = None) -> Stored | None:
        path = self.folder / name
        try:
            status = path.stat()
            tag = f"{status.st_ino}-{status.st_mtime_ns}-{status.st_size}"
            return None if tag == known_tag else Stored(path.read_bytes(), tag)
        except OSError as error:
            raise _explain(error, path) from error

    def fetch(self, name: str, target: Path) -> None:
        path = self.folder / name
        try:
            shutil.copyfile(path, target)
        except OSError as error:
            raise _explain(error, path) from error

    def write(self, name: str, content: bytes) -> None:
        path = self.folder / name
        unfinished = path.with_suffix(".unfinished")
        try:
            unfinished.write_bytes(content)
            unfinished.replace(path)
        except OSError as error:
            raise _explain(error, path) from error

    def upload(self, source: Path, name: str) -> None:
        path = self.folder / name
        unfinished = path.with_suffix(".unfinished")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, unfinished)
            unfinished.replace(path)
        except OSError as error:
            raise _explain(error, path) from error

    def locate(self, name: str) -> str:
        return str(self.folder / name)


def _explain(error: OSError, path: Path) -> StoreError:
    if isinstance(error, FileNotFoundError):
        return NotStored(f"{path}: there is no such file")
    return StoreError(f"{path}: {error.strerror}")


@dataclass(frozen=True, slots=True)
class S3Store:
    """A bucket, below a prefix without a slash at its end."""

    client: "S3Client"
    bucket: str
    prefix: str

    def read(self, name: str, known_tag: str | None = None) -> Stored | None:
        condition: dict[str, Any] = {"IfNoneMatch": known_tag} if known_tag else {}
        try:
            found = self.client.get_object(Bucket=self.bucket, Key=self._key(name), **condition)
            return Stored(found["Body"].read(), found["ETag"])
        except ClientError as error:
            if error.response["ResponseMetadata"]["HTTPStatusCode"] == 304:
                return None
            raise self._explain(error, name) from error
        except BotoCoreError as error:
            raise self._explain(error, name) from error

    def fetch(self, name: str, target: Path) -> None:
        try:
            body = self.client.get_object(Bucket=self.bucket, Key=self._key(name))["Body"]
            with target.open("wb") as file:
                shutil.copyfileobj(body, file, _CHUNK_BYTES)
        except (ClientError, BotoCoreError) as error:
            raise self._explain(error, name) from error

    def write(self, name: str, content: bytes) -> None:
        try:
            self.client.put_object(Bucket=self.bucket, Key=self._key(name), Body=content)
        except (ClientError, BotoCoreError) as error:
            raise self._explain(error, name) from error

    def upload(self, source: Path, name: str) -> None:
        from boto3.exceptions import Boto3Error  # as late as boto3 itself

        try:
            self.client.upload_file(str(source), self.bucket, self._key(name))
        except OSError as error:
            raise _explain(error, source) from error
        except Boto3Error as error:
            raise StoreError(f"{self.locate(name)}: {error}") from error

    def locate(self, name: str) -> str:
        return f"{_S3}{self.bucket}/{self._key(name)}"

    def _key(self, name: str) -> str:
        return f"{self.prefix}/{name}" if self.prefix else name

    def _explain(self, error: ClientError | BotoCoreError, name: str) -> StoreError:
        url = self.locate(name)
        if not isinstance(error, ClientError):
            return StoreError(f"{url}: {type(error).__name__}")
        code = error.response["Error"].get("Code", "?")
        return NotStored(f"{url}: there is no such file") if code == "NoSuchKey" else StoreError(f"{url}: {code}")


def _build_s3_client() -> "S3Client":
    import boto3  # only here, so that a function with its models in a folder does not pay for it
    from botocore.config import Config

    # Whoever waits for it waits seconds at most, so one that hangs is given up soon and asked once more.
    config = Config(connect_timeout=1.0, read_timeout=3.0, retries={"total_max_attempts": 2, "mode": "standard"})
    client: S3Client = boto3.client("s3", config=config)
    return client
