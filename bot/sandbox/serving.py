"""Servers of this process, on 127.0.0.1 only, each on a thread of its own."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn


def listen(port: int) -> socket.socket:
    """Open a port, 0 for any free one, from now on: nobody who is told the address can come too early.

    Raises OSError where the port cannot be had.
    """
    return socket.create_server(("127.0.0.1", port))


def address(listener: socket.socket) -> str:
    """Give the URL of an open port, without a slash at its end."""
    return f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def serving(server: uvicorn.Server, listener: socket.socket) -> Iterator[None]:
    """Serve for the length of the `with` block."""
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.should_exit = True
        thread.join(timeout=5)
