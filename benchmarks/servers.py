"""Servers under test: started on a free port of this machine, ended with the `with` block."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.load import HOST
from benchmarks.results import BenchmarkError

ROOT = Path(__file__).parents[1]
MODEL = ROOT / "build" / "models" / "starter"
_START_SECONDS = 60.0
_STOP_SECONDS = 10.0


@dataclass(frozen=True)
class Server:
    """A server under test: how to start it, and where it takes invocations."""

    name: str
    command: Sequence[str]
    path: str = "/invocations"


@dataclass(frozen=True)
class Running:
    """A started server with a number of workers."""

    server: Server
    workers: int
    port: int
    pid: int


ENDPOINT_NAME = "blazing-triage"
LOCAL_ENDPOINT = Server(
    "local endpoint",
    ("-m", "classifier_infra", "serve", str(MODEL)),
    f"/endpoints/{ENDPOINT_NAME}/invocations",
)


@contextmanager
def running(server: Server, workers: int = 1) -> Iterator[Running]:
    """Start a server and wait until it takes connections. Raises BenchmarkError."""
    if not (MODEL / "manifest.json").exists():
        raise BenchmarkError(f"{MODEL} is missing: make train-starter")
    port = _free_port()
    command = [sys.executable, *server.command, "--port", str(port), "--workers", str(workers)]
    environment = os.environ | {"MODEL": str(MODEL), "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL) as process:
        try:
            _wait(port, process, server)
            yield Running(server, workers, port, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def _wait(port: int, process: "subprocess.Popen[bytes]", server: Server) -> None:
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection((HOST, port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise BenchmarkError(f"{server.name} did not start")
