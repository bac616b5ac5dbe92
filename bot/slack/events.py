"""Event parsing: turn Slack's events and commands into queue messages, or into the reason why there is none. Pure.

Only what the payload itself shows to be irrelevant is dropped here. The worker applies the rules about channels,
authors and bots, because it knows the policy and records its reasons.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from bot.queue.messages import (
    AskRecord,
    CommandRecord,
    HomeRecord,
    InvalidRecord,
    LifecycleRecord,
    MessageRecord,
    ReactionRecord,
    ReplyRecord,
    RevisionRecord,
    build,
)
from bot.slack import mrkdwn
from classifier_infra.model.text import MAX_CHARACTERS, clean

# A message with a file can have a text; other subtypes are Slack's own notices, or messages of legacy bots.
_MESSAGE_SUBTYPES = (None, "file_share")
# A reply that is also shown in the channel is still a reply.
_REPLY_SUBTYPES = (*_MESSAGE_SUBTYPES, "thread_broadcast")

_HELP_WORDS = ("", "help")
# Longer texts are classified even if they begin with such a word, like "stop charging my card".
_VERB = re.compile(
    r"(?P<verb>stats|policy|stop|start|version)|(?P<switch>mute|unmute)(?:\s+<[@#](?P<target>[a-z0-9]+)(?:\|[^>]*)?>)?"
)

EventRecord: TypeAlias = MessageRecord | RevisionRecord | ReplyRecord | ReactionRecord | HomeRecord | LifecycleRecord
_Json: TypeAlias = Mapping[str, Any]

# Around the one word of a command, as people and their keyboards write it: `Stop!`, `“stop”`, `stop.`
_PUNCTUATION = " \t\n.,;:!\"'`´“”„‟‘’‚‛«»‹›…"


@dataclass(frozen=True, slots=True)
class Dropped:
    """Nothing to queue; the reason is for logs, not for people."""

    reason: str


@dataclass(frozen=True, slots=True)
class HelpRequested:
    """The command asks how it is used."""


@dataclass(frozen=True, slots=True)
class CleanText:
    """A text ready to be queued: mark-up converted, personal data redacted, cut if it is too long."""

    text: str
    truncated: bool


# --- Events -------------------------------------------------------------------------------------------------


def read_event(envelope: Mapping[str, Any], received_at: int) -> EventRecord | Dropped:
    """Read a delivery of the Events API that is not a `url_verification`."""
    event = envelope.get("event")
    if envelope.get("type") != "event_callback" or not isinstance(event, dict):
        return Dropped("unknown-type")
    kind = event.get("type")
    read = _MESSAGES.get(str(event.get("subtype")), _read_new) if kind == "message" else _OTHERS.get(str(kind))
    if read is None:
        return Dropped("unknown-type")
    try:
        return read(envelope, event, received_at)
    except InvalidRecord:
        return Dropped("malformed")


def read_standing(
    message: _Json, channel: str, team: str, received_at: int, user: str | None = None
) -> EventRecord | Dropped:
    """Read a message from a channel's history; drop it if `user`, the bot's own, wrote it."""
    ours = {"team_id": team, "user_id": user, "is_bot": user is not None}
    envelope = {"type": "event_callback", "authorizations": [ours], "event": {**message, "channel": channel}}
    return read_event(envelope, received_at)


def _read_reaction(envelope: _Json, event: _Json, received_at: int) -> ReactionRecord | Dropped:
    if _is_our_own(envelope, event):
        return Dropped("our-own")
    item = _part(event, "item")
    if item.get("type") != "message":
        return Dropped("no-message")
    name = str(event.get("reaction")).partition("::")[0]  # without the skin tone
    place = {"team": _team(envelope), "channel": item.get("channel"), "ts": item.get("ts")}
    values = {**place, "user": event.get("user"), "name": name, "received_at": received_at}
    return build(ReactionRecord, {**values, "said_at": event.get("event_ts")})


def _read_home(envelope: _Json, event: _Json, received_at: int) -> HomeRecord | Dropped:
    if event.get("tab", "home") != "home":
        return Dropped("other-tab")
    return build(HomeRecord, {"team": _team(envelope), "user": event.get("user"), "received_at": received_at})


def _read_uninstall(envelope: _Json, event: _Json, received_at: int) -> LifecycleRecord | Dropped:
    """Read that a workspace uninstalled the bot or revoked its token; tokens of users are not used."""
    if event.get("type") == "tokens_revoked" and not _part(event, "tokens").get("bot"):
        return Dropped("no-token-of-ours")
    at = envelope.get("event_time", received_at)
    values = {"team": _team(envelope), "what": event.get("type"), "at": at, "received_at": received_at}
    return build(LifecycleRecord, values)


# --- Messages -----------------------------------------------------------------------------------------------


def _read_new(envelope: _Json, event: _Json, received_at: int) -> MessageRecord | ReplyRecord | Dropped:
    if _is_our_own(envelope, event):
        return Dropped("our-own")
    is_reply = _is_reply(event)
    if event.get("subtype") not in (_REPLY_SUBTYPES if is_reply else _MESSAGE_SUBTYPES):
        return Dropped("subtype")
    return _read_reply(envelope, event, received_at) if is_reply else _read_message(envelope, event, received_at)


def _read_message(envelope: _Json, event: _Json, received_at: int) -> MessageRecord:
    cleaned = read_text(event)
    team = _team(envelope)
    values = {
        "team": team,
        "channel": event.get("channel"),
        "ts": event.get("ts"),
        "author": event.get("user"),
        "text": cleaned.text,
        "truncated": cleaned.truncated,
        "bot": event.get("bot_id"),
        "received_at": received_at,
        "author_team": read_foreign_team(event, team),
        "channel_type": event.get("channel_type", "channel"),
        "files": bool(event.get("files")),
    }
    return build(MessageRecord, values)


def _read_reply(envelope: _Json, event: _Json, received_at: int) -> ReplyRecord | Dropped:
    if event.get("bot_id"):
        return Dropped("reply-of-a-bot")
    if event.get("user") == event.get("parent_user_id"):
        return Dropped("reply-to-oneself")
    team = _team(envelope)
    values = {
        "team": team,
        "channel": event.get("channel"),
        "ts": event.get("thread_ts"),
        "author": event.get("user"),
        "replied_ts": event.get("ts"),
        "received_at": received_at,
        "author_team": read_foreign_team(event, team),
    }
    return build(ReplyRecord, values)


def _read_change(envelope: _Json, event: _Json, received_at: int) -> RevisionRecord | Dropped:
    """Read an edit; unfurled links and first replies cause one, too, but with the same text."""
    message, previous = _part(event, "message"), _part(event, "previous_message")
    is_gone = message.get("subtype") == "tombstone"  # what remains of a deleted message with replies
    if not is_gone and read_text(message) == read_text(previous):
        return Dropped("same-words")
    return _read_revision(envelope, event, previous if is_gone else message, received_at)


def _read_deletion(envelope: _Json, event: _Json, received_at: int) -> RevisionRecord | Dropped:
    return _read_revision(envelope, event, _part(event, "previous_message"), received_at)


def _read_revision(envelope: _Json, event: _Json, message: _Json, received_at: int) -> RevisionRecord | Dropped:
    if _is_our_own(envelope, message):
        return Dropped("our-own")
    if _is_reply(message):
        return Dropped("thread-reply")
    ts = message.get("ts", event.get("deleted_ts"))
    values = {"team": _team(envelope), "channel": event.get("channel"), "ts": ts, "received_at": received_at}
    return build(RevisionRecord, values)


_MESSAGES = {"message_changed": _read_change, "message_deleted": _read_deletion}

_OTHERS = {
    "app_home_opened": _read_home,
    "reaction_added": _read_reaction,
    "app_uninstalled": _read_uninstall,
    "tokens_revoked": _read_uninstall,
}


# --- Parts of an event --------------------------------------------------------------------------------------


def _part(event: _Json, name: str) -> _Json:
    part = event.get(name)
    return part if isinstance(part, dict) else {}


def _is_reply(message: _Json) -> bool:
    return bool(message.get("thread_ts", message.get("ts")) != message.get("ts"))


def _is_our_own(envelope: _Json, message: _Json) -> bool:
    if message.get("app_id") and message["app_id"] == envelope.get("api_app_id"):
        return True
    authorization = _authorization(envelope)
    return bool(authorization.get("is_bot") and message.get("user") == authorization.get("user_id"))


def _authorization(envelope: _Json) -> _Json:
    authorizations = envelope.get("authorizations")
    first = authorizations[0] if isinstance(authorizations, list) and authorizations else None
    return first if isinstance(first, dict) else {}


def _team(envelope: _Json) -> Any:
    # In a channel shared with another organisation, `team_id` can be theirs; the authorization is always ours.
    return _authorization(envelope).get("team_id") or envelope.get("team_id")


def read_foreign_team(event: _Json, ours: Any) -> Any:
    """Return the author's team if it is not ours (Slack Connect), else None."""
    team = event.get("user_team") or event.get("team")
    return team if team != ours else None


