"""Requests and replies of the local endpoint as plain values, replies that are broken on purpose too."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass


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
