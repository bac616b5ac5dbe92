"""Turn the demo page's files into objects for its bucket, in the order of their upload."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# Listed here, because the types that Python knows depend on the machine.
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
# File names do not change with their contents, so nothing may be cached for long.
_FIVE_MINUTES = "public, max-age=300"
_REVALIDATED = "no-cache"

_SETTINGS = "config.json"
_ENTRY = "index.html"


class UnknownType(ValueError):
    """A file of the page has a suffix without a known content type."""


@dataclass(frozen=True, slots=True)
class PageObject:
    """An object of the bucket."""

    key: str
    content: bytes
    content_type: str
    cache_control: str


def page_objects(folder: Path, api_url: str) -> list[PageObject]:
    """Return all objects in upload order: those that others refer to come first, and the entry page last.

    `api_url` is written into config.json. Raises UnknownType.
    """
    return sorted(_objects(folder, api_url), key=lambda each: (each.key == _ENTRY, each.key == _SETTINGS, each.key))


def _objects(folder: Path, api_url: str) -> Iterator[PageObject]:
    for file in folder.rglob("*"):
        if file.is_file():
            key = file.relative_to(folder).as_posix()
            if file.suffix not in _TYPES:
                raise UnknownType(f"{file}: no content type is known for {file.suffix or 'a file without a suffix'}")
            content = file.read_bytes() if key != _SETTINGS else _settings(api_url)
            caching = _REVALIDATED if key in (_SETTINGS, _ENTRY) else _FIVE_MINUTES
            yield PageObject(key, content, _TYPES[file.suffix], caching)


def _settings(api_url: str) -> bytes:
    return json.dumps({"apiUrl": api_url}, indent=2).encode() + b"\n"
