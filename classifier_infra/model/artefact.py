"""Open a model folder (`model.tar.gz`, `manifest.json`): check it, unpack `model.bin`, and load it.

fastText loads a truncated or altered file without an error and predicts nonsense, so a model is only loaded if it has
the size and the SHA-256 of the manifest.
"""

import gzip
import hashlib
import struct
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import fasttext

from classifier_infra.model.manifest import Manifest, ManifestError, load_manifest
from classifier_infra.model.model_file import ModelFileError, check_kind, check_signature

ARCHIVE = "model.tar.gz"
MODEL = "model.bin"
MANIFEST = "manifest.json"

_VERSIONS = (12,)
# magic, version, then dim, ws, epoch, minCount, neg, wordNgrams, loss, model, …: little-endian int32.
_HEADER = struct.Struct("<10i")
_CHUNK_BYTES = 1 << 20


class ArtefactError(ValueError):
    """The model folder is incomplete, damaged, or contains a model that cannot be served."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A `model.bin` in memory."""

    model: Any
    label_count: int

    def scores(self, text: str, k: int) -> list[tuple[float, str]]:
        """Return the k best raw labels of a text (k ≥ 1) with their scores, best first, or all if there are fewer.

        fastText reads up to the first newline, which is a token of the model. Raises UnicodeEncodeError for a lone
        surrogate.
        """
        text.encode()  # raises here, because the binding's own TypeError would quote the whole text
        # The public `predict` refuses newlines and answers lists wrongly. fastText reserves memory for k labels.
        scores: list[tuple[float, str]] = self.model.f.predict(text + "\n", min(k, self.label_count), 0.0, "strict")
        return scores


@dataclass(frozen=True, slots=True)
class Artefact(LoadedModel):
    """A loaded model and its manifest."""

    manifest: Manifest


def open_artefact(folder: Path) -> Artefact:
    """Check a model folder and load its model into memory. Raises ArtefactError, naming the file and its fault."""
    manifest = read_manifest(folder)
    with unpacked(folder, manifest) as path:
        return load_artefact(path, manifest, folder)


def read_manifest(folder: Path) -> Manifest:
    """Read the manifest of a model folder. Raises ArtefactError."""
    try:
        return load_manifest(folder / MANIFEST)
    except ManifestError as error:
        raise ArtefactError(str(error)) from error


@contextmanager
def unpacked(folder: Path, manifest: Manifest) -> Iterator[Path]:
    """Unpack the `model.bin` of a model folder and check it, for the length of a `with` block. Raises ArtefactError."""
    with tempfile.TemporaryDirectory(prefix="model-") as directory:
        path = extract_model(folder / ARCHIVE, manifest, Path(directory))
        _check_header(path, folder)
        yield path


def load_artefact(path: Path, manifest: Manifest, folder: Path) -> Artefact:
    """Load the unpacked `model.bin` of a model folder into memory. Raises ArtefactError."""
    model = fasttext.load_model(str(path))
    labels = [label for _, label in model.f.predict("\n", -1, 0.0, "strict")]
    if sorted(labels) != sorted(manifest.raw_labels()):
        raise ArtefactError(f"{folder}: {MANIFEST} names other labels than {MODEL} has")
    return Artefact(model, len(labels), manifest)


def extract_model(archive: Path, manifest: Manifest, target: Path) -> Path:
    """Unpack only `model.bin` into the folder `target` and return its path.

    Raises ArtefactError if the archive cannot be read or the model is not the one that the manifest describes.
    """
    try:
        with tarfile.open(archive, "r:gz") as tar:
            return _extract(tar, archive, manifest, target / MODEL)
    except FileNotFoundError:
        raise ArtefactError(f"{archive}: there is no such file; a model folder has {ARCHIVE} and {MANIFEST}") from None
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise ArtefactError(f"{archive}: damaged or cut short ({error}); copy it again, or train again") from error
    except OSError as error:
        raise ArtefactError(f"{archive}: {error.strerror}") from error


def _extract(tar: tarfile.TarFile, archive: Path, manifest: Manifest, path: Path) -> Path:
    part = path.with_suffix(".part")
    try:
        size, sha256 = _copy(_find_model(tar, archive), part, manifest.model_bytes)
        if (size, sha256) != (manifest.model_bytes, manifest.model_sha256):
            raise ArtefactError(
                f"{archive}: {MODEL} is not the one that {MANIFEST} describes (size or SHA-256 differ); "
                "the two files must come from the same training"
            )
        return part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _copy(content: IO[bytes], path: Path, expected: int) -> tuple[int, str]:
    """Copy at most one byte more than expected, which shows that the content is too long. Return size and SHA-256."""
    digest = hashlib.sha256()
    size = 0
    with path.open("wb") as file:
        while chunk := content.read(min(expected + 1 - size, _CHUNK_BYTES)):
            digest.update(chunk)
            size += file.write(chunk)
    return size, digest.hexdigest()


def _find_model(tar: tarfile.TarFile, archive: Path) -> IO[bytes]:
    for member in tar:
        if member.name.removeprefix("./") == MODEL and member.isfile():
            content = tar.extractfile(member)
            assert content is not None  # isfile() was true
            return content
    raise ArtefactError(f"{archive}: there is no {MODEL} at its root")


def _check_header(path: Path, folder: Path) -> None:
    with path.open("rb") as file:
        header = file.read(_HEADER.size)
    magic, version, *_, loss, model = _HEADER.unpack(header.ljust(_HEADER.size, b"\0"))
    try:
        check_signature(magic, version, _VERSIONS)
        check_kind(loss, model)
    except ModelFileError as error:
        raise ArtefactError(f"{folder}: {MODEL} is {error}") from error
