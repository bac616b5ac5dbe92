"""What people press in the answer to `/classify`."""

import logging
from collections.abc import Mapping
from typing import Any

from slack_bolt import Ack, BoltResponse, Respond

from bot.listeners.actions import refuse, tell
from bot.pipeline.corrections import CorrectionHandler
from bot.queue.messages import ForwardRecord, InvalidRecord, build
from bot.queue.sender import QueueUnavailable
from bot.ui.classify import read_post
from bot.ui.text import acknowledgements as acknowledgement_text

log = logging.getLogger(__name__)


def post_text(
    dependencies: CorrectionHandler, ack: Ack, body: Mapping[str, Any], action: Mapping[str, Any], respond: Respond
) -> BoltResponse:
    """Hand in that a text is to be posted; the answer that had the button then says that it was."""
    try:
        record = read_forward(body, action, int(dependencies.now()))
    except InvalidRecord as error:
        return refuse(str(error))
    try:
        dependencies.queue.send(record)
    except QueueUnavailable as error:
        log.error("text not handed in", extra={"detail": str(error)})
        return tell(acknowledgement_text.NOT_TAKEN, ack, respond)
    return ack()


def read_forward(body: Mapping[str, Any], action: Mapping[str, Any], received_at: int) -> ForwardRecord:
    """Read a press of the button that posts a text. Raises InvalidRecord."""
    try:
        place, label, text = read_post(action["value"])
        values = {
            "team": body["team"]["id"],
            "channel": body["container"]["channel_id"],
            "ts": action["action_ts"],
            "user": body["user"]["id"],
            "response_url": body["response_url"],
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise InvalidRecord(f"a press has a value, a place and a user ({type(error).__name__})") from None
    return build(ForwardRecord, {**values, "place": place, "label": label, "text": text, "received_at": received_at})
