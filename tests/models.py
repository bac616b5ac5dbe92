"""Fixtures that write fastText models byte by byte: a second account of the format beside the exporter's."""

import hashlib
import io
import struct
import tarfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from classifier_infra.model.manifest import Manifest


def _fasttext(words: Mapping[str, Sequence[float]], labels: Sequence[str], **header: int) -> bytes:
    """Return a supervised fastText model: softmax(identity · mean of the words' rows)."""
    arguments = {
        "magic": 793712314, "version": 12, "dim": len(labels), "ws": 5, "epoch": 5, "min_count": 1, "neg": 5,
        "word_ngrams": 1, "loss": 3, "model": 3, "bucket": 0, "minn": 0, "maxn": 0, "lr_update_rate": 100,
    }  # fmt: skip
    data = struct.pack("<14id", *(arguments | header).values(), 1e-4)
    data += struct.pack("<3i2q", len(words) + len(labels), len(words), len(labels), len(words), -1)
    for kind, entries in enumerate((words, labels)):
        data += b"".join(entry.encode() + b"\0" + struct.pack("<qb", 1, kind) for entry in entries)
    identity = [[float(row == column) for column in labels] for row in labels]
    return data + _matrix(list(words.values())) + _matrix(identity)


def _matrix(rows: Sequence[Sequence[float]]) -> bytes:
    unquantised = b"\0"
    values = [value for row in rows for value in row]
    return unquantised + struct.pack(f"<2q{len(values)}f", len(rows), len(rows[0]), *values)


def _write_folder(folder: Path, model: bytes, manifest: Manifest) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    checked = replace(manifest, model_sha256=hashlib.sha256(model).hexdigest(), model_bytes=len(model))
    (folder / "manifest.json").write_text(checked.to_json(), encoding="utf-8")
    _write_archive(folder / "model.tar.gz", {"model.bin": model})
    return folder


def _write_archive(path: Path, files: Mapping[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))


@pytest.fixture(scope="session")
def write_fasttext() -> Callable[..., bytes]:
    return _fasttext


@pytest.fixture(scope="session")
def write_folder() -> Callable[[Path, bytes, Manifest], Path]:
    """Write a model folder whose manifest fits the model."""
    return _write_folder


@pytest.fixture(scope="session")
def write_archive() -> Callable[[Path, Mapping[str, bytes]], None]:
    return _write_archive


@pytest.fixture(scope="session")
def write_model() -> Callable[[Path, Manifest], Path]:
    """Write a model folder for the labels of a manifest; its model knows no word and prefers no label."""

    def write(folder: Path, manifest: Manifest) -> Path:
        labels = manifest.raw_labels()
        return _write_folder(folder, _fasttext({"</s>": [0.0] * len(labels)}, labels), manifest)

    return write
