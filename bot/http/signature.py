"""Proof that a request comes from Slack: HMAC-SHA256 over its raw bytes and its time.

Written out, although slack_sdk has a verifier: importing that costs the front more than everything else it does, and it
raises for a timestamp that is no number, for a signature or a body outside its encoding. The tests hold the two
against each other.
"""

import hashlib
import hmac
import re

# Slack's own figure; in both directions, so a clock that is ahead is no way round it.
WINDOW_SECONDS = 300

_TIMESTAMP = re.compile(r"[0-9]{1,12}")


def is_authentic(secret: str, timestamp: str, signature: str, body: bytes, now: float) -> bool:
    """Tell whether Slack signed these bytes less than five minutes from `now` (seconds since the epoch).

    The window is no protection against replays within it; keys in the ledger are.
    """
    if not _TIMESTAMP.fullmatch(timestamp) or abs(now - int(timestamp)) > WINDOW_SECONDS:
        return False
    expected = sign(secret, timestamp, body)
    return hmac.compare_digest(expected.encode("ascii"), signature.encode("utf-8", "replace"))


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Sign a body as Slack does: the value of the header `X-Slack-Signature`."""
    signed = b"v0:" + timestamp.encode("ascii") + b":" + body
    return "v0=" + hmac.new(secret.encode("utf-8"), signed, hashlib.sha256).hexdigest()
