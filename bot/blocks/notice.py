"""A dialog that says one sentence."""

from typing import Any

from bot.blocks.dialog import build_dialog
from bot.blocks.view import section
from bot.words import dialogs as words


def build_notice(sentence: str) -> dict[str, Any]:
    """Build the view: nothing in it can be submitted."""
    return build_dialog(words.TITLE, [section(sentence)])
