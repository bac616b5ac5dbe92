"""The dialog of the shortcut "Classify this message": what the bot makes of it, and what can be done about it."""

from collections.abc import Iterator
from typing import Any

from slack_sdk.models.blocks import Block, ButtonElement

from bot.queue.messages import MessageKey
from bot.slack.blocks import actions, context, literal, section, shorten
from bot.triage.display import LabelView
from bot.ui.classify import Assessment, bars, describe, post_value
from bot.ui.dialog import build_dialog
from bot.ui.home import item_value
from bot.ui.text import commands as command_text
from bot.ui.text import dialogs as dialog_text

# Listeners know the dialog's controls by the beginning of their ids.
CORRECT_ACTION = "inspect-correct:"
POST_ACTION = "inspect-post"
SHORTCUT = "classify_message"

_MOST_QUOTED = 600
_MOST_BUTTONS = 5
_BUTTON_TEXT = 75


def build_inspection(assessment: Assessment, key: MessageKey, known: bool) -> dict[str, Any]:
    """Build the view. `known`: the bot has decided about the message, so that it can be corrected."""
    blocks = [
        literal(shorten(assessment.text, _MOST_QUOTED)),
        bars(assessment.label_views),
        *(context(note) for note in describe(assessment)),
        *(_corrections(assessment.label_views, key) if known else ()),
        *actions(_post_button(assessment)),
    ]
    return build_dialog(dialog_text.INSPECT_TITLE, blocks, item_value(key))


def _corrections(label_views: tuple[LabelView, ...], key: MessageKey) -> Iterator[Block]:
    """Give a row of buttons a facet: the one that stands confirms, the others correct."""
    yield section(dialog_text.CORRECT_HINT)
    for row, label_view in enumerate(label_views):
        yield context(label_view.title)
        yield from actions(
            [
                ButtonElement(
                    text=shorten(choice.display, _BUTTON_TEXT),
                    action_id=f"{CORRECT_ACTION}{row}:{number}",
                    value=f"{item_value(key)}#{label_view.facet}={choice.name}",
                    style="primary" if choice.name == label_view.label else None,
                )
                for number, choice in enumerate(label_view.choices[:_MOST_BUTTONS])
            ]
        )


def _post_button(assessment: Assessment) -> list[ButtonElement]:
    value = post_value(assessment)
    if value is None:
        return []
    text = shorten(command_text.post_to(assessment.main.display), _BUTTON_TEXT)
    return [ButtonElement(text=text, action_id=POST_ACTION, value=value)]
