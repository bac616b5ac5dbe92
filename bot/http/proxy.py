"""API Gateway's proxy events, in and out: a request that is proved to be Slack's, and the answer to it."""

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.http.signature import is_authentic

# Slack's largest message is 40,000 characters, in `text` and again in `blocks`; a request of this size is not Slack's.
MAX_BODY_BYTES = 1_000_000

Answer = dict[str, Any]


class Refused(Exception):
    """The request is not answered as asked; `status` is the HTTP status that says why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class SlackRequest:
    """A request that Slack signed. `path` may begin with a stage or a base path."""

    path: str
    content_type: str
    body: bytes = field(repr=False)


def read_request(event: Mapping[str, Any], signing_secret: str, now: float) -> SlackRequest:
    """Read a proxy event of a REST API.

    Raises Refused: 400 for a body that is not the base64 it says, 413 for one too large, 401 for a signature that is
    missing, wrong, or more than five minutes from `now` (seconds since the epoch).
    """
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    body = _read_body(event)
    timestamp = headers.get("x-slack-request-timestamp", "")
    signature = headers.get("x-slack-signature", "")
    if not is_authentic(signing_secret, timestamp, signature, body, now):
        raise Refused(401, "the request is not signed by Slack, or was signed more than five minutes ago")
    content_type = headers.get("content-type", "").partition(";")[0].strip().lower()
    return SlackRequest(str(event.get("path", "")), content_type, body)


def _read_body(event: Mapping[str, Any]) -> bytes:
    text: str = event.get("body") or ""
    try:
        body = base64.b64decode(text, validate=True) if event.get("isBase64Encoded") else text.encode("utf-8")
    except (binascii.Error, ValueError):  # UnicodeEncodeError is a ValueError
        raise Refused(400, "the body cannot be decoded") from None
    if len(body) > MAX_BODY_BYTES:
        raise Refused(413, f"the body has more than {MAX_BODY_BYTES} bytes")
    return body


def require_content_type(request: SlackRequest, expected: str) -> None:
    """Raises Refused (415) where the request has another content type."""
    if request.content_type != expected:
        raise Refused(415, f"the content type of {request.path} is {expected}")


def answer(status: int, document: Any = None) -> Answer:
    """Answer with a JSON document, or with nothing."""
    if document is None:
        return {"statusCode": status, "headers": {}, "body": "", "isBase64Encoded": False}
    headers = {"Content-Type": "application/json; charset=utf-8"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(document), "isBase64Encoded": False}


def refuse(error: Refused) -> Answer:
    """Answer with what was wrong with the request."""
    return answer(error.status, {"error": error.reason})
