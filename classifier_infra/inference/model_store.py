"""The store of models, an S3 bucket or a folder, and the version that is active in it.

active.json              {"version": …}: the active model
accepted.json            answers that people accepted in place of the canaries' expected answers
<version>/manifest.json, <version>/model.tar.gz
"""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from classifier_infra.model.canaries import Baseline, BaselineError, parse_baselines

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

ACTIVE = "active.json"
ACCEPTED = "accepted.json"

_S3 = "s3://"
_CHUNK_BYTES = 1 << 20
# A version is also the name of a folder.
_VERSION = re.compile(r"\w[\w.-]{0,127}", re.ASCII)


class StoreError(Exception):
    """The store cannot be read or written; the message says why."""


class NotStored(StoreError):
    """The store has no file of that name."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A file's content, and a tag that changes with it."""

    content: bytes
    tag: str


class ModelStore(Protocol):
    """Files by name (`active.json`, `<version>/model.tar.gz`). Methods raise StoreError."""

    def read(self, name: str, known_tag: str | None = None) -> Stored | None:
        """Return a file, or None if its tag is still `known_tag`. Raises NotStored."""
        ...

    def fetch(self, name: str, target: Path) -> None:
        """Copy a file to a local path. Raises NotStored."""
        ...

    def write(self, name: str, content: bytes) -> None:
        """Write a file completely, or leave it as it was."""
        ...

    def upload(self, source: Path, name: str) -> None:
        """Copy a local file into the store, completely or not at all."""
        ...

    def locate(self, name: str) -> str:
        """Return a file's URL or path, without checking that it exists."""
        ...


def open_store(place: str) -> ModelStore:
    """Open `s3://bucket/prefix`, or a folder by its path."""
    if not place.startswith(_S3):
        return FolderStore(Path(place))
    bucket, _, prefix = place.removeprefix(_S3).partition("/")
    return S3Store(_build_s3_client(), bucket, prefix.rstrip("/"))


@dataclass(frozen=True, slots=True)
class FolderStore:
    """A local folder."""

    folder: Path

    def read(self, name: str, known_tag: str | None = None) -> Stored | None:
        path = self.folder / name
        with _explained(path):
            status = path.stat()
            tag = f"{status.st_ino}-{status.st_mtime_ns}-{status.st_size}"
            return None if tag == known_tag else Stored(path.read_bytes(), tag)

    def fetch(self, name: str, target: Path) -> None:
        path = self.folder / name
        with _explained(path):
            shutil.copyfile(path, target)

    def write(self, name: str, content: bytes) -> None:
        self._replace(name, lambda unfinished: unfinished.write_bytes(content))

    def upload(self, source: Path, name: str) -> None:
        def copy(unfinished: Path) -> None:
            unfinished.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, unfinished)

        self._replace(name, copy)

    def _replace(self, name: str, write: Callable[[Path], object]) -> None:
        path = self.folder / name
        unfinished = path.with_suffix(".unfinished")
        with _explained(path):
            write(unfinished)
            unfinished.replace(path)

    def locate(self, name: str) -> str:
        return str(self.folder / name)


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise NotStored(f"{path}: there is no such file") from error
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class S3Store:
    """A bucket, below a prefix without a trailing slash."""

    client: "S3Client"
    bucket: str
    prefix: str

    def read(self, name: str, known_tag: str | None = None) -> Stored | None:
        condition: dict[str, Any] = {"IfNoneMatch": known_tag} if known_tag else {}
        with self._explained(name):
            try:
                found = self.client.get_object(Bucket=self.bucket, Key=self._key(name), **condition)
            except ClientError as error:
                if error.response["ResponseMetadata"]["HTTPStatusCode"] == 304:
                    return None
                raise
            return Stored(found["Body"].read(), found["ETag"])

    def fetch(self, name: str, target: Path) -> None:
        with self._explained(name):
            body = self.client.get_object(Bucket=self.bucket, Key=self._key(name))["Body"]
            with target.open("wb") as file:
                shutil.copyfileobj(body, file, _CHUNK_BYTES)

    def write(self, name: str, content: bytes) -> None:
        with self._explained(name):
            self.client.put_object(Bucket=self.bucket, Key=self._key(name), Body=content)

    def upload(self, source: Path, name: str) -> None:
        from boto3.exceptions import Boto3Error  # imported as late as boto3 itself

        try:
            with _explained(source):
                self.client.upload_file(str(source), self.bucket, self._key(name))
        except Boto3Error as error:
            raise StoreError(f"{self.locate(name)}: {error}") from error

    def locate(self, name: str) -> str:
        return f"{_S3}{self.bucket}/{self._key(name)}"

    def _key(self, name: str) -> str:
        return f"{self.prefix}/{name}" if self.prefix else name

    @contextmanager
    def _explained(self, name: str) -> Iterator[None]:
        url = self.locate(name)
        try:
            yield
        except ClientError as error:
            code = error.response["Error"].get("Code", "?")
            if code == "NoSuchKey":
                raise NotStored(f"{url}: there is no such file") from error
            raise StoreError(f"{url}: {code}") from error
        except BotoCoreError as error:
            raise StoreError(f"{url}: {type(error).__name__}") from error


def _build_s3_client() -> "S3Client":
    import boto3  # here, so that a function whose models are in a folder does not import it
    from botocore.config import Config

    # A function waits for seconds at most, so a hanging request is soon abandoned and retried once.
    config = Config(connect_timeout=1.0, read_timeout=3.0, retries={"total_max_attempts": 2, "mode": "standard"})
    client: S3Client = boto3.client("s3", config=config)
    return client


# --- The active version -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ActiveVersion:
    """The active version (None: none yet) and the accepted answers, with the tags of the files they were read from."""

    version: str | None = None
    baselines: tuple[Baseline, ...] = ()
    active_tag: str | None = None
    accepted_tag: str | None = None


def read_active_version(store: ModelStore, known: ActiveVersion) -> ActiveVersion:
    """Read what has changed since `known`; the result equals it if nothing has. Raises StoreError."""
    active_tag, version = _read_active(store, known)
    accepted_tag, baselines = _read_accepted(store, known)
    return ActiveVersion(version, baselines, active_tag, accepted_tag)


def _read_active(store: ModelStore, known: ActiveVersion) -> tuple[str | None, str | None]:
    try:
        stored = store.read(ACTIVE, known.active_tag)
    except NotStored:
        if known.version is None:
            return None, None
        raise  # it existed before
    if stored is None:
        return known.active_tag, known.version
    return stored.tag, _parse_active(stored.content)


def _parse_active(content: bytes) -> str:
    try:
        version = json.loads(content)["version"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise StoreError(f'{ACTIVE}: not a JSON object such as {{"version": "starter-0123456789"}}') from error
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise StoreError(f"{ACTIVE}: the version is not a name of letters, digits, dots, hyphens and underscores")
    return version


def _read_accepted(store: ModelStore, known: ActiveVersion) -> tuple[str | None, tuple[Baseline, ...]]:
    try:
        stored = store.read(ACCEPTED, known.accepted_tag)
    except NotStored:
        return None, ()
    if stored is None:
        return known.accepted_tag, known.baselines
    try:
        return stored.tag, parse_baselines(stored.content)
    except BaselineError as error:
        raise StoreError(f"{ACCEPTED}: {error}") from error
