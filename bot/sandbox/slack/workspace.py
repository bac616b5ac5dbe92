"""A Slack workspace in memory: people, channels, messages, threads and reactions.

Every change is told to the observers, in the order in which it happened. Nothing here is thread-safe: change a
served workspace only from its event loop, which is to say over HTTP.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

SLACKBOT = "USLACKBOT"
TOMBSTONE = "tombstone"


class Refused(Exception):
    """Slack's answer to what it will not do: one of its own error codes, and the fields that go with it."""

    def __init__(self, code: str, **details: Any) -> None:
        super().__init__(code)
        self.code = code
        self.details = details


@dataclass(frozen=True)
class Team:
    id: str
    name: str
    domain: str


@dataclass(frozen=True)
class BotUser:
    """The installed app: its user, its bot and its app id, and the name it posts under."""

    user_id: str
    bot_id: str
    app_id: str
    name: str


@dataclass(frozen=True)
class User:
    id: str
    name: str
    real_name: str
    title: str = ""
    is_bot: bool = False


@dataclass(frozen=True)
class UserGroup:
    id: str
    handle: str
    name: str
    users: tuple[str, ...]


@dataclass(frozen=True)
class Reaction:
    name: str
    users: tuple[str, ...]


@dataclass(frozen=True)
class Content:
    """What a message says: `text` in mrkdwn, Block Kit blocks, legacy attachments, an app's metadata."""

    text: str = ""
    blocks: tuple[Json, ...] = ()
    attachments: tuple[Json, ...] = ()
    metadata: Json | None = None

    def is_empty(self) -> bool:
        return not (self.text.strip() or self.blocks or self.attachments)


@dataclass(frozen=True)
class Edit:
    user: str
    ts: str


@dataclass(frozen=True)
class Message:
    """One message. `visible_to` is set on an ephemeral one; `bot_id` on what the app posted."""

    channel: str
    ts: str
    user: str
    content: Content
    thread_ts: str | None = None
    bot_id: str | None = None
    subtype: str | None = None
    edited: Edit | None = None
    reactions: tuple[Reaction, ...] = ()
    visible_to: str | None = None


@dataclass
class Channel:
    id: str
    name: str
    topic: str = ""
    members: set[str] = field(default_factory=set)
    is_private: bool = False
    is_archived: bool = False
    messages: dict[str, Message] = field(default_factory=dict)
    ephemerals: dict[str, Message] = field(default_factory=dict)
    replies: dict[str, list[str]] = field(default_factory=dict)

    def message(self, ts: str) -> Message:
        """Find a message that everybody sees. Raises Refused("message_not_found")."""
        if ts not in self.messages:
            raise Refused("message_not_found")
        return self.messages[ts]

    def thread(self, ts: str) -> list[Message]:
        """Give the parent and its replies, oldest first; `ts` may be that of any message of the thread."""
        parent = self.message(self.message(ts).thread_ts or ts)
        return [parent, *(self.messages[reply] for reply in self.replies.get(parent.ts, ()))]


@dataclass(frozen=True)
class Posted:
    message: Message


@dataclass(frozen=True)
class Edited:
    message: Message
    previous: Message
    at: str


@dataclass(frozen=True)
class Deleted:
    previous: Message
    at: str


@dataclass(frozen=True)
class Reacted:
    message: Message
    user: str
    name: str
    added: bool
    at: str


@dataclass(frozen=True)
class Joined:
    channel: str
    user: str
    at: str


@dataclass(frozen=True)
class Whispered:
    """An ephemeral message came, changed or went: seen by one person, told to no app."""

    channel: str
    user: str


Change: TypeAlias = Posted | Edited | Deleted | Reacted | Joined | Whispered


