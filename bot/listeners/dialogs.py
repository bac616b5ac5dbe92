"""Dialogs: opened at once, as Slack wants it; what takes a model is put into them by the worker a moment later."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

from slack_bolt import Ack, BoltResponse
from slack_sdk import WebClient

from bot.listeners.actions import refuse
from bot.listeners.dependencies import Dependencies, Proposal
from bot.listeners.home import UNREADABLE, explain, read_home
from bot.pipeline.corrections import NotAllowed, NothingToCorrect
from bot.policy.editing.edit_route import set_route
from bot.policy.parsing.parser import PolicyError, WrittenPolicy, parse_policy
from bot.queue.messages import (
    CorrectionRecord,
    ForwardRecord,
    HomeRecord,
    InspectRecord,
    InvalidRecord,
    Record,
    RouteDialogRecord,
    SavedRecord,
    TrialRecord,
    build,
)
from bot.queue.sender import QueueUnavailable
from bot.slack.api import SlackError, call
from bot.slack.events import clean_text, read_text
from bot.slack.files import FileUnreadable
from bot.slack.mrkdwn import escape
from bot.store.ledger import LedgerUnavailable, VersionTaken
from bot.store.settings import PolicyChanged
from bot.ui.classify import read_post
from bot.ui.dialog import build_notice
from bot.ui.home import read_item, read_review
from bot.ui.policy_dialog import (
    PolicyTooLong,
    build_policy_dialog,
    list_problems,
    read_policy_dialog,
    read_route_dialog,
)
from bot.ui.text import acknowledgements as acknowledgement_text
from bot.ui.text import commands as command_text
from bot.ui.text import dialogs as dialog_text

log = logging.getLogger(__name__)

_Json = Mapping[str, Any]
_NOT_TAKEN = (
    *(NotAllowed, NothingToCorrect, PolicyChanged),
    *(LedgerUnavailable, QueueUnavailable, VersionTaken, SlackError),
)

# By then Slack shows the view that a submission is answered with, which the worker's would otherwise be replaced by.
SECONDS_TO_SHOW = 1

_Act = Callable[[Dependencies, _Json, WebClient], None]


def press(dependencies: Dependencies, act: _Act, ack: Ack, body: _Json, client: WebClient) -> BoltResponse:
    """Do what a shortcut or a button in a dialog asks for; where it cannot be done, a dialog says why."""
    try:
        act(dependencies, body, client)
    except PolicyTooLong as error:
        return explain(error, ack, body, client)
    except UNREADABLE as error:
        return refuse(type(error).__name__)
    except _NOT_TAKEN as error:
        log.warning("press not taken", extra={"detail": str(error)})
        return explain(error, ack, body, client)
    return ack()


def open_view(client: WebClient, body: _Json, view: Mapping[str, Any]) -> str:
    """Open a dialog for whoever pressed, and give its id. Raises KeyError and SlackError."""
    return str(call(client.views_open, trigger_id=body["trigger_id"], view=view)["view"]["id"])


def update(client: WebClient, view_id: str, view: Mapping[str, Any]) -> None:
    """Put a view in place of an open one. Raises SlackError."""
    call(client.views_update, view_id=view_id, view=view)


def have_filled(dependencies: Dependencies, client: WebClient, view_id: str, record: Record) -> None:
    """Have the worker fill an open dialog; where that cannot be handed in, the dialog says so. Raises SlackError."""
    try:
        dependencies.send(record)
    except QueueUnavailable as error:
        log.error("dialog not filled", extra={"detail": str(error)})
        update(client, view_id, build_notice(acknowledgement_text.NOT_TAKEN))


# --- One message --------------------------------------------------------------------------------------------


def inspect(dependencies: Dependencies, body: _Json, client: WebClient) -> None:
    """Open the dialog of the shortcut on a message."""
    cleaned = read_text(body["message"])
    who = read_home(body, int(dependencies.now()))
    values = {"team": who.team, "channel": body["channel"]["id"], "ts": body["message"]["ts"], "user": who.user}
    text = {"text": cleaned.text, "truncated": cleaned.truncated, "received_at": who.received_at}
    view = open_view(client, body, build_notice(dialog_text.READING))
    have_filled(dependencies, client, view, build(InspectRecord, {**values, **text, "view": view}))


def correct(dependencies: Dependencies, body: _Json, client: WebClient) -> None:
    """Take a correction that was pressed in the dialog about a message."""
    who = read_home(body, int(dependencies.now()))
    channel, ts, facet, label = read_review(body["actions"][0]["value"])
    place = {"team": who.team, "channel": channel, "ts": ts, "received_at": who.received_at}
    dependencies.corrections.take(build(CorrectionRecord, place).key, facet, label, who.user)
    update(client, body["view"]["id"], build_notice(dialog_text.CORRECTED))


def post_text(dependencies: Dependencies, body: _Json, client: WebClient) -> None:
    """Have the message's text posted in the name of whoever pressed."""
    who, action = read_home(body, int(dependencies.now())), body["actions"][0]
    place, label, text = read_post(action["value"])
    channel, _ = read_item(body["view"]["private_metadata"])
    values = {"team": who.team, "channel": channel, "ts": action["action_ts"], "user": who.user, "response_url": None}
    what = {"place": place, "label": label, "text": text, "received_at": who.received_at}
    dependencies.send(build(ForwardRecord, {**values, **what}))
    update(client, body["view"]["id"], build_notice(dialog_text.POSTING))


