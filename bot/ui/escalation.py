"""What is said later of a message that nobody has answered, or that nobody was there for."""

from collections.abc import Sequence

from bot.slack.blocks import View, build_view, section
from bot.ui.text import thread as words


def build_escalation(minutes: int, mentioned: Sequence[str], permalink: str) -> View:
    """Build the post; `mentioned` is who must know."""
    sentence = f"{words.unanswered(minutes, mentioned)} {words.thread_link(permalink)}"
    return build_view(sentence, [section(sentence)])


def build_given_out(person: str, permalink: str) -> View:
    """Build the post that tells whoever gets the message when somebody is there again."""
    sentence = f"{words.given_out(person)} {words.thread_link(permalink)}"
    return build_view(sentence, [section(sentence)])