@dataclass
class Workspace:
    """The whole state. `clock` gives unix seconds."""

    team: Team
    bot: BotUser
    users: dict[str, User]
    channels: dict[str, Channel]
    groups: dict[str, UserGroup]
    clock: Callable[[], float] = time.time
    observers: list[Callable[[Change], None]] = field(default_factory=list)
    _last_ts: int = 0

    def channel(self, channel_id: str) -> Channel:
        """Find a channel. Raises Refused("channel_not_found")."""
        if channel_id not in self.channels:
            raise Refused("channel_not_found")
        return self.channels[channel_id]

    def user(self, user_id: str) -> User:
        """Find a person or bot. Raises Refused("user_not_found")."""
        if user_id not in self.users:
            raise Refused("user_not_found")
        return self.users[user_id]

    def next_ts(self) -> str:
        """Give a timestamp later than every one given before, whatever the clock does."""
        self._last_ts = max(int(self.clock() * 1_000_000), self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    def post(
        self,
        channel_id: str,
        user: str,
        content: Content,
        *,
        thread_ts: str | None = None,
        bot_id: str | None = None,
        subtype: str | None = None,
    ) -> Message:
        """Add a message. Raises Refused: channel_not_found, is_archived, no_text, cannot_reply_to_message."""
        channel = self._open_channel(channel_id)
        if content.is_empty():
            raise Refused("no_text")
        parent = _parent_of(channel, thread_ts)
        message = Message(channel_id, self.next_ts(), user, content, parent, bot_id, subtype)
        channel.messages[message.ts] = message
        if parent:
            channel.replies.setdefault(parent, []).append(message.ts)
        self._tell(Posted(message))
        return message

    def whisper(
        self, channel_id: str, user: str, content: Content, visible_to: str, *, thread_ts: str | None = None,
        bot_id: str | None = None,
    ) -> Message:  # fmt: skip
        """Add an ephemeral message, which only `visible_to` sees. Raises Refused like `post`."""
        channel = self._open_channel(channel_id)
        if content.is_empty():
            raise Refused("no_text")
        message = Message(
            channel_id, self.next_ts(), user, content, thread_ts=thread_ts, bot_id=bot_id, visible_to=visible_to
        )
        channel.ephemerals[message.ts] = message
        self._tell(Whispered(channel_id, visible_to))
        return message

    def edit(self, channel_id: str, ts: str, content: Content, by: str) -> Message:
        """Replace what a message says. Raises Refused: channel_not_found, message_not_found, no_text."""
        channel = self.channel(channel_id)
        previous = channel.message(ts)
        if content.is_empty():
            raise Refused("no_text")
        at = self.next_ts()
        return self._put(channel, replace(previous, content=content, edited=Edit(by, at)), previous, at)

    def edit_ephemeral(self, channel_id: str, ts: str, content: Content | None) -> None:
        """Replace what an ephemeral message says, or take it away. Raises Refused("message_not_found")."""
        ephemerals = self.channel(channel_id).ephemerals
        if ts not in ephemerals:
            raise Refused("message_not_found")
        previous = ephemerals.pop(ts)
        if content is not None:
            ephemerals[ts] = replace(previous, content=content)
        self._tell(Whispered(channel_id, previous.visible_to or ""))

    def delete(self, channel_id: str, ts: str) -> None:
        """Take a message away. Raises Refused: channel_not_found, message_not_found.

        A message with replies leaves a tombstone in its place, which goes with the last reply.
        """
        channel = self.channel(channel_id)
        previous = channel.message(ts)
        if channel.replies.get(ts):
            grave = Message(channel_id, ts, SLACKBOT, Content("This message was deleted."), subtype=TOMBSTONE)
            self._put(channel, grave, previous, self.next_ts())
            return
        self._remove(channel, previous)
        parent = channel.messages.get(previous.thread_ts or "")
        if parent and parent.subtype == TOMBSTONE and not channel.replies.get(parent.ts):
            self._remove(channel, parent)

    def react(self, channel_id: str, ts: str, user: str, name: str) -> None:
        """Add a reaction. Raises Refused: channel_not_found, is_archived, message_not_found, already_reacted."""
        channel = self._open_channel(channel_id)
        message = channel.message(ts)
        if user in _users_of(message, name):
            raise Refused("already_reacted")
        self._set_reaction(channel, message, name, (*_users_of(message, name), user))
        self._tell(Reacted(channel.message(ts), user, name, added=True, at=self.next_ts()))

    def unreact(self, channel_id: str, ts: str, user: str, name: str) -> None:
        """Take a reaction away. Raises Refused: channel_not_found, is_archived, message_not_found, no_reaction."""
        channel = self._open_channel(channel_id)
        message = channel.message(ts)
        users = _users_of(message, name)
        if user not in users:
            raise Refused("no_reaction")
        self._set_reaction(channel, message, name, tuple(each for each in users if each != user))
        self._tell(Reacted(channel.message(ts), user, name, added=False, at=self.next_ts()))

    def join(self, channel_id: str, user: str) -> bool:
        """Make a user a member and say so in the channel; False when it was one already."""
        channel = self._open_channel(channel_id)
        if user in channel.members:
            return False
        channel.members.add(user)
        self._tell(Joined(channel_id, user, self.next_ts()))
        self.post(channel_id, user, Content(f"<@{user}> has joined the channel"), subtype="channel_join")
        return True

    def _open_channel(self, channel_id: str) -> Channel:
        channel = self.channel(channel_id)
        if channel.is_archived:
            raise Refused("is_archived")
        return channel

    def _put(self, channel: Channel, message: Message, previous: Message, at: str) -> Message:
        channel.messages[message.ts] = message
        self._tell(Edited(message, previous, at))
        return message

    def _remove(self, channel: Channel, message: Message) -> None:
        del channel.messages[message.ts]
        channel.replies.pop(message.ts, None)
        if message.thread_ts in channel.replies:
            channel.replies[message.thread_ts].remove(message.ts)
        self._tell(Deleted(message, self.next_ts()))

    def _set_reaction(self, channel: Channel, message: Message, name: str, users: tuple[str, ...]) -> None:
        counts = {reaction.name: reaction.users for reaction in message.reactions} | {name: users}
        reactions = tuple(Reaction(each, by) for each, by in counts.items() if by)
        channel.messages[message.ts] = replace(message, reactions=reactions)

    def _tell(self, change: Change) -> None:
        for observer in self.observers:
            observer(change)


def _parent_of(channel: Channel, thread_ts: str | None) -> str | None:
    """Find the thread to post to.

    Slack does not refuse a reply to a message that was deleted meanwhile: it posts it into the channel, for all
    to see. A reply to a reply goes into the same thread.
    """
    if thread_ts is None:
        return None
    if thread_ts in channel.ephemerals:
        raise Refused("cannot_reply_to_message")
    parent = channel.messages.get(thread_ts)
    return (parent.thread_ts or parent.ts) if parent else None


def _users_of(message: Message, name: str) -> tuple[str, ...]:
    return next((reaction.users for reaction in message.reactions if reaction.name == name), ())