# --- The policy ---------------------------------------------------------------------------------------------


def open_policy(dependencies: Dependencies, body: _Json, client: WebClient) -> None:
    """Open the policy as text. Raises PolicyTooLong."""
    open_view(client, body, build_policy_dialog(*dependencies.read_policy(read_home(body, 0).team)))


def try_policy(dependencies: Dependencies, body: _Json, client: WebClient) -> None:
    """Have a policy tried that is not saved; one with a mistake is told so at once."""
    view_id, (text, base, tried) = body["view"]["id"], read_policy_dialog(body["view"])
    try:
        parse_policy(text)
    except PolicyError as error:
        outcome = escape(list_problems(error.problems))
        return update(client, view_id, build_policy_dialog(text, base, tried, outcome))
    if not tried:
        return update(client, view_id, build_policy_dialog(text, base, tried, dialog_text.NOTHING_TO_TRY))
    who = read_home(body, int(dependencies.now()))
    values = {"team": who.team, "user": who.user, "view": view_id, "received_at": who.received_at}
    dependencies.send(build(TrialRecord, {**values, "policy": text, "base": base, "text": clean_text(tried).text}))
    return None


def open_routes(dependencies: Dependencies, body: _Json, client: WebClient) -> None:
    """Open the dialog that changes where messages go; the worker fills it, because it knows the labels."""
    who = read_home(body, int(dependencies.now()))
    _, base = dependencies.read_policy(who.team)
    view = open_view(client, body, build_notice(dialog_text.READING))
    values = {"team": who.team, "user": who.user, "view": view, "base": base, "received_at": who.received_at}
    have_filled(dependencies, client, view, build(RouteDialogRecord, values))


# --- What is submitted --------------------------------------------------------------------------------------


def save_policy(dependencies: Dependencies, ack: Ack, body: _Json) -> BoltResponse:
    """Save the policy as it was typed; what is wrong with it is said at its field, and the old one stays."""

    def read(view: _Json, who: HomeRecord) -> Proposal:
        text, base, _ = read_policy_dialog(view)
        return Proposal(WrittenPolicy.of(text), base)

    return save(dependencies, ack, body, read, "policy:1")


def save_route(dependencies: Dependencies, ack: Ack, body: _Json) -> BoltResponse:
    """Save where the messages with a label go."""

    def read(view: _Json, who: HomeRecord) -> Proposal:
        label, channel, base = read_route_dialog(view)
        before = WrittenPolicy.of(dependencies.read_version(who.team, base))
        return Proposal(set_route(before, label, channel), base, before)

    return save(dependencies, ack, body, read, "label")


def _list_problems(error: PolicyError) -> str:
    return list_problems(error.problems)


def save(
    dependencies: Dependencies,
    ack: Ack,
    body: _Json,
    read: Callable[[_Json, HomeRecord], Proposal],
    block: str | None,
    say: Callable[[PolicyError], str] = _list_problems,
) -> BoltResponse:
    """Save the policy that `read` gives; what is wrong is said at the field `block`, or where the dialog has none, in
    its place.
    """
    try:
        who = read_home(body, int(dependencies.now()))
        version = dependencies.save(who.team, who.user, read(body["view"], who))
    except SAVING as error:
        sentence = explain_refusal(error, say)
        if block is None:
            return ack(response_action="update", view=build_notice(escape(sentence)))
        return ack(response_action="errors", errors={block: sentence})
    except UNREADABLE as error:
        return refuse(type(error).__name__)
    show_home(dependencies, who)
    _have_looked_at(dependencies, who, body["view"]["id"], version)
    return ack(response_action="update", view=build_notice(dialog_text.saved(version)))


def _have_looked_at(dependencies: Dependencies, who: HomeRecord, view: str, version: int) -> None:
    """Have the worker, which knows the model, say what in a policy does not fit it."""
    values = {"team": who.team, "user": who.user, "view": view, "version": version, "received_at": who.received_at}
    try:
        dependencies.send(build(SavedRecord, values), SECONDS_TO_SHOW)
    except (InvalidRecord, QueueUnavailable) as error:  # the Home tab says it, too
        log.warning("policy not looked at", extra={"detail": str(error)})


# What can come of handing in a policy, or of saving it.
SAVING = (PolicyError, FileUnreadable, NotAllowed, PolicyChanged, LedgerUnavailable, QueueUnavailable)


def explain_refusal(error: Exception, say: Callable[[PolicyError], str] = _list_problems) -> str:
    """Say why a policy was not saved; plain text. What its author cannot mend is logged."""
    if isinstance(error, PolicyError):
        return say(error)
    if isinstance(error, FileUnreadable):
        log.warning("file not read", extra={"fault": error.fault})
        return dialog_text.file_fault(error.fault)
    if isinstance(error, LedgerUnavailable | QueueUnavailable):
        log.error("policy not saved", extra={"detail": str(error)})
    return _REFUSALS.get(type(error), dialog_text.NOT_SAVED)


_REFUSALS: Mapping[type[Exception], str] = {
    NotAllowed: command_text.NOT_ALLOWED,
    PolicyChanged: dialog_text.CHANGED_MEANWHILE,
}


def show_home(dependencies: Dependencies, who: HomeRecord) -> None:
    """Have the Home tab of whoever saved something shown anew."""
    try:
        dependencies.send(who)
    except QueueUnavailable as error:  # saved all the same; the tab shows it when it is opened again
        log.warning("home not shown", extra={"detail": str(error)})
