"""Define the queues' messages: small, versioned records whose texts are redacted, never a raw request.

During a deployment two versions of the program run side by side, and each may read what the other queued. A field with
a default may be missing, and is left out when it has its default; unknown fields are ignored; a record of an unknown
kind or later version raises NewerRecord and waits for a worker that knows it. Any other fault (a missing field, a wrong
type) raises InvalidRecord, and the record is dead-lettered.
"""

import json
import re
from dataclasses import MISSING, asdict, dataclass, field, fields
from typing import Any, TypeAlias, TypeVar

VERSION = 1

_ID = re.compile(r"[A-Z0-9]{1,40}")
_TS = re.compile(r"[0-9]{1,20}\.[0-9]{1,10}")


class InvalidRecord(ValueError):
    """The body is not a record of this version. The message names the fault and never quotes a value."""


class NewerRecord(Exception):
    """The body is a record of a later version of the program: leave it to a worker that knows it."""


@dataclass(frozen=True, slots=True)
class MessageKey:
    """Identify a message: Slack's `ts` is unique within its channel, a channel within its team."""

    team: str
    channel: str
    ts: str

    def __str__(self) -> str:
        return f"{self.team}#{self.channel}#{self.ts}"


@dataclass(frozen=True, slots=True)
class _OfMessage:
    """A record about a message, or about something else that has a time of its own in a channel."""

    team: str
    channel: str
    ts: str

    @property
    def key(self) -> MessageKey:
        return MessageKey(self.team, self.channel, self.ts)


@dataclass(frozen=True, slots=True)
class _OfPerson:
    """A record about a view that one person sees: the bot's Home tab, a dialog."""

    team: str
    user: str

    @property
    def channel(self) -> str:
        """Return the person, who stands for the channel in the queue's message groups."""
        return self.user


@dataclass(frozen=True, slots=True)
class MessageRecord(_OfMessage):
    """A new message. `bot` is the id of the app that wrote it, `truncated` that its end was cut off.

    `author_team` is the author's team if it is another one than ours (Slack Connect), `channel_type` Slack's name for
    the kind of conversation, `files` reports attachments. `received_at` is in seconds since the epoch in all records.
    """

    author: str
    text: str = field(repr=False)
    truncated: bool
    bot: str | None
    received_at: int
    author_team: str | None = None
    channel_type: str = "channel"
    files: bool = False


@dataclass(frozen=True, slots=True)
class RevisionRecord(_OfMessage):
    """A message was edited or deleted, and has to be read again.

    The record has no text because edits can arrive out of order: only Slack has the latest one.
    """

    received_at: int


@dataclass(frozen=True, slots=True)
class ReplyRecord(_OfMessage):
    """A person other than its author answered the message `ts`, at `replied_ts`.

    `author_team` is that person's team if it is another one than ours.
    """

    author: str
    replied_ts: str
    received_at: int
    author_team: str | None = None


@dataclass(frozen=True, slots=True)
class ReactionRecord(_OfMessage):
    """A person put the emoji `name` on the message `ts`, at `said_at` by Slack's clock."""

    user: str
    name: str
    received_at: int
    said_at: str | None = None


@dataclass(frozen=True, slots=True)
class CommandRecord:
    """`/classify <text>`. `response_url` allows anyone to answer in the bot's name, so it must not be logged."""

    team: str
    channel: str
    user: str
    text: str = field(repr=False)
    truncated: bool
    response_url: str = field(repr=False)
    received_at: int


@dataclass(frozen=True, slots=True)
class AskRecord:
    """A subcommand such as `/classify stats`: `verb` is its name, `target` its channel or person, if any.

    `said_at` is `received_at` to the microsecond, which orders two people's switches within the same second.
    """

    team: str
    channel: str
    user: str
    verb: str
    target: str | None
    response_url: str = field(repr=False)
    received_at: int
    said_at: float | None = None


@dataclass(frozen=True, slots=True)
class HomeRecord(_OfPerson):
    """A person opened the bot's Home tab, or changed something there that it shows."""

    received_at: int


@dataclass(frozen=True, slots=True)
class InspectRecord(_OfMessage):
    """A person asked how the bot classifies a message; the answer goes into the dialog `view`."""

    user: str
    view: str
    text: str = field(repr=False)
    truncated: bool
    received_at: int


