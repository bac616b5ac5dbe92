"""A dialog that says one sentence."""

from typing import Any

from slack_sdk.models.views import View as SlackView

from bot.blocks.view import section
from bot.words import dialogs as words


def build_notice(sentence: str) -> dict[str, Any]:
    """Build the view: nothing in it can be submitted."""
    view: dict[str, Any] = SlackView(
        type="modal", title=words.TITLE, close=words.CLOSE, blocks=[section(sentence)]
    ).to_dict()
    return view
