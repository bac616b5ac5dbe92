"""A Lambda function as a process of its own, which can be killed at any moment and is there again for the next event.

It is forked from a server that has imported all handlers already, so that a new life takes a fraction of a second.
"""

import importlib
import multiprocessing
import os
import threading
import time
from collections.abc import Iterable, Mapping
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from bot.sandbox.gateway import LambdaContext

_CONTEXT = multiprocessing.get_context("forkserver")


class FunctionDied(Exception):
    """The process ended, or was ended, before it had answered."""


class FunctionRaised(Exception):
    """The handler raised; the message has the name of the exception's class, and the log its traceback."""


def import_early(modules: Iterable[str]) -> None:
    """Name the modules that every process finds imported. Has an effect before the first one is started only."""
    _CONTEXT.set_forkserver_preload([*modules])


class FunctionProcess:
    """Handles one event at a time. `handler` is `package.module.function`.

    What the handler prints and logs is added to the file `log`.
    """

    def __init__(self, name: str, handler: str, environment: Mapping[str, str], log: Path, timeout: float) -> None:
        self.name = name
        self.lives = 0
        self._arguments = (name, handler, dict(environment), str(log), timeout)
        self._timeout = timeout
        self._busy = threading.Lock()
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.is_alive() else None

    def invoke(self, event: Mapping[str, Any], clock_offset: float = 0.0) -> Any:
        """Hand an event in, on a clock that is `clock_offset` seconds ahead. Raises FunctionDied, FunctionRaised."""
        with self._busy:
            connection = self._connection if self.pid and self._connection else self._start()
            try:
                connection.send((event, clock_offset))
                if not connection.poll(self._timeout + 1):
                    self.kill()
                outcome, value = connection.recv()
            except (EOFError, OSError):
                self._bury()
                raise FunctionDied(self.name) from None
        if outcome == "raised":
            raise FunctionRaised(f"{self.name}: {value}")
        return value

    def kill(self) -> None:
        """End it by SIGKILL, whatever it is doing."""
        if self._process:
            self._process.kill()

    def close(self) -> None:
        self.kill()
        self._bury()

    def _start(self) -> Connection:
        self._bury()
        self.lives += 1
        self._connection, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_run, args=(theirs, *self._arguments), daemon=True)
        self._process.start()
        theirs.close()
        return self._connection

    def _bury(self) -> None:
        if self._process:
            self._process.join(timeout=5)
            self._process = None
        if self._connection:
            self._connection.close()
            self._connection = None


class _Clock:
    """Stands in for `time.time` in the process: Lambda's clock, if it went wrong or time went by."""

    def __init__(self) -> None:
        self.offset = 0.0
        self._real = time.time

    def __call__(self) -> float:
        return self._real() + self.offset


def _run(
    connection: Connection, name: str, handler: str, environment: dict[str, str], log: str, timeout: float
) -> None:
    with open(log, "ab", buffering=0) as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    os.environ.clear()
    os.environ.update(environment)
    clock = time.time = _Clock()
    module, _, attribute = handler.rpartition(".")
    handle = getattr(importlib.import_module(module), attribute)
    while True:
        try:
            event, clock.offset = connection.recv()
        except EOFError:
            return
        connection.send(_answer(handle, event, LambdaContext(name, timeout)))


def _answer(handle: Any, event: Any, context: LambdaContext) -> tuple[str, Any]:
    try:
        return "answered", handle(event, context)
    except Exception as error:
        import traceback

        traceback.print_exc()
        return "raised", type(error).__name__