@dataclass(frozen=True, slots=True)
class TrialRecord(_OfPerson):
    """A person asked what an unsaved policy would do with a text; the answer goes into the dialog `view`."""

    view: str
    policy: str = field(repr=False)
    base: int
    text: str = field(repr=False)
    received_at: int


@dataclass(frozen=True, slots=True)
class UploadRecord(_OfPerson):
    """A person uploaded a policy and has not saved it; the dialog `view` is to show what would change.

    `draft` is the state of that dialog; see bot/ui/policy_upload.py.
    """

    view: str
    policy: str = field(repr=False)
    draft: str = field(repr=False)
    received_at: int


@dataclass(frozen=True, slots=True)
class RouteDialogRecord(_OfPerson):
    """A person is changing where messages go; the dialog `view` needs the labels to choose from."""

    view: str
    base: int
    received_at: int


@dataclass(frozen=True, slots=True)
class RuleFormRecord(_OfPerson):
    """A person is changing rule `number` (0: a new one) of a policy; the dialog `view` needs its form."""

    view: str
    policy: str = field(repr=False)
    base: int
    number: int
    received_at: int


@dataclass(frozen=True, slots=True)
class SavedRecord(_OfPerson):
    """A policy was saved as version `saved`; the dialog `view` is to list what does not fit the model."""

    view: str
    saved: int
    received_at: int


@dataclass(frozen=True, slots=True)
class ForwardRecord(_OfMessage):
    """A person wants `text` posted in `place` in their name; `ts`, the time of the press, identifies the request."""

    user: str
    place: str
    label: str
    text: str = field(repr=False)
    response_url: str | None = field(repr=False)
    received_at: int


@dataclass(frozen=True, slots=True)
class CorrectionRecord(_OfMessage):
    """A person corrected a message's label, as the ledger has it: bring Slack in line."""

    received_at: int


@dataclass(frozen=True, slots=True)
class SummaryRecord:
    """At `at` (seconds since the epoch), post to `channel` the summary gathered for it until then."""

    team: str
    channel: str
    at: int
    received_at: int

    @property
    def key(self) -> MessageKey:
        """Return the summary's key. Its ts is earlier than the post's even if our clock is ahead of Slack's."""
        return MessageKey(self.team, self.channel, f"{self.at - _CLOCK_SKEW}.000000")


_CLOCK_SKEW = 900


@dataclass(frozen=True, slots=True)
class TidyRecord(_OfMessage):
    """A step of a message may have been posted twice in `place`: leave one copy."""

    step: str
    place: str
    received_at: int


@dataclass(frozen=True, slots=True)
class WebhookRecord(_OfMessage):
    """Call the webhook `name` about a message; `tries` calls have failed."""

    name: str
    tries: int
    received_at: int


@dataclass(frozen=True, slots=True)
class EscalationRecord(_OfMessage):
    """At `due` (seconds since the epoch), if the message is unanswered after `minutes`, escalate it.

    The post goes to the channel `place` (None: the message's thread) and mentions `mentions`, separated by spaces.
    """

    place: str | None
    mentions: str
    minutes: int
    due: int
    received_at: int


@dataclass(frozen=True, slots=True)
class GiveOutRecord(_OfMessage):
    """Assign a message that came in while all people of `rota` were away."""

    rota: str
    received_at: int


@dataclass(frozen=True, slots=True)
class LifecycleRecord:
    """A workspace uninstalled the bot at `at` (seconds since the epoch); `what` is Slack's name of the event."""

    team: str
    what: str
    at: int
    received_at: int

    @property
    def channel(self) -> str:
        """Return the team, which stands for the channel in the queue's message groups."""
        return self.team


Record: TypeAlias = (
    MessageRecord
    | RevisionRecord
    | ReplyRecord
    | ReactionRecord
    | CommandRecord
    | AskRecord
    | HomeRecord
    | InspectRecord
    | TrialRecord
    | UploadRecord
    | RouteDialogRecord
    | RuleFormRecord
    | SavedRecord
    | ForwardRecord
    | CorrectionRecord
    | SummaryRecord
    | TidyRecord
    | WebhookRecord
    | EscalationRecord
    | GiveOutRecord
    | LifecycleRecord
)
R = TypeVar("R", bound=Record)

