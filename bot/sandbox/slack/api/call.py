"""Read and check the arguments of a Web API call."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.sandbox.slack.api import block_kit
from bot.sandbox.slack.installation import Installation
from bot.sandbox.slack.workspace import Channel, Content, Json, SlackError, Workspace

Item = TypeVar("Item")

_FALSE = frozenset({"", "0", "false"})


@dataclass(frozen=True)
class Call:
    """One call. `origin` is the URL under which the caller reached the server, for links in responses."""

    installation: Installation
    arguments: Mapping[str, Any]
    origin: str

    @property
    def workspace(self) -> Workspace:
        return self.installation.workspace

    @property
    def bot(self) -> str:
        return self.workspace.bot.user_id

    def text(self, name: str) -> str | None:
        """Return an argument as text, or None when it is missing or null."""
        value = self.arguments.get(name)
        return None if value is None else str(value)

    def required(self, name: str) -> str:
        """Return a required argument as text. Raises SlackError("invalid_arguments")."""
        value = self.text(name)
        if not value:
            raise invalid_arguments(f"missing required field: {name}")
        return value

    def flag(self, name: str) -> bool:
        return str(self.arguments.get(name, "")).lower() not in _FALSE

    def number(self, name: str, default: int) -> int:
        value = self.text(name)
        if value is None:
            return default
        if not value.isdecimal():
            raise invalid_arguments(f"must be an integer [json-pointer:/{name}]")
        return int(value)

    def structure(self, name: str, error: str) -> Any:
        """Return a JSON argument, which may be sent as JSON or as a string of JSON. Raises SlackError(error)."""
        value = self.arguments.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise SlackError(error) from None

    def channel(self) -> Channel:
        """Return the channel of the call. Raises SlackError("channel_not_found"), also if the bot must not see it."""
        channel = self.workspace.channel(self.text("channel") or "")
        if channel.is_private and self.bot not in channel.members:
            raise SlackError("channel_not_found")
        return channel

    def joined_channel(self) -> Channel:
        """Return the channel, which the bot must have joined. Raises SlackError: channel_not_found, not_in_channel."""
        channel = self.channel()
        if self.bot not in channel.members:
            raise SlackError("not_in_channel")
        return channel


def invalid_arguments(problem: str) -> SlackError:
    return SlackError("invalid_arguments", response_metadata={"messages": [f"[ERROR] {problem}"]})


def checked_blocks(blocks: Any) -> tuple[Json, ...]:
    """Check blocks and fill in missing ids. Raises SlackError with the problems that Slack would report."""
    if blocks is None:
        return ()
    if not isinstance(blocks, list):
        raise SlackError("invalid_blocks_format")
    refuse_problems("invalid_blocks", block_kit.problems(blocks))
    if block_kit.text_length(blocks) > block_kit.MAX_BLOCK_TEXT:
        raise SlackError("msg_blocks_too_long")
    return block_kit.with_ids(blocks)


def refuse_problems(code: str, problems: Sequence[str]) -> None:
    if problems:
        messages = [f"[ERROR] {problem}" for problem in problems]
        raise SlackError(code, errors=list(problems), response_metadata={"messages": messages})


def content_of(call: Call) -> Content:
    """Read the content of a message. Raises SlackError for blocks or metadata that Slack would refuse."""
    metadata = call.structure("metadata", "invalid_metadata_format")
    if metadata and not _is_metadata(metadata):
        raise SlackError("invalid_metadata_format")
    attachments = call.structure("attachments", "invalid_attachments") or []
    return Content(
        text=call.text("text") or "",
        blocks=checked_blocks(call.structure("blocks", "invalid_blocks_format")),
        attachments=tuple(attachments),
        metadata=metadata or None,
    )


def _is_metadata(metadata: Any) -> bool:
    return (
        isinstance(metadata, dict)
        and isinstance(metadata.get("event_type"), str)
        and isinstance(metadata.get("event_payload"), dict)
    )


def one_page(call: Call, items: Sequence[Item], default_limit: int) -> tuple[Sequence[Item], Json]:
    """Return the page that `cursor` and `limit` ask for, and the field with the next cursor.

    Raises SlackError("invalid_cursor").
    """
    start = _read_cursor(call.text("cursor"))
    end = start + call.number("limit", default_limit)
    cursor = base64.b64encode(f"from:{end}".encode()).decode() if end < len(items) else ""
    return items[start:end], {"response_metadata": {"next_cursor": cursor}}


def _read_cursor(cursor: str | None) -> int:
    if not cursor:
        return 0
    try:
        kind, _, position = base64.b64decode(cursor, validate=True).decode().partition(":")
        start = int(position)
    except ValueError:  # also raised for text that is not ASCII, Base64 or UTF-8
        raise SlackError("invalid_cursor") from None
    if kind != "from" or start < 0:
        raise SlackError("invalid_cursor")
    return start
