"""Dialogs (Slack's modals): a form can be submitted, a dialog only closed.

The builders raise SlackObjectFormationError if a limit of Block Kit is exceeded.
"""

from collections.abc import Sequence
from typing import Any

from slack_sdk.models.blocks import Block
from slack_sdk.models.views import View as SlackView

from bot.slack.blocks import section
from bot.ui.text import dialogs as dialog_text


def build_form(
    title: str, callback_id: str, blocks: Sequence[Block], metadata: str, submit: str = dialog_text.SAVE
) -> dict[str, Any]:
    """Build a dialog with a submit button; Slack returns `metadata` with the submission."""
    cancel = dialog_text.CANCEL
    return _build(
        title=title, submit=submit, close=cancel, callback_id=callback_id, private_metadata=metadata, blocks=blocks
    )


def build_dialog(title: str, blocks: Sequence[Block], metadata: str | None = None) -> dict[str, Any]:
    """Build a dialog without a submit button; Slack returns `metadata` with every press in it."""
    return _build(title=title, close=dialog_text.CLOSE, private_metadata=metadata, blocks=blocks)


def build_notice(sentence: str) -> dict[str, Any]:
    """Build a dialog that only says a sentence (mrkdwn)."""
    return build_dialog(dialog_text.TITLE, [section(sentence)])


def _build(**parts: Any) -> dict[str, Any]:
    view: dict[str, Any] = SlackView(type="modal", **parts).to_dict()
    return view
