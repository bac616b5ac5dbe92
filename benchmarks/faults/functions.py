"""Run the Lambda functions of serverless.yml as processes, and deliver batches to them as SQS may."""

import importlib
import multiprocessing
import os
import threading
import time
import traceback
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

# --- What serverless.yml declares ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class DeployedFunction:
    """A function of serverless.yml.

    `handler` is `package.module.function`, `timeout` is in seconds. `queues` and the values of `references`
    (environment variable → resource) are logical ids; `settings` are the variables with a literal value.
    """

    name: str
    handler: str
    timeout: float
    queues: tuple[str, ...]
    references: Mapping[str, str]
    settings: Mapping[str, str]

    def environment(self, created: CreatedResources) -> dict[str, str]:
        """Return the function's environment variables, with the names of the created resources."""
        names = {**created.tables, **created.queues}
        return {**self.settings, **{name: names[each] for name, each in self.references.items() if each in names}}


def read_deployment(serverless_yml: Path) -> tuple[DeployedFunction, ...]:
    """Read all functions of a Serverless Framework file."""
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
    """Return queue → visibility timeout, from the template."""
    queues = read_resources("queues.yml").items()
    return {name: int(queue["Properties"].get("VisibilityTimeout", 30)) for name, queue in queues}


@cache
def dead_letter_queues() -> frozenset[str]:
    """Return the template's dead-letter queues."""
    queues = read_resources("queues.yml").values()
    policies = [queue["Properties"]["RedrivePolicy"] for queue in queues if "RedrivePolicy" in queue["Properties"]]
    return frozenset(policy["deadLetterTargetArn"]["Fn::GetAtt"][0] for policy in policies)


# --- Processes ----------------------------------------------------------------------------------------------

_CONTEXT = multiprocessing.get_context("forkserver")


class FunctionDied(Exception):
    """The process exited, or was killed, before it answered."""


class FunctionRaised(Exception):
    """The handler raised. The message has the exception's class, the process's log its traceback."""


def preload_modules(modules: Iterable[str]) -> None:
    """Import modules once for all processes. Call it before the first process starts."""
    _CONTEXT.set_forkserver_preload([*modules])


class FunctionProcess:
    """Handles one event at a time. `handler` is `package.module.function`; its output is appended to the file `log`."""

    def __init__(self, name: str, handler: str, environment: Mapping[str, str], log: Path, timeout: float) -> None:
        self.name = name

        self._arguments = (name, handler, dict(environment), str(log), timeout)
        self._timeout = timeout
        self._busy = threading.Lock()
        self._process: BaseProcess | None = None
        self._connection: Connection | None = None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process and self._process.is_alive() else None

    def invoke(self, event: Mapping[str, Any], clock_offset: float = 0.0) -> Any:
        """Handle an event with a clock that is `clock_offset` seconds ahead. Raises FunctionDied, FunctionRaised."""
        with self._busy:
            connection = self._connection if self.pid and self._connection else self._start()
            try:
                connection.send((event, clock_offset))
                if not connection.poll(self._timeout + 1):
                    self.kill()
                outcome, value = connection.recv()
            except (EOFError, OSError):
                self._reap()
                raise FunctionDied(self.name) from None
        if outcome == "raised":
            raise FunctionRaised(f"{self.name}: {value}")
        return value

    def kill(self) -> None:
        """Send SIGKILL."""
        if self._process:
            self._process.kill()

    def close(self) -> None:
        self.kill()
        self._reap()

    def _start(self) -> Connection:
        self._reap()

        self._connection, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_run, args=(theirs, *self._arguments), daemon=True)
        self._process.start()
        theirs.close()
        return self._connection

    def _reap(self) -> None:
        if self._process:
            self._process.join(timeout=5)
            self._process = None
        if self._connection:
            self._connection.close()
            self._connection = None


class _Clock:
    """Replaces `time.time` in the process by a clock with an offset."""

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
        traceback.print_exc()
        return "raised", type(error).__name__


# --- Delivery of batches ------------------------------------------------------------------------------------

Event = Mapping[str, Any]
Handle = Callable[[Event], Mapping[str, Any]]
"""Handles a batch and returns `batchItemFailures`."""


class DeliveryMode(StrEnum):
    """A way in which SQS's standard queues may deliver messages; the value is its name in tables."""

    NORMAL = "normal"
    CONCURRENT = "SQS: each message to two workers at once"
    REDELIVERED = "SQS: each message again after it was handled"
    NEWEST_FIRST = "SQS: out of order, the newest first"


def deliver_batch(way: DeliveryMode, event: Event, workers: tuple[Handle, ...]) -> dict[str, Any]:
    """Deliver a batch to the first worker, for CONCURRENT to all; return the `batchItemFailures`."""
    batch = {"Records": sorted(event["Records"], key=_sent_at, reverse=way is DeliveryMode.NEWEST_FIRST)}
    if way is DeliveryMode.CONCURRENT:
        with ThreadPoolExecutor(len(workers)) as pool:
            answers = list(pool.map(lambda handle: handle(batch), workers))
    else:
        answers = [workers[0](batch)]
    failed = {failure["itemIdentifier"] for answer in answers for failure in answer.get("batchItemFailures", [])}
    if way is DeliveryMode.REDELIVERED:
        failed |= {each["messageId"] for each in batch["Records"] if _receives(each) == 1}
    return {"batchItemFailures": [{"itemIdentifier": each} for each in sorted(failed)]}


def _receives(record: Mapping[str, Any]) -> int:
    return int(record["attributes"]["ApproximateReceiveCount"])


def _sent_at(record: Mapping[str, Any]) -> int:
    return int(record["attributes"]["SentTimestamp"])
