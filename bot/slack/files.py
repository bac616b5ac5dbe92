"""Download an uploaded file from Slack's own hosts, up to a maximum size."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any, Literal, TypeAlias
from urllib.parse import SplitResult, urlsplit

from classifier_infra.inference.deadline import Bounded, within

# Such a text fits into an SQS message, even if JSON escapes all its characters.
MOST_BYTES = 64 * 1024

# Seconds for the whole download; Slack waits three seconds for the answer to the upload.
PATIENCE = 2.0

_MOST_URL = 1_500
_MOST_NAME = 100

Fault: TypeAlias = Literal["elsewhere", "too-large", "not-text", "no-right", "gone", "no-answer"]


class FileUnreadable(Exception):
    """The file cannot be read. `fault` says why; it has neither the file's address nor its content."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault)
        self.fault: Fault = fault


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file in Slack: its name, the URL of its content, and its size in bytes as Slack states it."""

    name: str
    url: str = field(repr=False)
    size: int = 0


def read_file_object(file: Mapping[str, Any]) -> UploadedFile:
    """Read Slack's description of a file. Raises KeyError, TypeError and ValueError."""
    url, name = file["url_private"], file.get("name") or ""
    if not isinstance(url, str) or not isinstance(name, str) or len(url) > _MOST_URL:
        raise ValueError("the file has no usable URL or name")
    return UploadedFile(name[:_MOST_NAME], url, int(file.get("size") or 0))


@dataclass(frozen=True, slots=True)
class FileReader:
    """Reads files as text with the bot's token. Slack's hosts are derived from `api_url`, the URL of its Web API."""

    api_url: str
    token: str = field(repr=False)
    bounded: Bounded = field(default_factory=lambda: Bounded(threads=2), repr=False)

    def read(self, file: UploadedFile) -> str:
        """Return the text of a file, with Unix line ends. Raises FileUnreadable."""
        if file.size > MOST_BYTES:
            raise FileUnreadable("too-large")
        place = urlsplit(file.url)
        if not is_slacks(place, self.api_url):
            raise FileUnreadable("elsewhere")
        try:
            content = self.bounded.call(lambda: self._get(place), within(PATIENCE))
        except (OSError, HTTPException):
            raise FileUnreadable("no-answer") from None
        if len(content) > MOST_BYTES:
            raise FileUnreadable("too-large")
        return _decode(content)

    def _get(self, place: SplitResult) -> bytes:
        connection = _connect(place)
        try:
            target = f"{place.path or '/'}{f'?{place.query}' if place.query else ''}"
            connection.request("GET", target, headers={"Authorization": f"Bearer {self.token}"})
            answer = connection.getresponse()
            _check(answer)
            return answer.read(MOST_BYTES + 1)
        finally:
            connection.close()


def is_slacks(place: SplitResult, api_url: str) -> bool:
    """Report whether the bot's token may be sent to a URL: only to the host of Slack's API and its host for files."""
    api = urlsplit(api_url)
    host = api.netloc.removeprefix("www.")
    return place.scheme == api.scheme and place.netloc in (host, f"files.{host}")


def _connect(place: SplitResult) -> HTTPConnection:
    host = place.hostname or ""
    if place.scheme == "https":
        return HTTPSConnection(host, place.port, timeout=PATIENCE, context=ssl.create_default_context())
    return HTTPConnection(host, place.port, timeout=PATIENCE)


def _check(answer: HTTPResponse) -> None:
    """Raise FileUnreadable for an error; without the permission for a file, Slack redirects to its login page."""
    if answer.status == 404:
        raise FileUnreadable("gone")
    if answer.status in (301, 302, 303, 307, 308, 401, 403):
        raise FileUnreadable("no-right")
    if answer.status != 200:
        raise FileUnreadable("no-answer")
    if (answer.getheader("Content-Type") or "").startswith("text/html"):
        raise FileUnreadable("no-right")


def _decode(content: bytes) -> str:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileUnreadable("not-text") from None
    if "\0" in text:
        raise FileUnreadable("not-text")
    return text.replace("\r\n", "\n")
