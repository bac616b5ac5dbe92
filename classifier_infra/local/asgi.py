"""The local endpoint as an ASGI application: from an ASGI request to a value, and from a reply to what is sent.

Bare ASGI, because a framework around it would cost more than the model does (benchmarks/results/endpoint.md).
"""

import asyncio
import contextlib
import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True, slots=True)
class Request:
    """A whole request. The path has no query; header names are lower case."""

    method: str
    path: str
    headers: Mapping[bytes, bytes]
    body: bytes

    def header(self, name: bytes) -> str | None:
        """Give the value of a header, named in lower case."""
        value = self.headers.get(name)
        return None if value is None else value.decode("latin-1")


@dataclass(frozen=True, slots=True)
class Reply:
    """What to send, and how: after `delay` seconds, with `pause` seconds in the middle of the body, or only half."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    delay: float = 0.0
    pause: float = 0.0
    is_cut: bool = False


App = Callable[[Request], Reply]


_logger = logging.getLogger(__name__)

# No endpoint takes more than a batch transform may send (100 MB).
MAX_BODY_BYTES = 100 * 1024 * 1024
# The rest of such a request is not read: the connection cannot be used again.
_TOO_LONG = Reply(413, headers=(("Connection", "close"),))


def to_asgi(app: App) -> ASGIApp:
    """Wrap an application whose answers take no time to find; it is called in the event loop's own thread."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await _read_body(receive)
        except _TooLong:
            await _send(_TOO_LONG, receive, send)
        except _Gone:
            return
        else:
            request = Request(scope["method"], scope["path"], dict(scope["headers"]), body)
            await _send(_answer(app, request), receive, send)

    return application


class _TooLong(Exception):
    pass


class _Gone(Exception):
    """The client has closed the connection before its request was whole."""


async def _read_body(receive: Receive) -> bytes:
    parts: list[bytes] = []
    size = 0
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        parts.append(message["body"])
        size += len(message["body"])
        if size > MAX_BODY_BYTES:
            raise _TooLong
        more = message["more_body"]
    return b"".join(parts)


def _answer(app: App, request: Request) -> Reply:
    try:
        return app(request)
    except Exception as error:
        # Where it happened, but not the error's own words: they may quote a text.
        trace = "".join(traceback.format_tb(error.__traceback__))
        _logger.error("%s while answering %s %s\n%s", type(error).__name__, request.method, request.path, trace)
        return Reply(500)


async def _send(reply: Reply, receive: Receive, send: Send) -> None:
    if reply.delay:
        await _wait(reply.delay, receive)
    await send(_start(reply))
    rest = reply.body
    if reply.pause or reply.is_cut:
        middle = len(rest) // 2
        await send({"type": "http.response.body", "body": rest[:middle], "more_body": True})
        rest = rest[middle:]
    if reply.is_cut:
        return  # uvicorn closes the connection of a response that has no end
    if reply.pause:
        await _wait(reply.pause, receive)
    await send({"type": "http.response.body", "body": rest})


def _start(reply: Reply) -> Message:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers]
    headers.append((b"Content-Length", b"%d" % len(reply.body)))
    return {"type": "http.response.start", "status": reply.status, "headers": headers}


async def _wait(seconds: float, receive: Receive) -> None:
    """Wait, but no longer than the client does."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(receive(), seconds)
