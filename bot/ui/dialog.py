"""Dialogs: what Slack calls modals. One is only looked at, the other is submitted.

Both raise SlackObjectFormationError where a limit of Block Kit is overstepped.
"""

from collections.abc import Sequence
from typing import Any

from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View as SlackView

from bot.slack.blocks import section
from bot.ui.text import dialogs as dialog_text


def build_dialog(title: str, blocks: Sequence[Block], metadata: str | None = None) -> dict[str, Any]:
    """Build what can only be closed; `metadata` comes back with whatever is pressed in it."""
    return _build(title=title, close=dialog_text.CLOSE, private_metadata=metadata, blocks=blocks)


def build_form(
    title: str, callback_id: str, blocks: Sequence[Block], metadata: str, submit: str = dialog_text.SAVE
) -> dict[str, Any]:
    """Build what can be submitted; `metadata` comes back with it."""
    return _build(
        title=title,
        submit=submit,
        close=dialog_text.CANCEL,
        callback_id=callback_id,
        private_metadata=metadata,
        blocks=blocks,
    )


def _build(**parts: Any) -> dict[str, Any]:
    view: dict[str, Any] = SlackView(type="modal", **parts).to_dict()
    return view


def build_notice(sentence: str) -> dict[str, Any]:
    """Build the view: nothing in it can be submitted."""
    return build_dialog(dialog_text.TITLE, [section(sentence)])
