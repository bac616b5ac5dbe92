"""What the builders give, and the few blocks they are made of. slack_sdk's models refuse what Slack would refuse."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    ContextBlock,
    InteractiveElement,
    MarkdownTextObject,
    PlainTextObject,
    SectionBlock,
)

_MOST_TEXT = 3_000
_MOST_FIELDS = 10
_MOST_FIELD = 2_000


@dataclass(frozen=True, slots=True)
class View:
    """A message. `text` is what notifications and screen readers give; it says the same as the blocks."""

    text: str
    blocks: tuple[dict[str, Any], ...]


def build_view(text: str, blocks: Sequence[Block]) -> View:
    """Raises SlackObjectFormationError where a limit of Block Kit is overstepped."""
    return View(text, tuple(block.to_dict() for block in blocks))


def section(text: str) -> SectionBlock:
    return SectionBlock(text=_mrkdwn(text))


def literal(text: str) -> SectionBlock:
    """Show a text that somebody else wrote: as it is, with nothing in it read as mark-up, a mention or an emoji."""
    return SectionBlock(text=PlainTextObject(text=shorten(text, _MOST_TEXT), emoji=False))


def columns(texts: Sequence[str]) -> SectionBlock:
    return SectionBlock(fields=[_mrkdwn(shorten(text, _MOST_FIELD)) for text in texts[:_MOST_FIELDS]])


def context(text: str) -> ContextBlock:
    return ContextBlock(elements=[_mrkdwn(text)])


def actions(elements: Sequence[InteractiveElement], block_id: str | None = None) -> list[ActionsBlock]:
    """Give the block of the elements, or none where there are none: Slack refuses an empty one."""
    return [ActionsBlock(elements=list(elements), block_id=block_id)] if elements else []


def _mrkdwn(text: str) -> MarkdownTextObject:
    # Not verbatim, Slack would make a mention of a bare `@channel` in it.
    return MarkdownTextObject(text=shorten(text, _MOST_TEXT), verbatim=True)


def pack(lines: Iterable[str], most: int) -> list[str]:
    """Spread lines over texts of at most so many characters; a line that is longer by itself has one of its own."""
    texts: list[str] = []
    for line in lines:
        if texts and len(texts[-1]) + 1 + len(line) <= most:
            texts[-1] += f"\n{line}"
        else:
            texts.append(line)
    return texts


def shorten(text: str, most: int, end: str = "…") -> str:
    return text if len(text) <= most else text[: most - len(end)] + end
