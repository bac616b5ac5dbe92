"""One call of the Web API as a method sees it: who is asked, with which arguments."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.sandbox.slack.api import block_kit
from bot.sandbox.slack.installation import Installation
from bot.sandbox.slack.workspace import Channel, Content, Json, Refused, Workspace

Item = TypeVar("Item")

_FALSE = frozenset({"", "0", "false"})


@dataclass(frozen=True)
class Call:
    """`origin` is the address under which the caller reached the server, for the links it is given."""

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
        """Give an argument as text; None when it is missing or null."""
        value = self.arguments.get(name)
        return None if value is None else str(value)

    def required(self, name: str) -> str:
        """Give an argument that must be there. Raises Refused("invalid_arguments")."""
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
        """Give an argument that is JSON, be it sent as JSON or as a string. Raises Refused(error)."""
        value = self.arguments.get(name)
        if not isinstance(value, str):
            return value
        try:
            return json.loads(value) if value else None
        except ValueError:
            raise Refused(error) from None

    def channel(self) -> Channel:
        """Find the channel that the bot may know of: a private one it is not in does not exist for it."""
        channel = self.workspace.channel(self.text("channel") or "")
        if channel.is_private and self.bot not in channel.members:
            raise Refused("channel_not_found")
        return channel

    def joined_channel(self) -> Channel:
        """Find a channel that the bot is a member of. Raises Refused: channel_not_found, not_in_channel."""
        channel = self.channel()
        if self.bot not in channel.members:
            raise Refused("not_in_channel")
        return channel


def invalid_arguments(problem: str) -> Refused:
    return Refused("invalid_arguments", response_metadata={"messages": [f"[ERROR] {problem}"]})


def checked_blocks(blocks: Any) -> tuple[Json, ...]:
    """Give blocks that Slack would take, or raise Refused with its code and its reasons."""
    if blocks is None:
        return ()
    if not isinstance(blocks, list):
        raise Refused("invalid_blocks_format")
    refuse_problems("invalid_blocks", block_kit.problems(blocks))
    if block_kit.text_length(blocks) > block_kit.MAX_BLOCK_TEXT:
        raise Refused("msg_blocks_too_long")
    return block_kit.with_ids(blocks)


def refuse_problems(code: str, problems: Sequence[str]) -> None:
    if problems:
        messages = [f"[ERROR] {problem}" for problem in problems]
        raise Refused(code, errors=list(problems), response_metadata={"messages": messages})


def content_of(call: Call) -> Content:
    """Read what a message is to say. Raises Refused for blocks or metadata that Slack would not take."""
    metadata = call.structure("metadata", "invalid_metadata_format")
    if metadata and not _is_metadata(metadata):
        raise Refused("invalid_metadata_format")
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
    """Cut out the page that `cursor` and `limit` ask for. Raises Refused("invalid_cursor")."""
    start = _position(call.text("cursor"))
    end = start + call.number("limit", default_limit)
    cursor = base64.b64encode(f"from:{end}".encode()).decode() if end < len(items) else ""
    return items[start:end], {"response_metadata": {"next_cursor": cursor}}


def _position(cursor: str | None) -> int:
    if not cursor:
        return 0
    try:
        kind, _, position = base64.b64decode(cursor, validate=True).decode().partition(":")
        start = int(position)
    except ValueError:  # also of what is neither ASCII, base64 nor UTF-8
        raise Refused("invalid_cursor") from None
    if kind != "from" or start < 0:
        raise Refused("invalid_cursor")
    return start
