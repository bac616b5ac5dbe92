"""Servers of the sandbox that run as processes of their own, and never outlive whoever started them."""

import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

START_SECONDS = 30.0
STOP_SECONDS = 5.0

# Ends when its standard input does, so that nothing is left running even if the starter is killed.
_GUARD = """
import os, runpy, signal, sys, threading

def end_with_the_starter():
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=end_with_the_starter, daemon=True).start()
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


class ProcessError(RuntimeError):
    """A server did not start; the message has what it said last."""


class ServerProcess:
    """A Python module run as a server: up when `ready_url` answers 200, can be stopped and started again."""

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
        """Start it without waiting for it; nothing happens when it is running already."""
        if not self.running:
            self._process = subprocess.Popen(  # noqa: S603, our own programs
                self._command,
                env=dict(self._environment),
                stdin=subprocess.PIPE,
                stdout=self._log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for the starter: it ends this once nothing uses it any more
            )

    def wait(self) -> None:
        """Wait until it answers. Raises ProcessError when it ends before, or takes longer than START_SECONDS."""
        deadline = time.monotonic() + START_SECONDS
        while not _answers(self._ready_url):
            if not self.running or time.monotonic() > deadline:
                raise ProcessError(f"{self._name} did not start; it said: {self._last_words()}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it and wait for that; nothing happens when it is not running."""
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

    def _last_words(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace")[-2000:]


def free_port() -> int:
    """Find a port of 127.0.0.1 that nothing listens on right now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:  # noqa: S310, our own loopback URL
            return bool(answer.status == 200)
    except OSError:
        return False
