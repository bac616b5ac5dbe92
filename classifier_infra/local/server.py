"""Run the local endpoint's application on uvicorn, in the foreground or in a thread."""

import contextlib
import logging
import signal
import socket
import threading
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp

LOOPBACK = "127.0.0.1"
# SageMaker gives a container 30 seconds from SIGTERM to SIGKILL.
_GRACE_SECONDS = 5
# Longer than clients keep an idle connection, so that none is closed while a request is being sent on it.
_KEEP_ALIVE_SECONDS = 75


def listen(host: str, port: int) -> socket.socket:
    """Open a port, 0 for any free one; connections wait from here on. Raises OSError if it is not available."""
    return socket.create_server((host, port))


def address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"


def run(app: ASGIApp, listener: socket.socket) -> None:
    """Serve until SIGTERM, then return, or until SIGINT, then raise KeyboardInterrupt.

    Requests under way are finished first.
    """
    server = _server(app)

    # uvicorn restores these handlers after it has shut down, and raises the signal again. The default handler of
    # SIGTERM would then end the process with status -15. Before uvicorn's event loop runs, the handler must not raise:
    # a coroutine that was never awaited would be reported.
    def stop(*_: object) -> None:
        server.should_exit = True

    signal.signal(signal.SIGTERM, stop)
    # Shells start background jobs with SIGINT ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    server.run(sockets=[listener])


@contextlib.contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve from a thread for the length of the `with` block; yield the address."""
    server = _server(app)
    with listen(LOOPBACK, 0) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield address(listener)
        finally:
            server.should_exit = True
            thread.join()


def _server(app: ASGIApp) -> uvicorn.Server:
    config = uvicorn.Config(
        app,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level=logging.CRITICAL,  # a body that is cut on purpose is an error to uvicorn
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    return uvicorn.Server(config)
