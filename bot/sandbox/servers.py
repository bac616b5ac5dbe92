"""Start servers on 127.0.0.1: on threads of this process, or as child processes that never outlive it."""

import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from classifier_infra.local.server import LOOPBACK, listen

ROOT = Path(__file__).parents[2]
# ministack pins its own botocore, so it is installed in an environment of its own.
MINISTACK_PYTHON = ROOT / ".venv-ministack" / "bin" / "python"

START_SECONDS = 30.0
STOP_SECONDS = 5.0

# --- On a thread of this process ----------------------------------------------------------------------------


@contextmanager
def serving(served: ASGIApp | uvicorn.Server, listener: socket.socket) -> Iterator[None]:
    """Serve an application, or a server that was built for one, until the `with` block ends."""
    server = served if isinstance(served, uvicorn.Server) else uvicorn.Server(_config(served))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=5)


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=2)


# --- As a child process -------------------------------------------------------------------------------------

# Ends the child when its standard input closes, which also happens when the parent is killed.
_GUARD = """
import os, runpy, signal, sys, threading

def end_with_the_parent():
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=end_with_the_parent, daemon=True).start()
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


class ProcessError(RuntimeError):
    """A server did not start; the message ends with its last output."""


class ServerProcess:
    """A Python module run as a server, ready once `ready_url` answers 200. It can be stopped and started again."""

    def __init__(
        self, python: Path | str, arguments: Sequence[str], ready_url: str, environment: Mapping[str, str]
    ) -> None:
        self._command = [str(python), "-c", _GUARD, *arguments]
        self._name = arguments[0]
        self._ready_url = ready_url
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._log = tempfile.TemporaryFile()  # noqa: SIM115, closed with this object, not with a block

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start the server without waiting for it; do nothing when it is running."""
        if not self.running:
            self._process = subprocess.Popen(  # noqa: S603, our own programs
                self._command,
                env=dict(self._environment),
                stdin=subprocess.PIPE,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C reaches the parent only, which stops its servers in order
            )

    def wait(self) -> None:
        """Wait until the server answers. Raises ProcessError when it exits first or needs over START_SECONDS."""
        deadline = time.monotonic() + START_SECONDS
        while not _answers(self._ready_url):
            if not self.running or time.monotonic() > deadline:
                raise ProcessError(f"{self._name} did not start. Its last output: {self._last_output()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Stop the server and wait for its exit; do nothing when it is not running."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process = None

    def close(self) -> None:
        self.stop()
        self._log.close()

    def _last_output(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")[-2000:]


def free_port() -> int:
    """Return a port of 127.0.0.1 that nothing listens on right now."""
    with listen(LOOPBACK, 0) as listener:
        port: int = listener.getsockname()[1]
        return port


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310, our own loopback URL
            return bool(answer.status == 200)
    except OSError:
        return False


def create_local_endpoint(model: Path, port: int, endpoint_name: str) -> ServerProcess:
    """Prepare the classifier's local endpoint for a model folder, without starting it."""
    arguments = ["classifier_infra", "serve", str(model), "--port", str(port), "--endpoint-name", endpoint_name]
    environment = {"PATH": os.environ.get("PATH", ""), "PYTHONPATH": str(ROOT)}
    return ServerProcess(sys.executable, arguments, f"http://127.0.0.1:{port}/ping", environment)


def create_ministack(port: int, python: Path = MINISTACK_PYTHON) -> ServerProcess:
    """Prepare ministack (SQS and DynamoDB, in memory) without starting it.

    `python` is the interpreter that ministack is installed for. Raises ProcessError when that does not exist.
    """
    if not python.exists():
        raise ProcessError(f"{python} does not exist. Create it with `make .venv-ministack/.ready`.")
    # By default ministack listens on every interface.
    chosen = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "SERVICES": "sqs,dynamodb", "LOG_LEVEL": "WARNING"}
    environment = {"PATH": os.environ.get("PATH", ""), **chosen}
    return ServerProcess(python, ["ministack"], f"http://127.0.0.1:{port}/_ministack/health", environment)


@contextmanager
def run_ministack(python: Path = MINISTACK_PYTHON) -> Iterator[str]:
    """Run ministack on a free port until the `with` block ends, and yield its URL. Raises ProcessError."""
    with closing(create_ministack(port := free_port(), python)) as server:
        server.start()
        server.wait()
        yield f"http://127.0.0.1:{port}"
