"""The dialog of the shortcut "Classify this message": how the bot classifies it, with buttons to correct and post."""

from collections.abc import Iterator
from typing import Any

from slack_sdk.models.blocks import Block, ButtonElement

from bot.queue.messages import MessageKey
from bot.slack.blocks import actions, button, context, literal, section, shorten
from bot.triage.display import LabelView
from bot.ui.classify import Assessment, bars, describe, post_value
from bot.ui.dialog import build_dialog
from bot.ui.home import item_value, review_value
from bot.ui.text import commands as command_text
from bot.ui.text import dialogs as dialog_text

SHORTCUT = "classify_message"
POST_ACTION = "inspect-post"
CORRECT_ACTION = "inspect-correct:"  # the beginning of the ids of all buttons that correct

_MOST_QUOTED = 600
_MOST_BUTTONS = 5


def build_inspection(assessment: Assessment, key: MessageKey, known: bool) -> dict[str, Any]:
    """Build the dialog; only a message that is `known`, because it has been decided about, can be corrected."""
    blocks = [
        literal(shorten(assessment.text, _MOST_QUOTED)),
        bars(assessment.label_views),
        *(context(note) for note in describe(assessment)),
        *(_corrections(assessment.label_views, key) if known else ()),
        *actions(_post_button(assessment)),
    ]
    return build_dialog(dialog_text.INSPECT_TITLE, blocks, item_value(key))


def _corrections(label_views: tuple[LabelView, ...], key: MessageKey) -> Iterator[Block]:
    """Build one row of buttons per facet: the primary one confirms its label, the others correct it."""
    yield section(dialog_text.CORRECT_HINT)
    for row, label_view in enumerate(label_views):
        yield context(label_view.title)
        yield from actions(
            [
                button(
                    choice.display,
                    f"{CORRECT_ACTION}{row}:{number}",
                    review_value(key, label_view.facet, choice.name),
                    "primary" if choice.name == label_view.label else None,
                )
                for number, choice in enumerate(label_view.choices[:_MOST_BUTTONS])
            ]
        )


def _post_button(assessment: Assessment) -> list[ButtonElement]:
    value = post_value(assessment)
    return [button(command_text.post_to(assessment.main.display), POST_ACTION, value)] if value else []
