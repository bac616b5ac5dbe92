"""What people press and choose in the Home tab: written down at once, shown by the worker a moment later."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from slack_bolt import Ack, BoltResponse
from slack_sdk import WebClient

from bot.listeners.actions import refuse
from bot.listeners.dependencies import Dependencies
from bot.pipeline.corrections import NotAllowed, NothingToCorrect
from bot.queue.messages import CorrectionRecord, HomeRecord, MessageKey, build
from bot.queue.sender import QueueUnavailable
from bot.slack.api import SlackError, call
from bot.store.ledger import LedgerUnavailable, VersionTaken
from bot.store.settings import PolicyChanged
from bot.ui.dialog import build_notice
from bot.ui.home import read_item, read_mode, read_review
from bot.ui.policy_dialog import PolicyTooLong
from bot.ui.text import acknowledgements as acknowledgement_text
from bot.ui.text import commands as command_text
from bot.ui.text import dialogs as dialog_text
from bot.ui.text import home as home_text

log = logging.getLogger(__name__)

# What comes of reading a payload that lacks what Slack puts into one, or has something else in its place.
UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)

_Action = Mapping[str, Any]
_Act = Callable[[Dependencies, HomeRecord, _Action], None]


def press(
    dependencies: Dependencies, act: _Act, ack: Ack, body: Mapping[str, Any], action: _Action, client: WebClient
) -> BoltResponse:
    """Do what was pressed, and have the tab shown anew; where it cannot be done, a dialog says why."""
    try:
        record = read_home(body, int(dependencies.now()))
        act(dependencies, record, action)
        dependencies.send(record)
    except UNREADABLE as error:
        return refuse(type(error).__name__)
    except (NotAllowed, NothingToCorrect, LedgerUnavailable, QueueUnavailable, VersionTaken) as error:
        log.warning("press not taken", extra={"detail": str(error)})
        return explain(error, ack, body, client)
    return ack()


def explain(error: Exception, ack: Ack, body: Mapping[str, Any], client: WebClient) -> BoltResponse:
    """Open a dialog: a tab has no place where only one sentence could be said."""
    sentence = _SENTENCES.get(type(error), acknowledgement_text.NOT_TAKEN)
    try:
        call(client.views_open, trigger_id=body["trigger_id"], view=build_notice(sentence))
    except SlackError as failure:
        log.error("press not answered", extra={"error": failure.error})
        return BoltResponse(status=503)
    return ack()


_SENTENCES: Mapping[type[Exception], str] = {
    NotAllowed: command_text.NOT_ALLOWED,
    NothingToCorrect: home_text.TOO_OLD,
    PolicyTooLong: dialog_text.POLICY_TOO_LONG,
    PolicyChanged: dialog_text.CHANGED_MEANWHILE,
}


def read_home(body: Mapping[str, Any], received_at: int) -> HomeRecord:
    """Tell whose tab it is. Raises KeyError, TypeError and InvalidRecord."""
    values = {"team": body["team"]["id"], "user": body["user"]["id"], "received_at": received_at}
    return build(HomeRecord, values)


# --- What can be pressed ------------------------------------------------------------------------------------


def review(dependencies: Dependencies, who: HomeRecord, action: _Action) -> None:
    channel, ts, facet, label = read_review(action["value"])
    dependencies.corrections.take(_key(who, channel, ts), facet, label, who.user)


def settle(dependencies: Dependencies, who: HomeRecord, action: _Action) -> None:
    dependencies.stats.settle("urgent", _key(who, *read_item(action["value"])))


def set_mode(dependencies: Dependencies, who: HomeRecord, action: _Action) -> None:
    channel, mode = read_mode(action["selected_option"]["value"])
    dependencies.require_allowed(who.team, who.user)
    dependencies.settings.set_mode(who.team, channel, mode, who.user, dependencies.now())


def stop(dependencies: Dependencies, who: HomeRecord, action: _Action) -> None:
    dependencies.settings.stop(who.team, who.user, dependencies.now())


def start(dependencies: Dependencies, who: HomeRecord, action: _Action) -> None:
    dependencies.require_allowed(who.team, who.user)
    dependencies.settings.start(who.team, who.user, dependencies.now())


def _key(who: HomeRecord, channel: str, ts: str) -> MessageKey:
    place = {"team": who.team, "channel": channel, "ts": ts}
    return build(CorrectionRecord, {**place, "received_at": who.received_at}).key
