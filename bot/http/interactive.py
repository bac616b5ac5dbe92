"""The interactivity endpoint for presses, shortcuts and submissions: verify, hand to Bolt, answer."""

import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from slack_bolt import App, BoltRequest

from bot.http.proxy import Answer, Refused, answer, read_request, refuse, require_content_type

log = logging.getLogger(__name__)


def handle(event: Mapping[str, Any], signing_secret: str, app: App, now: float) -> Answer:
    """Answer one proxy event of API Gateway; for a 4xx or 5xx, Slack shows a warning sign to the person who pressed."""
    try:
        request = read_request(event, signing_secret, now)
        require_content_type(request, "application/x-www-form-urlencoded")
        press = _build_request(_read_payload(request.body))
    except Refused as error:
        log.warning("refused", extra={"status": error.status, "reason": error.reason})
        return refuse(error)
    return _dispatch(app, press)


def _read_payload(body: bytes) -> dict[str, Any]:
    values = parse_qs(body.decode("utf-8", "replace")).get("payload", [])
    try:
        payload = json.loads(values[0])
    except (IndexError, ValueError, RecursionError):
        raise Refused(400, "the form has no payload that is JSON") from None
    if not isinstance(payload, dict):
        raise Refused(400, "the payload is not a JSON object")
    return payload


def _build_request(payload: dict[str, Any]) -> BoltRequest:
    # Null objects are left out, because Bolt reads into them when it warns of a request without a listener.
    payload = {name: value for name, value in payload.items() if value is not None or name not in _OBJECTS}
    try:
        _check_shape(payload)
        # In the mode of Socket Mode Bolt takes the request as verified; otherwise it would need the raw body again.
        return BoltRequest(body=payload, mode="socket_mode")
    except (AttributeError, KeyError, TypeError):
        raise Refused(400, "the payload is not one of Slack's") from None


_OBJECTS = ("team", "user", "channel", "container", "view")


def _check_shape(payload: Mapping[str, Any]) -> None:
    """Raise TypeError if the payload lacks the structure that Bolt relies on without checking."""
    objects = [payload[name] for name in _OBJECTS if name in payload]
    actions = payload.get("actions", [])
    if not isinstance(actions, list) or (payload.get("type") == "block_actions" and not actions):
        raise TypeError("actions")
    if not all(isinstance(each, dict) for each in [*objects, *actions]):
        raise TypeError("objects")
    if not all(isinstance(each.get("action_id"), str) for each in actions):
        raise TypeError("action_id")


def _dispatch(app: App, request: BoltRequest) -> Answer:
    response = app.dispatch(request)
    if response.status >= 400:
        # Bolt turns exceptions of listeners into a status.
        payload_type = str(request.body.get("type"))[:40]
        log.error("not handled", extra={"status": response.status, "payload_type": payload_type})
        return answer(response.status)
    return {"statusCode": response.status, "headers": response.first_headers(), "body": response.body or ""}
