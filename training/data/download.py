"""Download of the full DBpedia-14 (560,000 training rows, 70,000 test rows), with a checksum.

An interrupted download resumes, in the same run or the next. The size and the SHA-256 are those that the Hugging Face
data set `dbpedia_14` published for this address.
"""

import http.client
import shutil
import tarfile
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from training.data.atomic_files import atomic_path
from training.data.dataset import checksum

_TIMEOUT_SECONDS = 30
_CHUNK_BYTES = 1 << 20


class DownloadError(RuntimeError):
    """The archive cannot be downloaded, or fails its checksum; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Archive:
    """A gzipped tar file at a public address; `members` maps names in it to names of extracted files."""

    url: str
    size: int
    sha256: str
    members: Mapping[str, str]


DBPEDIA = Archive(
    url="https://s3.amazonaws.com/fast-ai-nlp/dbpedia_csv.tgz",
    size=68_341_743,
    sha256="42db5221ddedddb673a4cabcc5f3a7d869714c878bcfe4ba94b29d14aa38e417",
    members={f"dbpedia_csv/{name}": name for name in ("classes.txt", "train.csv", "test.csv")},
)


def download(archive: Archive, out: Path, on_bytes: Callable[[int], object] = lambda count: None) -> None:
    """Download and check an archive, and extract all of its files, or none, into the folder `out`.

    `on_bytes` is called with the number of bytes received, including those of an earlier run. Raises OSError, and
    DownloadError, after which the next run resumes unless the checksum was wrong.
    """
    out.mkdir(parents=True, exist_ok=True)
    path = out / f".{archive.url.rpartition('/')[2]}.part"
    _fetch(archive, path, on_bytes)
    _check(archive, path)
    _unpack(archive, path, out)
    path.unlink()


def _fetch(archive: Archive, path: Path, on_bytes: Callable[[int], object]) -> None:
    """Request the missing bytes until none are missing or a request brings no more."""
    on_bytes(_size(path))
    while (before := _size(path)) < archive.size:
        try:
            _fetch_rest(archive, path, before, on_bytes)
        except (OSError, http.client.HTTPException) as error:
            if _size(path) <= before:
                kept = f"; {before:,} of {archive.size:,} bytes were saved, run it again to resume" if before else ""
                raise DownloadError(f"{archive.url}: {_describe(error)}{kept}") from error
        else:
            if _size(path) <= before:
                raise DownloadError(f"{archive.url}: ended after {before:,} of {archive.size:,} bytes")


def _fetch_rest(archive: Archive, path: Path, start: int, on_bytes: Callable[[int], object]) -> None:
    request = urllib.request.Request(archive.url, headers={"Range": f"bytes={start}-"} if start else {})  # noqa: S310
    with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 (fixed address)
        # A server that does not support ranges sends the whole file.
        is_rest = answer.status == http.HTTPStatus.PARTIAL_CONTENT
        if not is_rest:
            on_bytes(-start)
        with path.open("ab" if is_rest else "wb") as file:
            _copy(answer, file, archive.size - (start if is_rest else 0), on_bytes)


def _copy(source: IO[bytes], target: IO[bytes], most: int, on_bytes: Callable[[int], object]) -> None:
    while most and (chunk := source.read(min(most, _CHUNK_BYTES))):
        most -= target.write(chunk)
        on_bytes(len(chunk))


def _check(archive: Archive, path: Path) -> None:
    found = checksum(path)
    if found != archive.sha256:
        path.unlink()
        raise DownloadError(
            f"{archive.url}: the SHA-256 is {found}, not {archive.sha256}; the file was deleted. Run it again; if it "
            "fails again, the archive at this address has changed"
        )


def _unpack(archive: Archive, path: Path, out: Path) -> None:
    with tarfile.open(path, "r:gz") as tar, ExitStack() as files:
        for name, target in archive.members.items():
            content = tar.extractfile(name)
            assert content is not None  # the archive matched its checksum
            with files.enter_context(atomic_path(out / target)).open("wb") as file:
                shutil.copyfileobj(content, file, _CHUNK_BYTES)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _describe(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"the server answered {error.code} {error.reason}"
    if isinstance(error, urllib.error.URLError):
        return f"not reachable ({error.reason}); check this machine's network connection"
    return f"the connection was lost ({error})"
