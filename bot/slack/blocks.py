"""Block Kit: the view that builders return, and its common blocks. slack_sdk's models check Slack's limits."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from slack_sdk.models.blocks import (
    ActionsBlock,
    Block,
    BlockElement,
    ButtonElement,
    ConfirmObject,
    ContextBlock,
    InteractiveElement,
    MarkdownTextObject,
    Option,
    PlainTextObject,
    SectionBlock,
)

# Limits of Slack's, in characters unless they count things.
MOST_BLOCKS = 50  # of a message; a view takes 100
MOST_OPTIONS = 100
OPTION_VALUE = 150
LABEL_TEXT = 75  # of buttons, options and groups of options
_TEXT = 3_000
_FIELD = 2_000
_MOST_FIELDS = 10


@dataclass(frozen=True, slots=True)
class View:
    """A message. Notifications and screen readers use `text`, which says the same as the blocks."""

    text: str
    blocks: tuple[dict[str, Any], ...]


def build_view(text: str, blocks: Sequence[Block]) -> View:
    """Raises SlackObjectFormationError if a limit of Block Kit is exceeded."""
    return View(text, tuple(block.to_dict() for block in blocks))


# --- Blocks -------------------------------------------------------------------------------------------------


def section(text: str, accessory: BlockElement | None = None, block_id: str | None = None) -> SectionBlock:
    return SectionBlock(text=_mrkdwn(text), accessory=accessory, block_id=block_id)


def literal(text: str) -> SectionBlock:
    """Show a person's text as it is, with nothing in it read as mark-up, a mention or an emoji."""
    return SectionBlock(text=PlainTextObject(text=shorten(text, _TEXT), emoji=False))


def columns(texts: Sequence[str]) -> SectionBlock:
    return SectionBlock(fields=[_mrkdwn(shorten(text, _FIELD)) for text in texts[:_MOST_FIELDS]])


def context(text: str) -> ContextBlock:
    return ContextBlock(elements=[_mrkdwn(text)])


def actions(elements: Sequence[InteractiveElement], block_id: str | None = None) -> list[ActionsBlock]:
    """Return the block of the elements, or an empty list for none: Slack refuses an empty block."""
    return [ActionsBlock(elements=list(elements), block_id=block_id)] if elements else []


def _mrkdwn(text: str) -> MarkdownTextObject:
    # Without `verbatim`, Slack would turn a bare `@channel` into a mention.
    return MarkdownTextObject(text=shorten(text, _TEXT), verbatim=True)


# --- Elements -----------------------------------------------------------------------------------------------


def button(
    text: str, action_id: str, value: str | None = None, style: str | None = None, confirm: ConfirmObject | None = None
) -> ButtonElement:
    return ButtonElement(text=shorten(text, LABEL_TEXT), action_id=action_id, value=value, style=style, confirm=confirm)


def option(text: str, value: str) -> Option:
    return Option(text=shorten(text, LABEL_TEXT), value=value)


# --- Texts --------------------------------------------------------------------------------------------------


def pack(lines: Iterable[str], most: int) -> list[str]:
    """Join lines into texts of at most `most` characters; a line that is longer has a text of its own."""
    texts: list[str] = []
    for line in lines:
        if texts and len(texts[-1]) + 1 + len(line) <= most:
            texts[-1] += f"\n{line}"
        else:
            texts.append(line)
    return texts


def shorten(text: str, most: int, end: str = "…") -> str:
    return text if len(text) <= most else text[: most - len(end)] + end
