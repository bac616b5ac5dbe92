"""Run the local endpoint until it is told to stop, in one process or in several that share a port."""

import contextlib
import logging
import multiprocessing
import multiprocessing.connection
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator

import uvicorn

from classifier_infra.local.asgi import App, to_asgi

LOOPBACK = "127.0.0.1"
# A container has 30 seconds from SIGTERM to SIGKILL.
_GRACE_SECONDS = 5
# Longer than clients keep a connection that they do not use, so that none is closed as a request sets out on it.
_KEEP_ALIVE_SECONDS = 75
_BACKLOG = 1024


def listen(host: str, port: int) -> socket.socket:
    """Open a port, 0 for any free one; from here on connections wait to be answered.

    Raises OSError where it cannot be had.
    """
    return socket.create_server((host, port), backlog=_BACKLOG)


def address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{host}:{port}"


def run(create_app: Callable[[], App], listener: socket.socket, workers: int = 1) -> None:
    """Answer requests; on SIGTERM finish those under way and end, on SIGINT raise KeyboardInterrupt after that.

    Each worker is a process with an application of its own. Raises WorkerError where one of several ends by itself.
    """
    if workers == 1:
        _run_here(create_app(), listener)
    else:
        _run_workers(create_app, listener, workers)


class WorkerError(RuntimeError):
    """A worker ended that nobody had told to."""


@contextlib.contextmanager
def serving(app: App) -> Iterator[str]:
    """Answer requests from a thread of this process for the length of the `with` block; gives the address."""
    server = _server(app)
    with listen(LOOPBACK, 0) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield address(listener)
        finally:
            server.should_exit = True
            thread.join()


# --- One process ----------------------------------------------------------------------------------------------


def _run_here(app: App, listener: socket.socket) -> None:
    server = _server(app)

    # uvicorn ends what is under way and then lets the signal have its usual effect, which would be a status of -15. One
    # that comes before uvicorn listens may raise nothing: uvicorn's coroutine would be there, and complain unawaited.
    def stop(*_: object) -> None:
        server.should_exit = True

    signal.signal(signal.SIGTERM, stop)
    server.run(sockets=[listener])


def _server(app: App) -> uvicorn.Server:
    config = uvicorn.Config(
        to_asgi(app),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level=logging.CRITICAL,  # a body that is cut on purpose is an error to uvicorn
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
    )
    return uvicorn.Server(config)


# --- Several processes ----------------------------------------------------------------------------------------


def _run_workers(create_app: Callable[[], App], listener: socket.socket, count: int) -> None:
    # Forked, so that all share the models in memory and the listening socket.
    processes = multiprocessing.get_context("fork")
    workers = [processes.Process(target=_work, args=(create_app, listener)) for _ in range(count)]
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        for worker in workers:
            worker.start()
        multiprocessing.connection.wait([worker.sentinel for worker in workers])
        raise WorkerError("a worker ended by itself")
    finally:
        for worker in workers:
            if worker.pid:
                worker.terminate()
        for worker in workers:
            if worker.pid:
                worker.join()


def _work(create_app: Callable[[], App], listener: socket.socket) -> None:
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    with contextlib.suppress(KeyboardInterrupt):  # the parent is interrupted too, and says so
        _run_here(create_app(), listener)


def _end_with_the_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    parent.join()
    os.kill(os.getpid(), signal.SIGTERM)
