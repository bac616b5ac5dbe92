"""The events endpoint for events and commands: verify, queue, answer; it calls neither Slack nor a model."""

import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from bot.http.proxy import Answer, Refused, SlackRequest, answer, read_request, refuse, require_content_type
from bot.queue.messages import AskRecord, CommandRecord
from bot.queue.sender import Queue, QueueUnavailable
from bot.slack.events import Dropped, HelpRequested, read_command, read_event
from bot.ui.text import commands as command_text

log = logging.getLogger(__name__)

SWITCHES = frozenset({"stop", "start", "mute", "unmute"})


def handle(
    event: Mapping[str, Any], signing_secret: str, queue: Queue, now: float, switches: Queue | None = None
) -> Answer:
    """Answer one proxy event of API Gateway; 200 means that the request is queued or needs no handling.

    What people switch goes into the queue `switches`, where there is one, past whatever waits in the other.
    """
    try:
        request = read_request(event, signing_secret, now)
        if request.path.endswith("/slack/events"):
            return _take_event(request, queue, int(now))
        if request.path.endswith("/slack/commands"):
            return _take_command(request, queue, switches or queue, now)
        raise Refused(404, "there is nothing at this path")
    except Refused as error:
        log.warning("refused with %d: %s", error.status, error.reason)
        return refuse(error)


def _take_event(request: SlackRequest, queue: Queue, received_at: int) -> Answer:
    require_content_type(request, "application/json")
    envelope = _read_json_object(request.body)
    if envelope.get("type") == "url_verification":
        return answer(200, {"challenge": envelope.get("challenge")})
    record = read_event(envelope, received_at)
    if isinstance(record, Dropped):
        log.info("event %s dropped: %s", envelope.get("event_id"), record.reason)
        return answer(200)
    try:
        queue.send(record)
    except QueueUnavailable as error:
        log.error("event %s not queued, Slack sends it again: %s", envelope.get("event_id"), error)
        return answer(503, {"error": "the event could not be queued; send it again"})
    return answer(200)


def _read_json_object(body: bytes) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, "the body is not JSON") from None
    if not isinstance(document, dict):
        raise Refused(400, "the body is not a JSON object")
    return document


def _take_command(request: SlackRequest, queue: Queue, switches: Queue, now: float) -> Answer:
    require_content_type(request, "application/x-www-form-urlencoded")
    form = dict(parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True))
    if form.get("ssl_check") == "1":
        return answer(200)
    record = read_command(form, int(now), now)
    if isinstance(record, Dropped):
        log.warning("command dropped: %s", record.reason)
        return _say(command_text.UNKNOWN)
    if isinstance(record, HelpRequested):
        return _say(command_text.HELP)
    is_switch = isinstance(record, AskRecord) and record.verb in SWITCHES
    try:
        (switches if is_switch else queue).send(record)
    except QueueUnavailable as error:
        # Slack does not retry commands, and for a 5xx shows only its number.
        log.error("command not queued: %s", error)
        return _say(command_text.NOT_TAKEN)
    return _say(command_text.TAKEN if isinstance(record, CommandRecord) else command_text.ASKED)


def _say(text: str) -> Answer:
    return answer(200, {"response_type": "ephemeral", "text": text})