KINDS: dict[str, type[Record]] = {
    "message": MessageRecord,
    "revision": RevisionRecord,
    "reply": ReplyRecord,
    "reaction": ReactionRecord,
    "command": CommandRecord,
    "ask": AskRecord,
    "home": HomeRecord,
    "inspect": InspectRecord,
    "trial": TrialRecord,
    "upload": UploadRecord,
    "route-dialog": RouteDialogRecord,
    "rule-form": RuleFormRecord,
    "saved": SavedRecord,
    "forward": ForwardRecord,
    "correction": CorrectionRecord,
    "summary": SummaryRecord,
    "tidy": TidyRecord,
    "webhook": WebhookRecord,
    "escalation": EscalationRecord,
    "give-out": GiveOutRecord,
    "lifecycle": LifecycleRecord,
}
_NAMES = {kind: name for name, kind in KINDS.items()}
# Defaults are not queued, so that the previous version of the program can read every record that it knows.
_DEFAULTS = {kind: {each.name: each.default for each in fields(kind)} for kind in _NAMES}
_PATTERNS = {
    **dict.fromkeys(("team", "channel", "author", "author_team", "user", "bot", "place", "target", "view"), _ID),
    **dict.fromkeys(("ts", "replied_ts", "said_at"), _TS),
}


def to_json(record: Record) -> str:
    """Return the body of the queue's message.

    ASCII only: SQS refuses some characters (U+FFFE, lone surrogates) that JSON can escape. The longest text, 20,000
    characters of twelve bytes each, stays under SQS's old limit of 256 KiB.
    """
    given = {
        name: value for name, value in asdict(record).items() if value != _DEFAULTS[type(record)].get(name, MISSING)
    }
    return json.dumps({**given, "version": VERSION, "kind": _NAMES[type(record)]})


def from_json(body: str) -> Record:
    """Read the body of a queue message. Raises InvalidRecord, NewerRecord."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        raise InvalidRecord("the body is not JSON") from None
    if not isinstance(document, dict):
        raise InvalidRecord("the body is not a JSON object")
    version, kind = document.pop("version", None), document.pop("kind", None)
    if not isinstance(version, int) or isinstance(version, bool) or version < VERSION or not isinstance(kind, str):
        raise InvalidRecord(f"a record has a kind and a version from {VERSION} on")
    if version > VERSION or kind not in KINDS:
        raise NewerRecord(f"this program does not know version {version} of this kind of record")
    known = {each.name for each in fields(KINDS[kind])}
    return build(KINDS[kind], {name: value for name, value in document.items() if name in known})


def build(kind: type[R], values: dict[str, Any]) -> R:
    """Build a record from unchecked values. Raises InvalidRecord."""
    known = {each.name: each for each in fields(kind)}
    required = {name for name, each in known.items() if each.default is MISSING}
    if not required <= values.keys() <= known.keys():
        raise InvalidRecord(f"{kind.__name__} has the fields {sorted(known)}, and no others")
    for name, value in values.items():
        _check(kind, name, known[name].type, value)
    return kind(**values)


def _check(kind: type[Any], name: str, expected: Any, value: Any) -> None:
    # bool is a subclass of int, and not valid as a number of seconds.
    if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
        raise InvalidRecord(f"{kind.__name__}.{name} has the wrong type, {type(value).__name__}")
    pattern = _PATTERNS.get(name)
    if pattern and isinstance(value, str) and not pattern.fullmatch(value):
        raise InvalidRecord(f"{kind.__name__}.{name} is not a Slack id or timestamp")


@dataclass(frozen=True, slots=True)
class OriginalMessage:
    """A message as read from Slack, redacted; without author and text if it is gone.

    `author_team` is the author's team if it is another one than ours; `as_of` is when it was read (seconds since the
    epoch).
    """

    author: str | None
    text: str = field(repr=False)
    author_team: str | None = None
    as_of: float | None = None

    @property
    def is_gone(self) -> bool:
        return self.author is None and not self.text
