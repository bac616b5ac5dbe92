"""Proxy HTTP requests on 127.0.0.1, one per connection, and inject faults into them.

The usual fault-injecting proxies break connections. The worst fault here is that of a single request: the server has
acted, but its response is lost.
"""

import asyncio
import json
import socket
import struct
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from benchmarks.faults.rules import (
    AFTER_THE_SERVER,
    KILLS,
    Fault,
    Request,
    Rule,
    fault_response,
    judge,
    name_operation,
)

# Longer than the time-out of any client in the system.
SLOW_SECONDS = 5.0

# The source of actions on Slack's page, which come through the same proxy as calls of its Web API.
PEOPLE = "people"

_MOST_HEAD_BYTES = 64 * 1024


class Faults:
    """The rules in force, and counts of the requests seen and struck. Thread-safe.

    `late` counts requests whose client has timed out but which will still reach the server.
    """

    def __init__(self) -> None:
        self.seen: Counter[str] = Counter()
        self.struck: Counter[str] = Counter()
        self.late = 0
        self._lock = threading.Lock()
        self._rules: tuple[Rule, ...] = ()
        self._trace: list[Request] | None = None

    def set(self, *rules: Rule) -> None:
        """Replace the rules in force."""
        with self._lock:
            self._rules = rules

    @property
    def pending(self) -> bool:
        """Report whether a rule with an end has strikes left."""
        with self._lock:
            return any(rule.times for rule in self._rules)

    @contextmanager
    def tracing(self) -> Iterator[list[Request]]:
        """Record the requests that are made within the `with` block."""
        trace: list[Request] = []
        self._trace = trace
        try:
            yield trace
        finally:
            self._trace = None

    @contextmanager
    def being_late(self) -> Iterator[None]:
        with self._lock:
            self.late += 1
        try:
            yield
        finally:
            with self._lock:
                self.late -= 1

    def judge(self, request: Request) -> Fault | None:
        with self._lock:
            fault, self._rules = judge(self._rules, request)
            self.seen[str(request)] += 1
            if fault:
                self.struck[fault] += 1
            if self._trace is not None:
                self._trace.append(request)
            return fault


@dataclass(frozen=True, slots=True)
class _Incoming:
    """A request as received; `head` has the lines before the body."""

    request: Request
    head: tuple[str, ...] = field(repr=False)

    @property
    def raw(self) -> bytes:
        return _build_request(self.head, self.request.body)


@dataclass(slots=True)
class Proxy:
    """Stands between one process, `source`, and one service, whose URL is `upstream`. Start it in an event loop.

    `kill` kills the process. A message with a delay is not delayed; `skip_time` is called with the seconds instead. A
    proxy that refuses connections does so until it is started again, which it does by itself after `down_seconds`
    unless that is None.
    """

    source: str
    service: str
    faults: Faults
    kill: Callable[[], None]
    upstream: str
    skip_time: Callable[[float], None]
    port: int = 0
    down_seconds: float | None = None
    _server: asyncio.Server | None = None
    # References that keep tasks from being garbage-collected while the server still works for a client that has gone.
    _under_way: set["asyncio.Task[None] | None"] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_down(self) -> bool:
        return self._server is None

    async def start(self) -> None:
        """Listen, on a free port the first time and on the same port from then on."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Refuse connections from now on."""
        if self._server:
            server, self._server = self._server, None
            # Otherwise a connection that asyncio has accepted but not yet handed over would stay open.
            for listener in server.sockets:
                asyncio.get_running_loop().remove_reader(listener.fileno())
            await asyncio.sleep(0)
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._under_way.add(task := asyncio.current_task())
        try:
            with suppress(OSError, EOFError, asyncio.LimitOverrunError):
                incoming = await _read_request(reader, self.source, self.service)
                await self._answer(incoming, self.faults.judge(incoming.request), writer)
        finally:
            writer.close()
            self._under_way.discard(task)

    async def _answer(self, incoming: _Incoming, fault: Fault | None, writer: asyncio.StreamWriter) -> None:
        if fault in (Fault.THROTTLED, Fault.ERROR):
            writer.write(fault_response(self.service, fault))
            return
        response = b""
        if fault is Fault.SLOW:
            with self.faults.being_late():
                await asyncio.sleep(SLOW_SECONDS)
                response = await _ask(self.upstream, self._without_delay(incoming))
        elif fault is None or fault in AFTER_THE_SERVER:
            response = await _ask(self.upstream, self._without_delay(incoming))
        if fault in KILLS:
            self.kill()
        if fault is Fault.REFUSED:
            await self._go_down()
        if fault is Fault.TRUNCATED:
            writer.write(response[: -max(1, _body_length(response) // 2)])
        elif fault is None or fault is Fault.SLOW:
            writer.write(response)
        else:
            _reset(writer)

    async def _go_down(self) -> None:
        await self.stop()
        if self.down_seconds is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(self.down_seconds, lambda: loop.create_task(self._come_up()))

    async def _come_up(self) -> None:
        if self.is_down:
            await self.start()

    def _without_delay(self, incoming: _Incoming) -> bytes:
        if str(incoming.request) != "sqs:SendMessage":
            return incoming.raw
        message = json.loads(incoming.request.body)
        self.skip_time(float(message.pop("DelaySeconds", 0)))
        return _build_request(incoming.head, json.dumps(message).encode())


async def _read_request(reader: asyncio.StreamReader, source: str, service: str) -> _Incoming:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    operation = name_operation(first.split(" ")[1], headers)
    source = PEOPLE if operation.startswith("/sandbox/") else source
    return _Incoming(Request(source, service, operation, body), (first, *lines))


def _build_request(head: Sequence[str], body: bytes) -> bytes:
    first, *lines = head
    kept = [line for line in lines if line and not line.lower().startswith(("connection:", "content-length:"))]
    fields = [first, *kept, f"Content-Length: {len(body)}", "Connection: close", "", ""]
    return "\r\n".join(fields).encode("latin-1") + body


async def _ask(upstream: str, raw: bytes) -> bytes:
    """Forward a request and return the whole response, which is empty if the server is down."""
    address = urlsplit(upstream)
    try:
        reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=_MOST_HEAD_BYTES)
    except OSError:
        return b""
    try:
        writer.write(raw)
        return await reader.read()
    finally:
        writer.close()


def _body_length(response: bytes) -> int:
    return len(response) - response.find(b"\r\n\r\n") - 4


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection with RST."""
    connection: socket.socket | None = writer.get_extra_info("socket")
    if connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


class ProxyLoop:
    """The event loop that proxies run in, on a thread of its own."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxies", daemon=True)
        self._thread.start()

    def run(self, work: Awaitable[None]) -> None:
        """Run a coroutine in the loop and wait for it."""

        async def whole() -> None:
            await work

        asyncio.run_coroutine_threadsafe(whole(), self._loop).result(timeout=10)

    def close(self) -> None:
        async def cancel() -> None:
            tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        self.run(cancel())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        self._loop.close()
