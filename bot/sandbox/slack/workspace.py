"""Model a Slack workspace in memory: users, channels, messages, threads and reactions.

Observers are called with every change, in order. Nothing here is thread-safe: change a served workspace only from its
event loop, that is over HTTP.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

Json: TypeAlias = dict[str, Any]

SLACKBOT = "USLACKBOT"
TOMBSTONE = "tombstone"


class SlackError(Exception):
    """An error response of Slack: one of its error codes, and the fields that come with it."""

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
    """The app's bot: its user, bot and app ids, and the name it posts under."""

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
    """The content of a message: `text` in mrkdwn, Block Kit blocks, legacy attachments, an app's metadata."""

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
    """One message. `visible_to` is set on ephemeral messages, `bot_id` on those of the app."""

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
        """Return a message that all members see. Raises SlackError("message_not_found")."""
        if ts not in self.messages:
            raise SlackError("message_not_found")
        return self.messages[ts]

    def thread(self, ts: str) -> list[Message]:
        """Return a thread's parent and replies, oldest first; `ts` may be that of any of its messages."""
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
    user: str
    at: str


@dataclass(frozen=True)
class EphemeralChanged:
    """An ephemeral message was posted, edited or deleted. One user sees it; apps get no event."""


Change: TypeAlias = Posted | Edited | Deleted | Reacted | Joined | EphemeralChanged


