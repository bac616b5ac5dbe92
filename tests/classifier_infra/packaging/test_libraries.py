"""An archive contains the locked libraries that its handler imports, with their own dependencies."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from classifier_infra.packaging.libraries import Libraries, install_libraries
from classifier_infra.packaging.reach import Reach
from classifier_infra.packaging.runtime import PackagingError

ROOT = Path(__file__).parents[3]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An installation: `front` needs `Back_End` on Linux, `extra` for its extra and `windows` elsewhere."""
    needs = ["Back_End>=1; sys_platform == 'linux'", "extra; extra == 'more'", "windows; sys_platform == 'win32'"]
    _install(tmp_path, "front", ["front/__init__.py", "../../bin/front"], needs)
    _install(tmp_path, "back-end", ["back.py"])
    _install(tmp_path, "extra", ["extra.py"])
    _install(tmp_path, "windows", ["windows.py"])
    _install(tmp_path, "botocore", ["botocore/__init__.py", "botocore/data/endpoints.json"])
    for service in ("sqs", "ec2"):
        _install(tmp_path, f"data-{service}", [])
        _write(tmp_path, f"botocore/data/{service}/2012/service-2.json.gz")
    record = tmp_path / "botocore-1.dist-info" / "RECORD"
    lines = [f"botocore/data/{service}/2012/service-2.json.gz,," for service in ("sqs", "ec2")]
    record.write_text(record.read_text() + "\n".join(lines))
    return tmp_path


def test_a_library_comes_with_those_it_needs_there(folder):
    assert _modules(folder, "front.thing") == {"front/__init__.py", "back.py"}


def test_bytecode_comes_with_its_source(folder):
    _write(folder, "__pycache__/back.cpython-313.pyc")
    _write(folder, "__pycache__/back.cpython-311.pyc")

    assert _modules(folder, "back") == {"back.py", "__pycache__/back.cpython-313.pyc"}


def test_of_the_services_of_aws_only_those_are_described_that_are_called(folder):
    found = _modules(folder, "botocore", services=["sqs"])

    assert "botocore/data/endpoints.json" in found
    assert {name for name in found if name.endswith(".gz")} == {"botocore/data/sqs/2012/service-2.json.gz"}


def test_a_module_that_no_library_has_is_named(folder):
    with pytest.raises(PackagingError, match="has a module elsewhere"):
        _modules(folder, "elsewhere")


def test_libraries_that_cannot_be_installed_are_an_error_and_leave_nothing(tmp_path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "empty"))

    with pytest.raises(PackagingError, match="uv could not install"):
        install_libraries("arm64", ROOT / "requirements.txt", tmp_path / "libraries", python=None)

    assert [*(tmp_path / "libraries").iterdir()] == []


def _modules(folder: Path, imported: str, services: Sequence[str] = ()) -> set[str]:
    foreign = frozenset({imported.partition(".")[0], imported})
    files = Libraries(folder, "arm64").files_for(Reach({}, foreign, frozenset(services)))
    return {str(path) for path in files if ".dist-info" not in str(path)}


def _install(folder: Path, name: str, files: Sequence[str], needs: Sequence[str] = ()) -> None:
    for file in files:
        _write(folder, file) if not file.startswith("..") else None
    requires = "".join(f"Requires-Dist: {each}\n" for each in needs)
    _write(folder, f"{name}-1.dist-info/METADATA", f"Metadata-Version: 2.4\nName: {name}\nVersion: 1\n{requires}")
    own = [f"{name}-1.dist-info/METADATA", f"{name}-1.dist-info/RECORD"]
    _write(folder, f"{name}-1.dist-info/RECORD", "".join(f"{file},,\n" for file in (*files, *own)))


def _write(folder: Path, name: str, text: str = "") -> None:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
