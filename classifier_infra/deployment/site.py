"""The demo page in its bucket: which file becomes which object, and in which order. Pure."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Given here, and not by this machine's list of types.
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
# Seconds. Names do not change with contents, so nothing may be kept for long.
_KEPT = "public, max-age=300"
_ASKED_FOR_EACH_TIME = "no-cache"

_SETTINGS = "config.json"
_ENTRY = "index.html"


class UnknownType(ValueError):
    """A file of the page has an ending for which no content type is known."""


@dataclass(frozen=True, slots=True)
class PageObject:
    """What is put into the bucket under `key`."""

    key: str
    content: bytes
    content_type: str
    cache_control: str


def page_objects(folder: Path, api_url: str) -> list[PageObject]:
    """Give all objects in the order in which they are put: what others refer to comes first, the entry last.

    `api_url` is written into config.json. Raises UnknownType.
    """
    objects = {each.key: each for each in _objects(folder, api_url)}
    return sorted(objects.values(), key=lambda each: (each.key == _ENTRY, each.key == _SETTINGS, each.key))


def _objects(folder: Path, api_url: str) -> Iterator[PageObject]:
    for file in folder.rglob("*"):
        if file.is_file():
            key = file.relative_to(folder).as_posix()
            if file.suffix not in _TYPES:
                raise UnknownType(f"{file}: no content type is known for {file.suffix or 'a file without an ending'}")
            content = file.read_bytes() if key != _SETTINGS else _settings(api_url)
            kept = _ASKED_FOR_EACH_TIME if key in (_SETTINGS, _ENTRY) else _KEPT
            yield PageObject(key, content, _TYPES[file.suffix], kept)


def _settings(api_url: str) -> bytes:
    return json.dumps({"apiUrl": api_url}, indent=2).encode() + b"\n"
