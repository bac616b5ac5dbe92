"""Buttons and menus."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from slack_bolt import Ack, BoltResponse, Respond
from slack_sdk.errors import SlackClientError

from bot.pipeline.corrections import CorrectionHandler, NotAllowed, NothingToCorrect
from bot.queue.messages import CorrectionRecord, InvalidRecord, MessageKey, build
from bot.queue.sender import QueueUnavailable
from bot.store.ledger import LedgerUnavailable, VersionTaken
from bot.ui.reply import read_value
from bot.ui.text import thread as thread_text

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Press:
    """Somebody pressed, under the bot's reply to a message, what says that its `facet` is `label`."""

    key: MessageKey
    facet: str
    label: str
    user: str


class NotAPress(ValueError):
    """The payload lacks what Slack puts into one, or has something else in its place. Nothing of it is quoted."""


def correct_message(
    dependencies: CorrectionHandler, ack: Ack, body: Mapping[str, Any], action: Mapping[str, Any], respond: Respond
) -> BoltResponse:
    """Hand in what a person pressed under the bot's reply; the reply itself changes a moment later."""
    try:
        press = read_press(body, action)
    except NotAPress as error:
        return refuse(str(error))
    return _hand_in(press.key, lambda: dependencies.take(press.key, press.facet, press.label, press.user), ack, respond)


def split_messages(
    dependencies: CorrectionHandler, ack: Ack, body: Mapping[str, Any], respond: Respond
) -> BoltResponse:
    """Have messages that were read together handled each for itself; what is shown changes a moment later."""
    try:
        key, user = _read_place(body)
    except NotAPress as error:
        return refuse(str(error))
    return _hand_in(key, lambda: dependencies.split(key, user), ack, respond)


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


def refuse(reason: str) -> BoltResponse:
    """Refuse what is none of Slack's. The reason is logged, so nothing of the payload may be in it."""
    log.warning("press refused", extra={"reason": reason})
    return BoltResponse(status=400)


def tell(text: str, ack: Ack, respond: Respond) -> BoltResponse:
    """Tell who pressed; where that cannot be done, have Slack show its warning sign instead."""
    try:
        respond(text, response_type="ephemeral", replace_original=False)
    except (OSError, HTTPException, ValueError, SlackClientError) as error:
        log.error("press not answered", extra={"detail": type(error).__name__})
        return BoltResponse(status=503)
    return ack()


def read_press(body: Mapping[str, Any], action: Mapping[str, Any]) -> Press:
    """Read a press of a button or a choice from a menu. Raises NotAPress."""
    try:
        facet, label = read_value(action.get("value") or action["selected_option"]["value"])
    except (AttributeError, KeyError, TypeError) as error:
        raise NotAPress(f"a press has a value ({type(error).__name__})") from None
    key, user = _read_place(body)
    return Press(key, facet, label, user)


def _read_place(body: Mapping[str, Any]) -> tuple[MessageKey, str]:
    """Read under which message's reply somebody pressed, and who. Raises NotAPress."""
    try:
        # Which message it is about is read from what Slack signed, never from a value.
        container = body["container"]
        place = {"team": body["team"]["id"], "channel": container["channel_id"], "ts": container["thread_ts"]}
        key = build(CorrectionRecord, {**place, "received_at": 0}).key
        user = body["user"]["id"]
    except (AttributeError, KeyError, TypeError, InvalidRecord) as error:
        raise NotAPress(f"a press has a message and a user ({type(error).__name__})") from None
    if not isinstance(user, str) or not (user.isascii() and user.isalnum()):
        raise NotAPress("the user has no id of Slack's")
    return key, user
