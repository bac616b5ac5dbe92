"""Fixtures for public evaluation data and the models trained on it."""

import fcntl
import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of public evaluation data, which is no part of the project; the test is skipped without it."""
    if not SHARED_DATA.exists():
        pytest.skip(f"{SHARED_DATA} is not there")
    return SHARED_DATA


@pytest.fixture(scope="session")
def train_once(shared_data: Path) -> Callable[[str], Path]:
    """Train on a folder of the shared data and return the model folder.

    A model stays under build/ until data or code change, and is trained by whichever process asks first.
    """

    def train(name: str) -> Path:
        data = shared_data / name
        models = ROOT / "build" / "test-models"
        models.mkdir(parents=True, exist_ok=True)
        folder = models / f"{name}-{_fingerprint(data)}"
        with (models / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not (folder / "manifest.json").exists():
                subprocess.run([sys.executable, "-m", "training", "train", data, "--out", folder], check=True, cwd=ROOT)
        return folder

    return train


@pytest.fixture(scope="session")
def dbpedia_model(train_once: Callable[[str], Path]) -> Path:
    return train_once("dbpedia14")


def _fingerprint(data: Path) -> str:
    sources = [*(ROOT / "training").rglob("*.py"), *(ROOT / "classifier_infra").rglob("*.py")]
    sources += [ROOT / "requirements-dev.txt", *data.iterdir()]
    digest = hashlib.sha256()
    for path in sorted(sources):
        digest.update(f"{path.name}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]
