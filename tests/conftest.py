"""Fixtures that more than one folder of tests uses."""

import fcntl
import hashlib
import io
import os
import shutil
import struct
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import uvicorn
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, sync_playwright
from starlette.types import ASGIApp
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from bot.sandbox.servers import run_ministack
from classifier_infra.model.manifest import Manifest

ROOT = Path(__file__).parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"

# Timings never decide a test: a busy machine is no fault of the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# For what was already searched thoroughly by another interpreter.
settings.register_profile("brief", settings.get_profile("untimed"), max_examples=15)
# To look for what chance finds once in a thousand times: HYPOTHESIS_PROFILE=thorough make test ARGS="-m hypothesis".
settings.register_profile("thorough", settings.get_profile("untimed"), max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "untimed"))

CHROMIUM_ARGUMENTS = [
    "--no-sandbox",  # CI runs as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_xdist_auto_num_workers() -> int:
    """Return one more than there are cores: many tests wait for a browser, a server or a process most of their time."""
    return (os.cpu_count() or 1) + 1


# Folders and files that share what takes long to start, each run by one worker. A folder ends in a slash.
WORKER_GROUPS = {
    "tests/infrastructure/test_archive.py": "archives",
    "tests/infrastructure/": "serverless",
    "tests/end_to_end/test_dbpedia.py": "dbpedia",
    "tests/end_to_end/": "sandbox",
    "tests/benchmarks/faults/test_burst.py": "two workers",
    "tests/benchmarks/faults/test_queue.py": "two workers",
}


class FileScheduling(LoadScopeScheduling):
    """Let one worker run the tests of a file, so that a fixture of a module or of a group is built once.

    pytest-xdist 3.8 has `--dist loadgroup` for this, but it does nothing on pytest 9.2, which no longer reads the
    `_nodeid` that it sets.
    """

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        return next((group for start, group in WORKER_GROUPS.items() if path.startswith(start)), path)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FileScheduling:
    config.option.loadscopereorder = False  # the order is that of pytest_collection_modifyitems
    return FileScheduling(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what waits longest for processes, so that no worker is left alone with it at the end."""
    items.sort(key=lambda item: not any(item.iter_markers("stack")))


@pytest.fixture(scope="session")
def ministack_url() -> Iterator[str]:
    """The URL of a running SQS and DynamoDB; name what you create in it by something of your own."""
    with run_ministack() as url:
        yield url


@pytest.fixture
def serve() -> Iterator[Callable[[ASGIApp | uvicorn.Server], str]]:
    """Serve an application, or a server made for one, on a free port of 127.0.0.1; gives its URL without a slash."""
    with ExitStack() as servers:
        yield lambda served: servers.enter_context(_serving(served))


@contextmanager
def _serving(served: ASGIApp | uvicorn.Server) -> Iterator[str]:
    server = served if isinstance(served, uvicorn.Server) else uvicorn.Server(_config(served))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server ended before it had started"
            time.sleep(0.005)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(app, host="127.0.0.1", port=0, log_level="warning", ws="none")


# Not for the whole session: while Playwright runs, its event loop counts as running in this thread, and a test of
# another module could not start one of its own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; absent, the test is skipped, but for CI, where it fails."""
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if executable is None:
        missing = "Chromium is not installed (Debian: apt install chromium), and CHROMIUM does not name it"
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Public evaluation data, which is no part of the project; absent, the test is skipped."""
    if not SHARED_DATA.exists():
        pytest.skip(f"{SHARED_DATA} is not there")
    return SHARED_DATA


@pytest.fixture(scope="session")
def train_once(shared_data: Path) -> Callable[[str], Path]:
    """Train on a folder of the shared data; give the model folder.

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


# --- Models -------------------------------------------------------------------------------------------------
# `model.bin` is written here byte by byte: a second account of the format beside the exporter's.


def _fasttext(words: Mapping[str, Sequence[float]], labels: Sequence[str], **header: int) -> bytes:
    """Give a supervised fastText model: softmax(identity · mean of the words' rows)."""
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
    """Writes a model folder in which the manifest fits the model."""
    return _write_folder


@pytest.fixture(scope="session")
def write_archive() -> Callable[[Path, Mapping[str, bytes]], None]:
    return _write_archive


@pytest.fixture(scope="session")
def write_model() -> Callable[[Path, Manifest], Path]:
    """Writes a model folder for the labels of a manifest; its model knows no word and prefers no label."""

    def write(folder: Path, manifest: Manifest) -> Path:
        labels = manifest.raw_labels()
        return _write_folder(folder, _fasttext({"</s>": [0.0] * len(labels)}, labels), manifest)

    return write
