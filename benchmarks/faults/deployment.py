"""What serverless.yml says of each function that a laboratory needs to know. Pure but for reading the file."""

import importlib
import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import yaml

from bot.sandbox.gateway import LambdaContext
from bot.sandbox.resources import CreatedResources, read_resources


@dataclass(frozen=True, slots=True)
class DeployedFunction:
    """A function: its handler, the queues that feed it and the resources its environment names, by logical id.

    `settings` are the variables with a plain value, `timeout` is in seconds.
    """

    name: str
    handler: str
    timeout: float
    queues: tuple[str, ...]
    references: Mapping[str, str]
    settings: Mapping[str, str]

    def environment(self, created: CreatedResources) -> dict[str, str]:
        """Give the variables of the function, with the names of what was created."""
        names = {**created.tables, **created.queues}
        return {**self.settings, **{name: names[each] for name, each in self.references.items() if each in names}}


def read_deployment(serverless_yml: Path) -> tuple[DeployedFunction, ...]:
    """Read every function of a Serverless Framework file."""
    functions = yaml.safe_load(serverless_yml.read_text(encoding="utf-8"))["functions"]
    return tuple(_read_function(name, each) for name, each in functions.items())


def _read_function(name: str, function: Mapping[str, Any]) -> DeployedFunction:
    environment = function.get("environment", {})
    return DeployedFunction(
        name,
        function["handler"],
        float(function.get("timeout", 6)),
        tuple(event["sqs"]["arn"]["Fn::GetAtt"][0] for event in function.get("events", []) if "sqs" in event),
        {key: value["Ref"] for key, value in environment.items() if isinstance(value, dict) and "Ref" in value},
        {key: str(value) for key, value in environment.items() if _is_plain(value)},
    )


def _is_plain(value: object) -> bool:
    return not isinstance(value, dict) and "${" not in str(value)


@cache
def visibility_seconds() -> dict[str, int]:
    """Give how long each queue of the template hides a message that was received."""
    queues = read_resources("queues.yml").items()
    return {name: int(queue["Properties"].get("VisibilityTimeout", 30)) for name, queue in queues}


@cache
def dead_letter_queues() -> frozenset[str]:
    """Give the queues of the template that others set messages aside in."""
    queues = read_resources("queues.yml").values()
    policies = [queue["Properties"]["RedrivePolicy"] for queue in queues if "RedrivePolicy" in queue["Properties"]]
    return frozenset(policy["deadLetterTargetArn"]["Fn::GetAtt"][0] for policy in policies)


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


Event = Mapping[str, Any]
Handle = Callable[[Event], Mapping[str, Any]]
"""Handles a batch and gives `batchItemFailures`."""


class HandingOut(StrEnum):
    """The value is its name in tables."""

    FAIR = "fair"
    TWICE = "SQS: each message to two workers at once, who race for each row"
    AGAIN = "SQS: once more, after it was handled"
    NEWEST_FIRST = "SQS: out of order, the newest first"


def hand_out(way: HandingOut, event: Event, workers: tuple[Handle, ...]) -> dict[str, Any]:
    """Hand a batch to the first of the workers, and for TWICE to all of them; give what has to be delivered again."""
    batch = {"Records": sorted(event["Records"], key=_sent_at, reverse=way is HandingOut.NEWEST_FIRST)}
    if way is HandingOut.TWICE:
        with ThreadPoolExecutor(len(workers)) as pool:
            answers = list(pool.map(lambda handle: handle(batch), workers))
    else:
        answers = [workers[0](batch)]
    failed = {failure["itemIdentifier"] for answer in answers for failure in answer.get("batchItemFailures", [])}
    if way is HandingOut.AGAIN:
        failed |= {each["messageId"] for each in batch["Records"] if _tries(each) == 1}
    return {"batchItemFailures": [{"itemIdentifier": each} for each in sorted(failed)]}


def _tries(record: Mapping[str, Any]) -> int:
    return int(record["attributes"]["ApproximateReceiveCount"])


def _sent_at(record: Mapping[str, Any]) -> int:
    return int(record["attributes"]["SentTimestamp"])
