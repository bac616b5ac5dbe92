"""Dialogs about a message and about the policy.

They are opened within the three seconds that Slack allows; what needs a model is filled in by the worker a moment
later.
"""

import logging
from collections.abc import Callable, Mapping

from slack_bolt import Ack, BoltResponse
from slack_sdk import WebClient

from bot.listeners.dependencies import Dependencies, Proposal
from bot.listeners.press import UNREADABLE, Json, build_from, build_key, open_view, read_sender, refuse, update
from bot.pipeline.corrections import NotAllowed
from bot.policy.editing.edit_route import set_route
from bot.policy.parsing.parser import PolicyError, WrittenPolicy, parse_policy
from bot.queue.messages import (
    ForwardRecord,
    HomeRecord,
    InspectRecord,
    InvalidRecord,
    Record,
    RouteDialogRecord,
    SavedRecord,
    TrialRecord,
)
from bot.queue.sender import QueueUnavailable
from bot.slack.events import clean_text, read_text
from bot.slack.files import FileUnreadable
from bot.slack.mrkdwn import escape
from bot.store.ledger import LedgerUnavailable
from bot.store.settings import PolicyChanged
from bot.ui.classify import read_post
from bot.ui.dialog import build_notice
from bot.ui.home import read_item, read_review
from bot.ui.policy_dialog import build_policy_dialog, list_problems, read_policy_dialog, read_route_dialog
from bot.ui.text import commands as command_text
from bot.ui.text import dialogs as dialog_text

log = logging.getLogger(__name__)

# By then Slack shows the view that a submission is answered with, which would otherwise replace the worker's.
SECONDS_TO_SHOW = 1

# Raised by checking or saving a policy.
SAVING = (PolicyError, FileUnreadable, NotAllowed, PolicyChanged, LedgerUnavailable, QueueUnavailable)

_REFUSALS: Mapping[type[Exception], str] = {
    NotAllowed: command_text.NOT_ALLOWED,
    PolicyChanged: dialog_text.CHANGED_MEANWHILE,
}


def have_filled(dependencies: Dependencies, client: WebClient, view_id: str, record: Record) -> None:
    """Have the worker fill an open dialog; if the queue is down, say so in the dialog. Raises SlackError."""
    try:
        dependencies.send(record)
    except QueueUnavailable as error:
        log.error("dialog not filled", extra={"detail": str(error)})
        update(client, view_id, build_notice(command_text.NOT_TAKEN))


# --- One message --------------------------------------------------------------------------------------------


def inspect(dependencies: Dependencies, body: Json, client: WebClient) -> None:
    """Open the dialog of the shortcut on a message."""
    message, channel, who = body["message"], body["channel"]["id"], read_sender(dependencies, body)
    cleaned = read_text(message)
    text = {"text": cleaned.text, "truncated": cleaned.truncated}
    view = open_view(client, body, build_notice(dialog_text.READING))
    record = build_from(InspectRecord, who, channel=channel, ts=message["ts"], view=view, **text)
    have_filled(dependencies, client, view, record)


def correct(dependencies: Dependencies, body: Json, client: WebClient) -> None:
    """Take a correction made in the dialog about a message."""
    who = read_sender(dependencies, body)
    channel, ts, facet, label = read_review(body["actions"][0]["value"])
    dependencies.corrections.take(build_key(who.team, channel, ts), facet, label, who.user)
    update(client, body["view"]["id"], build_notice(dialog_text.CORRECTED))


def post_text(dependencies: Dependencies, body: Json, client: WebClient) -> None:
    """Have the message's text posted in the name of the person who pressed."""
    who, action = read_sender(dependencies, body), body["actions"][0]
    place, label, text = read_post(action["value"])
    channel, _ = read_item(body["view"]["private_metadata"])
    values = {"channel": channel, "ts": action["action_ts"], "response_url": None}
    dependencies.send(build_from(ForwardRecord, who, place=place, label=label, text=text, **values))
    update(client, body["view"]["id"], build_notice(dialog_text.POSTING))


# --- The policy ---------------------------------------------------------------------------------------------


def open_policy(dependencies: Dependencies, body: Json, client: WebClient) -> None:
    """Open the policy as text. Raises PolicyTooLong."""
    who = read_sender(dependencies, body)
    open_view(client, body, build_policy_dialog(*dependencies.read_policy(who.team)))


