"""API Gateway's proxy events: read a request that Slack signed, and build the answer to it."""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.settings import Renewed

# Slack's largest message is 40,000 characters, in `text` and again in `blocks`; a request of this size is not Slack's.
MAX_BODY_BYTES = 1_000_000

# Slack's own figure. It is applied in both directions, so that a clock which is ahead does not widen it.
WINDOW_SECONDS = 300

_TIMESTAMP = re.compile(r"[0-9]{1,12}")

Answer = dict[str, Any]


class Refused(Exception):
    """The request is not handled; `status` is the HTTP status of the answer."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


# --- Requests -----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SlackRequest:
    """A request that Slack signed. `path` may begin with a stage or a base path."""

    path: str
    content_type: str
    body: bytes = field(repr=False)


def read_request(event: Mapping[str, Any], signing_secret: str, now: float) -> SlackRequest:
    """Read a proxy event of a REST API.

    Raises Refused: 400 for malformed base64, 413 for a body that is too large, 401 for a signature that is missing,
    wrong, or more than five minutes from `now` (seconds since the epoch).
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
    """Raise Refused (415) if the request has another content type."""
    if request.content_type != expected:
        raise Refused(415, f"the content type of {request.path} is {expected}")


# --- Signatures: HMAC-SHA256 over the raw body and its time -------------------------------------------------
#
# slack_sdk's verifier is not used: importing it costs the events endpoint more than all its other work, and it raises
# for malformed timestamps, signatures and bodies. A test compares the two.


def is_authentic(secret: str, timestamp: str, signature: str, body: bytes, now: float) -> bool:
    """Report whether Slack signed these bytes within five minutes of `now` (seconds since the epoch).

    That does not prevent replays within the five minutes; the keys in the ledger do.
    """
    if not _TIMESTAMP.fullmatch(timestamp) or abs(now - int(timestamp)) > WINDOW_SECONDS:
        return False
    expected = sign(secret, timestamp, body)
    return hmac.compare_digest(expected.encode("ascii"), signature.encode("utf-8", "replace"))


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Return the value of the header `X-Slack-Signature` for a body."""
    signed = b"v0:" + timestamp.encode("ascii") + b":" + body
    return "v0=" + hmac.new(secret.encode("utf-8"), signed, hashlib.sha256).hexdigest()


# --- Answers ------------------------------------------------------------------------------------------------


def answer(status: int, document: Any = None) -> Answer:
    """Build an answer with a JSON document, or with an empty body for None."""
    if document is None:
        return {"statusCode": status, "headers": {}, "body": "", "isBase64Encoded": False}
    headers = {"Content-Type": "application/json; charset=utf-8"}
    return {"statusCode": status, "headers": headers, "body": json.dumps(document), "isBase64Encoded": False}


def refuse(error: Refused) -> Answer:
    """Build the answer that says what is wrong with a request."""
    return answer(error.status, {"error": error.reason})


def answer_verified(secret: Renewed[str], respond: Callable[[str], Answer]) -> Answer:
    """Answer a request with the signing secret; where its signature is refused, again if the secret was rotated."""
    given = respond(secret.get())
    return respond(secret.get()) if given["statusCode"] == 401 and secret.renew() else given
