"""The bot's actions in Slack, one per method; callers ensure that each is done once."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, TypeVar

from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

from bot.queue.messages import MessageKey, MessageRecord, OriginalMessage
from bot.slack.api import PermanentError, call
from bot.slack.blocks import View
from bot.slack.events import read_foreign_team, read_standing, read_text
from classifier_infra.model.text import MAX_CHARACTERS

T = TypeVar("T")

METADATA_TYPE = "triage_post"

# A post is searched for minutes after it was made, so that it is among the newest messages.
PAGES = 2
_PAGE_SIZE = 999
_CHANNELS: dict[str, Any] = {"types": "public_channel,private_channel", "exclude_archived": True, "limit": _PAGE_SIZE}

# Calls of one step at most: the pages of the search, then message, permalink, post, join, and post again.
CALLS_OF_A_STEP = PAGES + 5


@dataclass(frozen=True, slots=True)
class Identity:
    """The IDs of the bot: its team, its user and its bot ID."""

    team: str
    user: str
    bot: str


@dataclass(frozen=True, slots=True)
class ChannelInfo:
    id: str
    name: str
    is_private: bool


@dataclass(frozen=True, slots=True)
class SlackActions:
    """Every method raises the errors of `bot.slack.api`: RetryableError, PermanentError and WorkspaceUninstalled."""

    client: WebClient

    def react(self, key: MessageKey, name: str) -> None:
        call(self.client.reactions_add, channel=key.channel, timestamp=key.ts, name=name)

    def unreact(self, key: MessageKey, name: str) -> None:
        call(self.client.reactions_remove, channel=key.channel, timestamp=key.ts, name=name)

    def reply(self, key: MessageKey, step: str, view: View) -> str:
        """Post in the message's thread; return the post's ts. Raises PermanentError("message_not_found").

        Slack does not refuse a reply to a deleted message, but posts it in the channel. So the message is read before,
        and a reply that is in the channel nevertheless is removed.
        """
        if self.read_original(key).is_gone:
            raise PermanentError("message_not_found")
        posted = self._post(key, step, view, channel=key.channel, thread_ts=key.ts)
        if "thread_ts" not in posted["message"]:
            self.remove(key.channel, posted["ts"])
            raise PermanentError("message_not_found")
        return str(posted["ts"])

    def send_on(self, key: MessageKey, step: str, view: View, channel: str) -> str:
        """Post in a team's channel, joining it if necessary; return the post's ts."""
        return str(self._as_member(channel, lambda: self._post(key, step, view, channel=channel))["ts"])

    def edit(self, channel: str, ts: str, view: View) -> None:
        call(self.client.chat_update, channel=channel, ts=ts, text=view.text, blocks=list(view.blocks))

    def permalink(self, key: MessageKey) -> str:
        answer = call(self.client.chat_getPermalink, channel=key.channel, message_ts=key.ts)
        return str(answer["permalink"])

    def read_original(self, key: MessageKey, parts: Sequence[str] = ()) -> OriginalMessage:
        """Read the message and the later ones that are parts of it from Slack; their texts are not stored."""
        message = self._read(key)
        if message is None:
            return OriginalMessage(None, "")
        text = self._join(message, key, parts)
        return OriginalMessage(message.get("user"), text, read_foreign_team(message, key.team))

    def read_request(self, key: MessageKey, received_at: int, parts: Sequence[str] = ()) -> MessageRecord | None:
        """Read the message and its parts as they are now, as a record to triage; None if it was deleted."""
        message = self._read(key)
        record = read_standing(message, key.channel, key.team, received_at) if message else None
        if message is None or not isinstance(record, MessageRecord):
            return None
        return replace(record, text=self._join(message, key, parts))

    def _join(self, message: Mapping[str, Any], key: MessageKey, parts: Sequence[str]) -> str:
        """Join the texts of a message and those of its parts that still exist."""
        others = (self._read(replace(key, ts=ts)) for ts in parts)
        return "\n".join(read_text(each).text for each in (message, *others) if each)[:MAX_CHARACTERS]

    def _read(self, key: MessageKey) -> Mapping[str, Any] | None:
        try:
            answer = call(self.client.conversations_replies, channel=key.channel, ts=key.ts, limit=1)
        except PermanentError as failure:
            if failure.error in ("thread_not_found", "message_not_found"):
                return None
            raise
        message: Mapping[str, Any] = answer["messages"][0]
        return None if message.get("subtype") == "tombstone" else message

    def identify(self) -> Identity:
        """Return the bot's IDs."""
        answer = call(self.client.auth_test)
        return Identity(str(answer["team_id"]), str(answer["user_id"]), str(answer["bot_id"]))

    def list_channels(self) -> list[str]:
        """Return the IDs of the channels that the bot is in."""
        pages = self._all_pages(self.client.conversations_list, **_CHANNELS)
        return [str(each["id"]) for page in pages for each in page["channels"] if each.get("is_member")]

    def list_memberships(self) -> list[ChannelInfo]:
        """Return the first 999 channels that the bot is in, with one call however large the workspace is."""
        answer = call(self.client.users_conversations, **_CHANNELS)
        return [
            ChannelInfo(str(each["id"]), str(each["name"]), bool(each.get("is_private"))) for each in answer["channels"]
        ]

    def list_groups(self) -> dict[str, str]:
        """Map the user groups' IDs to handles; empty if the plan has no groups or the bot may not see them."""
        try:
            answer = call(self.client.usergroups_list)
        except PermanentError:
            return {}
        return {str(each["id"]): str(each["handle"]) for each in answer["usergroups"]}

    def update_dialog(self, view_id: str, view: Mapping[str, Any]) -> None:
        """Replace the view of an open dialog; do nothing if it was closed."""
        try:
            call(self.client.views_update, view_id=view_id, view=dict(view))
        except PermanentError as failure:
            if failure.error != "not_found":
                raise

    def publish_home(self, user: str, view: Mapping[str, Any]) -> None:
        call(self.client.views_publish, user_id=user, view=dict(view))

    def read_history(self, channel: str, oldest: float, latest: float) -> list[Mapping[str, Any]]:
        """Return a channel's messages (not those in threads) between two times, newest first."""
        wish = {"channel": channel, "oldest": f"{oldest:.6f}", "latest": f"{latest:.6f}", "limit": _PAGE_SIZE}
        pages = self._all_pages(self.client.conversations_history, include_all_metadata=True, **wish)
        return [message for page in pages for message in page["messages"]]

    def find_reply(self, key: MessageKey, step: str) -> str | None:
        """Return the ts of a step's post in the message's thread, or None."""
        return _first(self._replies(key), key, step)

    def find_sent_on(self, key: MessageKey, step: str, channel: str) -> str | None:
        """Return the ts of a step's post in a team's channel, or None."""
        return self._as_member(channel, lambda: _first(self._history(key, channel), key, step))

    def find_copies(self, key: MessageKey, step: str, channel: str) -> list[str]:
        """Return the ts of all posts of a step, oldest first: those in the message's thread, or else in the channel.

        A summary, and a message that is sent on to its own channel, are beside the message and not in its thread.
        """
        in_thread = self._find_in_thread(key, step) if channel == key.channel else []
        return sorted(in_thread or _all_matching(self._history(key, channel), key, step))

    def _find_in_thread(self, key: MessageKey, step: str) -> list[str]:
        try:
            return _all_matching(self._replies(key), key, step)
        except PermanentError as failure:
            if failure.error != "thread_not_found":
                raise
            return []  # a summary is not about one message, so that it has no thread

    def remove(self, channel: str, ts: str) -> None:
        """Remove one of the bot's own posts; do nothing if it is gone."""
        try:
            call(self.client.chat_delete, channel=channel, ts=ts)
        except PermanentError as failure:
            if failure.error != "message_not_found":
                raise

    def _replies(self, key: MessageKey) -> Iterator[list[Mapping[str, Any]]]:
        return self._pages(self.client.conversations_replies, channel=key.channel, ts=key.ts)

    def _history(self, key: MessageKey, channel: str) -> Iterator[list[Mapping[str, Any]]]:
        return self._pages(self.client.conversations_history, channel=channel, oldest=key.ts)

    def _post(self, key: MessageKey, step: str, view: View, **place: str) -> SlackResponse:
        return call(
            self.client.chat_postMessage,
            text=view.text,
            blocks=list(view.blocks),
            metadata=_metadata(key, step),
            unfurl_links=False,
            unfurl_media=False,
            **place,
        )

    def _as_member(self, channel: str, act: Callable[[], T]) -> T:
        """Act in a channel; if only members may, join it and act again. Private channels cannot be joined."""
        try:
            return act()
        except PermanentError as failure:
            if failure.error != "not_in_channel":
                raise
            self._enter(channel, failure)
        return act()

    def _enter(self, channel: str, failure: PermanentError) -> None:
        try:
            call(self.client.conversations_join, channel=channel)
        except PermanentError:
            raise failure from None  # a person can act on "not in channel", but not on why joining failed

    def _pages(self, method: Callable[..., SlackResponse], **place: str) -> Iterator[list[Mapping[str, Any]]]:
        pages = self._all_pages(method, include_all_metadata=True, limit=_PAGE_SIZE, **place)
        return (answer["messages"] for answer in islice(pages, PAGES))

    def _all_pages(self, method: Callable[..., SlackResponse], **wish: Any) -> Iterator[SlackResponse]:
        cursor: str | None = None
        while True:
            answer = call(method, cursor=cursor, **wish)
            yield answer
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return


def _metadata(key: MessageKey, step: str) -> dict[str, Any]:
    return {"event_type": METADATA_TYPE, "event_payload": {"key": str(key), "step": step}}


def _first(pages: Iterator[list[Mapping[str, Any]]], key: MessageKey, step: str) -> str | None:
    for page in pages:
        found = _matching(page, key, step)
        if found:
            return min(found)
    return None


def _all_matching(pages: Iterator[list[Mapping[str, Any]]], key: MessageKey, step: str) -> list[str]:
    return [ts for page in pages for ts in _matching(page, key, step)]


def _matching(page: list[Mapping[str, Any]], key: MessageKey, step: str) -> list[str]:
    return [str(message["ts"]) for message in page if message.get("metadata") == _metadata(key, step)]