def try_policy(dependencies: Dependencies, body: Json, client: WebClient) -> None:
    """Have an unsaved policy tried on a message; report its mistakes, if any, at once."""
    view_id, (text, base, tried) = body["view"]["id"], read_policy_dialog(body["view"])
    try:
        parse_policy(text)
    except PolicyError as error:
        outcome = escape(list_problems(error.problems))
        return update(client, view_id, build_policy_dialog(text, base, tried, outcome))
    if not tried:
        return update(client, view_id, build_policy_dialog(text, base, tried, dialog_text.NOTHING_TO_TRY))
    who, message = read_sender(dependencies, body), clean_text(tried).text
    return dependencies.send(build_from(TrialRecord, who, view=view_id, policy=text, base=base, text=message))


def open_routes(dependencies: Dependencies, body: Json, client: WebClient) -> None:
    """Open the dialog that changes where messages go; the worker fills it, because it knows the labels."""
    who = read_sender(dependencies, body)
    _, base = dependencies.read_policy(who.team)
    view = open_view(client, body, build_notice(dialog_text.READING))
    have_filled(dependencies, client, view, build_from(RouteDialogRecord, who, view=view, base=base))


# --- Submissions --------------------------------------------------------------------------------------------


def save_policy(dependencies: Dependencies, ack: Ack, body: Json) -> BoltResponse:
    """Save the policy as typed, or show its mistakes at the field."""

    def read(view: Json, who: HomeRecord) -> Proposal:
        text, base, _ = read_policy_dialog(view)
        return Proposal(WrittenPolicy.of(text), base)

    return save(dependencies, ack, body, read, "policy:1")


def save_route(dependencies: Dependencies, ack: Ack, body: Json) -> BoltResponse:
    """Save where the messages with a label go."""

    def read(view: Json, who: HomeRecord) -> Proposal:
        label, channel, base = read_route_dialog(view)
        before = WrittenPolicy.of(dependencies.read_version(who.team, base))
        return Proposal(set_route(before, label, channel), base, before)

    return save(dependencies, ack, body, read, "label")


def _list_problems(error: PolicyError) -> str:
    return list_problems(error.problems)


def save(
    dependencies: Dependencies,
    ack: Ack,
    body: Json,
    read: Callable[[Json, HomeRecord], Proposal],
    block: str | None,
    say: Callable[[PolicyError], str] = _list_problems,
) -> BoltResponse:
    """Save the policy that `read` returns.

    A refusal is shown at the field `block`, or replaces a dialog that has no field for it.
    """
    try:
        who = read_sender(dependencies, body)
        version = dependencies.save(who.team, who.user, read(body["view"], who))
    except SAVING as error:
        sentence = explain_refusal(error, say)
        if block is None:
            return ack(response_action="update", view=build_notice(escape(sentence)))
        return ack(response_action="errors", errors={block: sentence})
    except UNREADABLE as error:
        return refuse(type(error).__name__)
    show_home(dependencies, who)
    _have_checked(dependencies, who, body["view"]["id"], version)
    return ack(response_action="update", view=build_notice(dialog_text.saved(version)))


def _have_checked(dependencies: Dependencies, who: HomeRecord, view: str, version: int) -> None:
    """Have the worker, which knows the model, say what in a saved policy does not fit it."""
    try:
        dependencies.send(build_from(SavedRecord, who, view=view, saved=version), SECONDS_TO_SHOW)
    except (InvalidRecord, QueueUnavailable) as error:  # the Home tab shows it, too
        log.warning("policy not looked at", extra={"detail": str(error)})


def show_home(dependencies: Dependencies, who: HomeRecord) -> None:
    """Have the Home tab of the person who saved something published anew."""
    try:
        dependencies.send(who)
    except QueueUnavailable as error:  # nothing is lost: the tab is up to date when it is opened again
        log.warning("home not shown", extra={"detail": str(error)})


def explain_refusal(error: Exception, say: Callable[[PolicyError], str] = _list_problems) -> str:
    """Say why a policy was not saved (plain text), and log what its author cannot fix."""
    if isinstance(error, PolicyError):
        return say(error)
    if isinstance(error, FileUnreadable):
        log.warning("file not read", extra={"fault": error.fault})
        return dialog_text.FILE_FAULTS[error.fault]
    if isinstance(error, LedgerUnavailable | QueueUnavailable):
        log.error("policy not saved", extra={"detail": str(error)})
    return _REFUSALS.get(type(error), dialog_text.NOT_SAVED)