@dataclass
class Workspace:
    """The state of a workspace. `clock` returns Unix seconds."""

    team: Team
    bot: BotUser
    users: dict[str, User]
    channels: dict[str, Channel]
    groups: dict[str, UserGroup]
    clock: Callable[[], float] = time.time
    observers: list[Callable[[Channel, Change], None]] = field(default_factory=list)
    _last_ts: int = 0

    def channel(self, channel_id: str) -> Channel:
        """Return a channel. Raises SlackError("channel_not_found")."""
        if channel_id not in self.channels:
            raise SlackError("channel_not_found")
        return self.channels[channel_id]

    def user(self, user_id: str) -> User:
        """Return a person or bot. Raises SlackError("user_not_found")."""
        if user_id not in self.users:
            raise SlackError("user_not_found")
        return self.users[user_id]

    def next_ts(self) -> str:
        """Return a timestamp later than all before it, even when the clock goes back."""
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
        """Add a message. Raises SlackError: channel_not_found, is_archived, no_text, cannot_reply_to_message."""
        channel = self._open_channel(channel_id)
        if content.is_empty():
            raise SlackError("no_text")
        parent = _parent_of(channel, thread_ts)
        message = Message(channel_id, self.next_ts(), user, content, parent, bot_id, subtype)
        channel.messages[message.ts] = message
        if parent:
            channel.replies.setdefault(parent, []).append(message.ts)
        self._notify(channel, Posted(message))
        return message

    def post_ephemeral(
        self, channel_id: str, user: str, content: Content, visible_to: str, *, thread_ts: str | None = None,
        bot_id: str | None = None,
    ) -> Message:  # fmt: skip
        """Add an ephemeral message, which only the user `visible_to` sees. Raises SlackError like `post`."""
        channel = self._open_channel(channel_id)
        if content.is_empty():
            raise SlackError("no_text")
        message = Message(
            channel_id, self.next_ts(), user, content, thread_ts=thread_ts, bot_id=bot_id, visible_to=visible_to
        )
        channel.ephemerals[message.ts] = message
        self._notify(channel, EphemeralChanged())
        return message

    def edit(self, channel_id: str, ts: str, content: Content, by: str) -> Message:
        """Replace the content of a message. Raises SlackError: channel_not_found, message_not_found, no_text."""
        channel = self.channel(channel_id)
        previous = channel.message(ts)
        if content.is_empty():
            raise SlackError("no_text")
        at = self.next_ts()
        return self._replace(channel, replace(previous, content=content, edited=Edit(by, at)), previous, at)

    def edit_ephemeral(self, channel_id: str, ts: str, content: Content | None) -> None:
        """Replace an ephemeral message, or delete it if `content` is None. Raises SlackError("message_not_found")."""
        channel = self.channel(channel_id)
        if ts not in channel.ephemerals:
            raise SlackError("message_not_found")
        previous = channel.ephemerals.pop(ts)
        if content is not None:
            channel.ephemerals[ts] = replace(previous, content=content)
        self._notify(channel, EphemeralChanged())

    def delete(self, channel_id: str, ts: str) -> None:
        """Delete a message. Raises SlackError: channel_not_found, message_not_found.

        A message with replies is replaced by a tombstone, which is deleted with the last reply.
        """
        channel = self.channel(channel_id)
        previous = channel.message(ts)
        if channel.replies.get(ts):
            tombstone = Message(channel_id, ts, SLACKBOT, Content("This message was deleted."), subtype=TOMBSTONE)
            self._replace(channel, tombstone, previous, self.next_ts())
            return
        self._remove(channel, previous)
        parent = channel.messages.get(previous.thread_ts or "")
        if parent and parent.subtype == TOMBSTONE and not channel.replies.get(parent.ts):
            self._remove(channel, parent)

    def react(self, channel_id: str, ts: str, user: str, name: str) -> None:
        """Add a reaction. Raises SlackError: channel_not_found, is_archived, message_not_found, already_reacted."""
        channel = self._open_channel(channel_id)
        message = channel.message(ts)
        if user in _users_of(message, name):
            raise SlackError("already_reacted")
        self._set_reaction(channel, message, name, (*_users_of(message, name), user))
        self._notify(channel, Reacted(channel.message(ts), user, name, added=True, at=self.next_ts()))

    def unreact(self, channel_id: str, ts: str, user: str, name: str) -> None:
        """Remove a reaction. Raises SlackError: channel_not_found, is_archived, message_not_found, no_reaction."""
        channel = self._open_channel(channel_id)
        message = channel.message(ts)
        users = _users_of(message, name)
        if user not in users:
            raise SlackError("no_reaction")
        self._set_reaction(channel, message, name, tuple(each for each in users if each != user))
        self._notify(channel, Reacted(channel.message(ts), user, name, added=False, at=self.next_ts()))

    def join(self, channel_id: str, user: str) -> bool:
        """Add a member and post Slack's message about it; return False if the user is a member already."""
        channel = self._open_channel(channel_id)
        if user in channel.members:
            return False
        channel.members.add(user)
        self._notify(channel, Joined(user, self.next_ts()))
        self.post(channel_id, user, Content(f"<@{user}> has joined the channel"), subtype="channel_join")
        return True

    def _open_channel(self, channel_id: str) -> Channel:
        channel = self.channel(channel_id)
        if channel.is_archived:
            raise SlackError("is_archived")
        return channel

    def _replace(self, channel: Channel, message: Message, previous: Message, at: str) -> Message:
        channel.messages[message.ts] = message
        self._notify(channel, Edited(message, previous, at))
        return message

    def _remove(self, channel: Channel, message: Message) -> None:
        del channel.messages[message.ts]
        channel.replies.pop(message.ts, None)
        if message.thread_ts in channel.replies:
            channel.replies[message.thread_ts].remove(message.ts)
        self._notify(channel, Deleted(message, self.next_ts()))

    def _set_reaction(self, channel: Channel, message: Message, name: str, users: tuple[str, ...]) -> None:
        counts = {reaction.name: reaction.users for reaction in message.reactions} | {name: users}
        reactions = tuple(Reaction(each, by) for each, by in counts.items() if by)
        channel.messages[message.ts] = replace(message, reactions=reactions)

    def _notify(self, channel: Channel, change: Change) -> None:
        for observer in self.observers:
            observer(channel, change)


def _parent_of(channel: Channel, thread_ts: str | None) -> str | None:
    """Return the ts of the thread to post to, or None to post to the channel.

    As in Slack, a reply to a deleted message is posted to the channel, and a reply to a reply to the same thread.
    """
    if thread_ts is None:
        return None
    if thread_ts in channel.ephemerals:
        raise SlackError("cannot_reply_to_message")
    parent = channel.messages.get(thread_ts)
    return (parent.thread_ts or parent.ts) if parent else None


def _users_of(message: Message, name: str) -> tuple[str, ...]:
    return next((reaction.users for reaction in message.reactions if reaction.name == name), ())
