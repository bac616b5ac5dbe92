"""What is said where nobody has answered a message."""

from collections.abc import Sequence

from bot import words
from bot.blocks.view import View, build_view, section


def build_escalation(minutes: int, mentioned: Sequence[str], permalink: str) -> View:
    """Build the post; `mentioned` is who must know."""
    sentence = f"{words.unanswered(minutes, mentioned)} {words.thread_link(permalink)}"
    return build_view(sentence, [section(sentence)])
