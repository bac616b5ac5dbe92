"""What people press and choose in the Home tab: written down at once, shown by the worker a moment later."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from slack_bolt import Ack, BoltResponse
from slack_sdk import WebClient

from bot.listeners.actions import refuse
from bot.listeners.desk import Desk
from bot.pipeline.corrections import NotAllowed, NothingToCorrect
from bot.queue.messages import CorrectionRecord, HomeRecord, MessageKey, build
from bot.queue.sender import QueueUnavailable
from bot.slack.api import SlackFailure, call
from bot.store.ledger import LedgerUnavailable, VersionTaken
from bot.store.settings import PolicyChanged
from bot.ui.dialog import build_notice
from bot.ui.home import read_item, read_mode, read_review
from bot.ui.policy_dialog import PolicyTooLong
from bot.ui.text import acknowledgements as front_words
from bot.ui.text import commands as command_words
from bot.ui.text import dialogs as dialog_words
from bot.ui.text import home as words

log = logging.getLogger(__name__)

# What comes of reading a payload that lacks what Slack puts into one, or has something else in its place.
UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)

_Action = Mapping[str, Any]
_Act = Callable[[Desk, HomeRecord, _Action], None]


def press(desk: Desk, act: _Act, ack: Ack, body: Mapping[str, Any], action: _Action, client: WebClient) -> BoltResponse:
    """Do what was pressed, and have the tab shown anew; where it cannot be done, a dialog says why."""
    try:
        record = read_home(body, int(desk.now()))
        act(desk, record, action)
        desk.send(record)
    except UNREADABLE as error:
        return refuse(type(error).__name__)
    except (NotAllowed, NothingToCorrect, LedgerUnavailable, QueueUnavailable, VersionTaken) as error:
        log.warning("press not taken", extra={"detail": str(error)})
        return explain(error, ack, body, client)
    return ack()


def explain(error: Exception, ack: Ack, body: Mapping[str, Any], client: WebClient) -> BoltResponse:
    """Open a dialog: a tab has no place where only one sentence could be said."""
    sentence = _SENTENCES.get(type(error), front_words.NOT_TAKEN)
    try:
        call(client.views_open, trigger_id=body["trigger_id"], view=build_notice(sentence))
    except SlackFailure as failure:
        log.error("press not answered", extra={"error": failure.error})
        return BoltResponse(status=503)
    return ack()


_SENTENCES: Mapping[type[Exception], str] = {
    NotAllowed: command_words.NOT_ALLOWED,
    NothingToCorrect: words.TOO_OLD,
    PolicyTooLong: dialog_words.POLICY_TOO_LONG,
    PolicyChanged: dialog_words.CHANGED_MEANWHILE,
}


def read_home(body: Mapping[str, Any], received_at: int) -> HomeRecord:
    """Tell whose tab it is. Raises KeyError, TypeError and InvalidRecord."""
    values = {"team": body["team"]["id"], "user": body["user"]["id"], "received_at": received_at}
    return build(HomeRecord, values)


# --- What can be pressed ------------------------------------------------------------------------------------


def review(desk: Desk, who: HomeRecord, action: _Action) -> None:
    channel, ts, facet, label = read_review(action["value"])
    desk.corrections.take(_key(who, channel, ts), facet, label, who.user)


def settle(desk: Desk, who: HomeRecord, action: _Action) -> None:
    desk.board.settle("urgent", _key(who, *read_item(action["value"])))


def set_mode(desk: Desk, who: HomeRecord, action: _Action) -> None:
    channel, mode = read_mode(action["selected_option"]["value"])
    desk.require_allowed(who.team, who.user)
    desk.settings.set_mode(who.team, channel, mode, who.user, desk.now())


def stop(desk: Desk, who: HomeRecord, action: _Action) -> None:
    desk.settings.stop(who.team, who.user, desk.now())


def start(desk: Desk, who: HomeRecord, action: _Action) -> None:
    desk.require_allowed(who.team, who.user)
    desk.settings.start(who.team, who.user, desk.now())


def _key(who: HomeRecord, channel: str, ts: str) -> MessageKey:
    place = {"team": who.team, "channel": channel, "ts": ts}
    return build(CorrectionRecord, {**place, "received_at": who.received_at}).key
