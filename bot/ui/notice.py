"""A dialog that says one sentence."""

from typing import Any

from bot.slack.blocks import section
from bot.ui.dialog import build_dialog
from bot.ui.text import dialogs as words


def build_notice(sentence: str) -> dict[str, Any]:
    """Build the view: nothing in it can be submitted."""
    return build_dialog(words.TITLE, [section(sentence)])
