"""Helpers of all listeners: read who pressed, act, answer Slack, and say why if something could not be done."""

import logging
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any, TypeAlias, TypeVar

from slack_bolt import Ack, BoltResponse, Respond
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from bot.listeners.dependencies import Dependencies
from bot.pipeline.corrections import NotAllowed, NothingToCorrect
from bot.queue.messages import CorrectionRecord, HomeRecord, MessageKey, Record, build
from bot.queue.sender import QueueUnavailable
from bot.slack.api import SlackError, call
from bot.store.ledger import LedgerUnavailable, VersionTaken
from bot.store.settings import PolicyChanged
from bot.ui.dialog import build_notice
from bot.ui.policy_dialog import PolicyTooLong
from bot.ui.text import commands as command_text
from bot.ui.text import dialogs as dialog_text
from bot.ui.text import home as home_text

log = logging.getLogger(__name__)

Json: TypeAlias = Mapping[str, Any]
Act: TypeAlias = Callable[[Dependencies, Json, WebClient], None]
R = TypeVar("R", bound=Record)

# Raised while reading a payload that lacks what Slack puts into it, or has something else in its place.
UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)

_NOT_TAKEN = (
    *(NotAllowed, NothingToCorrect, PolicyChanged),
    *(LedgerUnavailable, QueueUnavailable, VersionTaken, SlackError),
)

_SENTENCES: Mapping[type[Exception], str] = {
    NotAllowed: command_text.NOT_ALLOWED,
    NothingToCorrect: home_text.TOO_OLD,
    PolicyTooLong: dialog_text.POLICY_TOO_LONG,
    PolicyChanged: dialog_text.CHANGED_MEANWHILE,
}


def press(dependencies: Dependencies, act: Act, ack: Ack, body: Json, client: WebClient) -> BoltResponse:
    """Act on a press in the Home tab, in a dialog or on a shortcut; if that fails, open a dialog that says why."""
    try:
        act(dependencies, body, client)
    except PolicyTooLong as error:
        return _explain(error, ack, body, client)
    except UNREADABLE as error:
        return refuse(type(error).__name__)
    except _NOT_TAKEN as error:
        log.warning("press not taken", extra={"detail": str(error)})
        return _explain(error, ack, body, client)
    return ack()


def _explain(error: Exception, ack: Ack, body: Json, client: WebClient) -> BoltResponse:
    try:
        open_view(client, body, build_notice(_SENTENCES.get(type(error), command_text.NOT_TAKEN)))
    except SlackError as failure:
        log.error("press not answered", extra={"error": failure.error})
        return BoltResponse(status=503)
    return ack()


def refuse(reason: str) -> BoltResponse:
    """Refuse a payload that is not Slack's. The reason is logged, so it must not quote the payload."""
    log.warning("press refused", extra={"reason": reason})
    return BoltResponse(status=400)


def tell(text: str, ack: Ack, respond: Respond) -> BoltResponse:
    """Notify the person who pressed; if that fails, answer with a status for which Slack shows a warning sign."""
    try:
        respond(text, response_type="ephemeral", replace_original=False)
    except (OSError, HTTPException, ValueError, SlackClientError) as error:
        log.error("press not answered", extra={"detail": type(error).__name__})
        return BoltResponse(status=503)
    return ack()


# --- Payloads and records -----------------------------------------------------------------------------------


def read_sender(dependencies: Dependencies, body: Json) -> HomeRecord:
    """Read who pressed, as the record that shows their Home tab. Raises KeyError, TypeError and InvalidRecord."""
    values = {"team": body["team"]["id"], "user": body["user"]["id"], "received_at": int(dependencies.now())}
    return build(HomeRecord, values)


def build_from(kind: type[R], who: HomeRecord, **values: Any) -> R:
    """Build a record of a press by `who`. Raises InvalidRecord."""
    return build(kind, {"team": who.team, "user": who.user, "received_at": who.received_at, **values})


def build_key(team: Any, channel: Any, ts: Any) -> MessageKey:
    """Build the key of a message from unchecked values. Raises InvalidRecord."""
    return build(CorrectionRecord, {"team": team, "channel": channel, "ts": ts, "received_at": 0}).key


# --- Dialogs ------------------------------------------------------------------------------------------------


def open_view(client: WebClient, body: Json, view: Json) -> str:
    """Open a dialog for the person who pressed, and return its id. Raises KeyError and SlackError."""
    return str(call(client.views_open, trigger_id=body["trigger_id"], view=view)["view"]["id"])


def update(client: WebClient, view_id: str, view: Json) -> None:
    """Replace an open dialog. Raises SlackError."""
    call(client.views_update, view_id=view_id, view=view)
