"""Slack's mark-up (mrkdwn): escape text, write mentions and dates, and convert blocks to mark-up."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

# Block, list, section, text: Slack nests no deeper (an indented list is a list of its own).
_DEPTH = 4


def escape(text: str) -> str:
    """Escape the three characters that Slack reads as mark-up, so that a quoted `<!channel>` does not notify anyone."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def mention(target: str) -> str:
    """Mention `here`, a user group (`S…`) or a user (`U…`, `W…`)."""
    if target == "here":
        return "<!here>"
    return f"<!subteam^{target}>" if target.startswith("S") else f"<@{target}>"


def date(at: float) -> str:
    """Write a time (seconds since the epoch) that Slack shows in the reader's time zone."""
    fallback = datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f"<!date^{int(at)}^{{date_short_pretty}} at {{time}}|{fallback}>"


def from_blocks(blocks: Any) -> str:
    """Return the text of rich_text and section blocks as mark-up; other blocks have none.

    It is needed for messages whose `text` is empty.
    """
    return "".join(_walk(blocks, _DEPTH)).strip()


def _walk(nodes: Any, depth: int) -> Iterator[str]:
    if depth == 0 or not isinstance(nodes, Sequence) or isinstance(nodes, str):
        return
    for node in nodes:
        if isinstance(node, Mapping):
            yield from _read(node, depth - 1)


def _read(node: Mapping[str, Any], depth: int) -> Iterator[str]:
    kind = str(node.get("type"))
    if kind in _LEAVES:
        yield _LEAVES[kind](node)
    elif kind == "section":
        yield _read_text_object(node.get("text")) + "\n"
    elif kind in ("rich_text", "rich_text_list"):
        yield from _walk(node.get("elements"), depth)
    elif kind in ("rich_text_section", "rich_text_quote", "rich_text_preformatted"):
        yield from _walk(node.get("elements"), depth)
        yield "\n"


def _read_text_object(text: Any) -> str:
    if not isinstance(text, Mapping):
        return ""
    words = str(text.get("text", ""))
    return words if text.get("type") == "mrkdwn" else escape(words)


_LEAVES = {
    "text": lambda node: escape(str(node.get("text", ""))),
    "link": lambda node: f"<{node.get('url', '')}|{escape(str(node.get('text') or node.get('url', '')))}>",
    "emoji": lambda node: f":{node.get('name', '')}:",
    "user": lambda node: f"<@{node.get('user_id', '')}>",
    "channel": lambda node: f"<#{node.get('channel_id', '')}>",
    "usergroup": lambda node: f"<!subteam^{node.get('usergroup_id', '')}>",
    "broadcast": lambda node: f"<!{node.get('range', '')}>",
}
