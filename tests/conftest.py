"""How the tests are run and shared out, and the servers and the browser that several folders use."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
import uvicorn
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, expect, sync_playwright
from starlette.types import ASGIApp
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from bot.sandbox.servers import run_ministack

pytest_plugins = ["tests.models", "tests.shared_data"]

# Timings never decide a test: a busy machine is no fault of the code.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# For what was already searched thoroughly by another interpreter.
settings.register_profile("brief", settings.get_profile("untimed"), max_examples=15)
# To look for what chance finds once in a thousand times: HYPOTHESIS_PROFILE=thorough make test ARGS="-m hypothesis".
settings.register_profile("thorough", settings.get_profile("untimed"), max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "untimed"))

# Milliseconds, for every browser test of a process; the machine may be running other tests as well.
expect.set_options(timeout=60_000)
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
    """The URL of a running SQS and DynamoDB, shared by tests: give what you create a name of your own."""
    with run_ministack() as url:
        yield url


@pytest.fixture
def serve() -> Iterator[Callable[[ASGIApp | uvicorn.Server], str]]:
    """Serve an application, or a server made for one, on a free port of 127.0.0.1; return its URL without a slash."""
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
    """Chromium. Without it, the test is skipped, and in CI it fails."""
    # The shell is Chromium without its windows, and takes less than half the processor time.
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if executable is None:
        missing = (
            "Chromium is not installed (Debian: apt install chromium-headless-shell), and CHROMIUM does not name it"
        )
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_ARGUMENTS)
        yield chromium
        chromium.close()