# --- Texts --------------------------------------------------------------------------------------------------


def read_text(message: Mapping[str, Any]) -> CleanText:
    """Read the text of a message: its `text`, or that of its blocks if `text` is empty."""
    text = message.get("text")
    return clean_text(text if isinstance(text, str) and text.strip() else mrkdwn.from_blocks(message.get("blocks")))


def clean_text(text: str) -> CleanText:
    """Redact a text, then cut it: half of a secret at the cut would not be recognised."""
    # JSON can hold half of a surrogate pair, which cannot be encoded later.
    cleaned = clean(text.encode("utf-8", "replace").decode("utf-8"))
    return CleanText(cleaned[:MAX_CHARACTERS], len(cleaned) > MAX_CHARACTERS)


# --- Commands -----------------------------------------------------------------------------------------------


def read_command(
    form: Mapping[str, str], received_at: int, said_at: float | None = None
) -> CommandRecord | AskRecord | HelpRequested | Dropped:
    """Read the form that Slack posts for `/classify`: a text to be read, or something to be done.

    `said_at` is `received_at` to the microsecond, which orders switches.
    """
    if form.get("command") != "/classify":
        return Dropped("unknown-command")
    text = form.get("text", "").strip()
    bare = text.lower().strip(_PUNCTUATION)
    if bare in _HELP_WORDS:
        return HelpRequested()
    sender = {
        "team": form.get("team_id"),
        "channel": form.get("channel_id"),
        "user": form.get("user_id"),
        "response_url": form.get("response_url"),
        "received_at": received_at,
    }
    match = _VERB.fullmatch(bare)
    try:
        if match:
            target = (match["target"] or "").upper() or (sender["channel"] if match["switch"] else None)
            values = {**sender, "verb": match["verb"] or match["switch"], "target": target, "said_at": said_at}
            return build(AskRecord, values)
        cleaned = clean_text(text)
        return build(CommandRecord, {**sender, "text": cleaned.text, "truncated": cleaned.truncated})
    except InvalidRecord:
        return Dropped("malformed")
