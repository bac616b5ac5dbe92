"""Buttons and menus in messages: under the bot's reply, and in the answer to `/classify`."""

import logging
from collections.abc import Callable

from slack_bolt import Ack, BoltResponse, Respond

from bot.listeners.press import UNREADABLE, Json, build_key, refuse, tell
from bot.pipeline.corrections import CorrectionHandler, NotAllowed, NothingToCorrect
from bot.queue.messages import ForwardRecord, InvalidRecord, MessageKey, build
from bot.queue.sender import QueueUnavailable
from bot.store.ledger import LedgerUnavailable, VersionTaken
from bot.ui.classify import read_post
from bot.ui.reply import read_value
from bot.ui.text import commands as command_text
from bot.ui.text import thread as thread_text

log = logging.getLogger(__name__)


# --- Under the bot's reply ----------------------------------------------------------------------------------


def correct_message(
    corrections: CorrectionHandler, ack: Ack, body: Json, action: Json, respond: Respond
) -> BoltResponse:
    """Take a correction; the worker updates the reply a moment later."""
    try:
        facet, label = _read_choice(action)
        key, user = _read_place(body)
    except InvalidRecord as error:
        return refuse(str(error))
    return _hand_in(key, lambda: corrections.take(key, facet, label, user, read_time(action)), ack, respond)


def split_messages(corrections: CorrectionHandler, ack: Ack, body: Json, respond: Respond) -> BoltResponse:
    """Have messages that were read together handled one by one; the worker updates the replies a moment later."""
    try:
        key, user = _read_place(body)
    except InvalidRecord as error:
        return refuse(str(error))
    return _hand_in(key, lambda: corrections.split(key, user), ack, respond)


def _hand_in(key: MessageKey, hand_in: Callable[[], None], ack: Ack, respond: Respond) -> BoltResponse:
    try:
        hand_in()
    except NotAllowed:
        return tell(thread_text.NOT_ALLOWED_TO_CORRECT, ack, respond)
    except NothingToCorrect:
        return tell(thread_text.TOO_OLD_TO_CORRECT, ack, respond)
    except (LedgerUnavailable, QueueUnavailable, VersionTaken) as error:
        log.error("correction not taken", extra={"message_key": str(key), "detail": str(error)})
        return tell(thread_text.CORRECTION_NOT_TAKEN, ack, respond)
    return ack()


def read_time(action: Json) -> float | None:
    """Return Slack's time of a press, in seconds since the epoch; None where the payload has none."""
    try:
        return float(action["action_ts"])
    except (*UNREADABLE, ValueError):
        return None


def _read_choice(action: Json) -> tuple[str, str]:
    """Read facet and label from a button or a menu. Raises InvalidRecord."""
    try:
        return read_value(action.get("value") or action["selected_option"]["value"])
    except UNREADABLE as error:
        raise InvalidRecord(f"the press has no value ({type(error).__name__})") from None


def _read_place(body: Json) -> tuple[MessageKey, str]:
    """Read the message whose reply has the button, and the user who pressed it. Raises InvalidRecord."""
    try:
        # The message is read from what Slack adds to the payload, never from the value of a button.
        container = body["container"]
        key = build_key(body["team"]["id"], container["channel_id"], container["thread_ts"])
        user = body["user"]["id"]
    except UNREADABLE as error:
        raise InvalidRecord(f"the press has no message or no user ({type(error).__name__})") from None
    if not isinstance(user, str) or not (user.isascii() and user.isalnum()):
        raise InvalidRecord("the user's id is not one of Slack's")
    return key, user


# --- In the answer to `/classify` ---------------------------------------------------------------------------


def post_text(corrections: CorrectionHandler, ack: Ack, body: Json, action: Json, respond: Respond) -> BoltResponse:
    """Have a text posted; the worker then updates the answer that had the button."""
    try:
        record = _read_forward(body, action, int(corrections.now()))
    except InvalidRecord as error:
        return refuse(str(error))
    try:
        corrections.queue.send(record)
    except QueueUnavailable as error:
        log.error("text not handed in", extra={"detail": str(error)})
        return tell(command_text.NOT_TAKEN, ack, respond)
    return ack()


def _read_forward(body: Json, action: Json, received_at: int) -> ForwardRecord:
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
    except UNREADABLE as error:
        raise InvalidRecord(f"the press has no value, place or user ({type(error).__name__})") from None
    return build(ForwardRecord, {**values, "place": place, "label": label, "text": text, "received_at": received_at})
