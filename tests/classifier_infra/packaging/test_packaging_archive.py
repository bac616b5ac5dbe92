"""An archive is written completely or not at all, and the same files give the same bytes."""

import os
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from classifier_infra.packaging.archive import write_archive


def test_the_same_contents_give_the_same_bytes_whatever_their_order_dates_and_permissions(tmp_path: Path):
    old, new = _write(tmp_path / "old" / "a.py"), _write(tmp_path / "new" / "a.py")
    os.utime(old, (1_000_000_000, 1_000_000_000))
    old.chmod(0o600)
    other = _write(tmp_path / "b.py", "other")
    a, b = PurePosixPath("a.py"), PurePosixPath("b.py")

    write_archive({a: old, b: other}, tmp_path / "first.zip")
    write_archive({b: other, a: new}, tmp_path / "second.zip")

    assert (tmp_path / "first.zip").read_bytes() == (tmp_path / "second.zip").read_bytes()


def test_lambda_may_read_every_file_of_the_archive(tmp_path: Path):
    secretive = _write(tmp_path / "a.py")
    secretive.chmod(0o600)

    write_archive({PurePosixPath("a.py"): secretive}, tmp_path / "archive.zip")

    with zipfile.ZipFile(tmp_path / "archive.zip") as archive:
        assert archive.infolist()[0].external_attr >> 16 == 0o644


def test_an_archive_has_its_sizes(tmp_path: Path):
    files = {PurePosixPath(name): _write(tmp_path / name, "x" * 1000) for name in ("a.py", "b.py")}

    archive = write_archive(files, tmp_path / "archive.zip")

    assert archive.unpacked == 2000
    assert archive.packed == (tmp_path / "archive.zip").stat().st_size < 2000


def test_an_archive_that_cannot_be_completed_leaves_the_one_before(tmp_path: Path):
    archive = _write(tmp_path / "archive.zip", "the one before")

    with pytest.raises(FileNotFoundError):
        write_archive({PurePosixPath("gone.py"): tmp_path / "gone.py"}, archive)

    assert archive.read_text() == "the one before"


def _write(file: Path, text: str = "text") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    return file
