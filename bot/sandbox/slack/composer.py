"""Convert typed text as Slack does: mrkdwn with references, and emoji by name, as apps receive it."""

import json
import re
from functools import cache
from pathlib import Path

from bot.sandbox.slack.workspace import Workspace

# The common part of Slack's emoji, name → character: one table for the server and the page.
_EMOJI = Path(__file__).parent / "page" / "static" / "emoji.json"
_SKIN_TONE = "::skin-tone-"
_VARIATION_SELECTOR = "\ufe0f"

_REFERENCE = re.compile(
    r"""(?P<url>https?://[^\s<>]*[^\s<>.,;:!?'")\]])
      | (?P<email>[\w.+%-]+@[\w-]+(?:\.[\w-]+)+)
      | (?<!\w)@(?P<at>[a-z][\w-]*)
      | (?<!\w)\#(?P<channel>[a-z][\w-]*)
      | (?P<special>[&<>])
      """,
    re.VERBOSE,
)
_SPECIAL = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_BROADCASTS = frozenset({"here", "channel", "everyone"})


def compose(typed: str, workspace: Workspace) -> str:
    """Escape `&`, `<` and `>`, and turn links, mentions and emoji into Slack's references."""
    text = _REFERENCE.sub(lambda match: _form(match, workspace), typed.strip())
    return _with_emoji_names(text)


def _form(match: re.Match[str], workspace: Workspace) -> str:
    whole = match[0]
    match match.lastgroup:
        case "url":
            return f"<{_escape(whole)}>"
        case "email":
            return f"<mailto:{whole}|{whole}>"
        case "at":
            return _mention(match["at"], workspace) or whole
        case "channel":
            return _channel(match["channel"], workspace) or whole
        case _:
            return _SPECIAL[whole]


def _escape(text: str) -> str:
    return "".join(_SPECIAL.get(character, character) for character in text)


def _mention(handle: str, workspace: Workspace) -> str | None:
    if handle in _BROADCASTS:
        return f"<!{handle}>"
    for user in workspace.users.values():
        if user.name == handle:
            return f"<@{user.id}>"
    for group in workspace.groups.values():
        if group.handle == handle:
            return f"<!subteam^{group.id}|@{group.handle}>"
    return None


def _channel(name: str, workspace: Workspace) -> str | None:
    return next((f"<#{channel.id}|{name}>" for channel in workspace.channels.values() if channel.name == name), None)


# --- Emoji --------------------------------------------------------------------------------------------------


def is_emoji(name: str) -> bool:
    """Report whether Slack has a reaction of this name."""
    return name.partition(_SKIN_TONE)[0] in _emoji_characters()


def _with_emoji_names(text: str) -> str:
    names = _emoji_names()
    return _emoji_pattern().sub(lambda match: f":{names[match[0].removesuffix(_VARIATION_SELECTOR)]}:", text)


@cache
def _emoji_pattern() -> re.Pattern[str]:
    longest_first = sorted(_emoji_names(), key=len, reverse=True)
    return re.compile(f"(?:{'|'.join(map(re.escape, longest_first))}){_VARIATION_SELECTOR}?")


@cache
def _emoji_characters() -> dict[str, str]:
    table: dict[str, str] = json.loads(_EMOJI.read_text("utf-8"))
    return table


@cache
def _emoji_names() -> dict[str, str]:
    """Map each character to its name; of several names, to the first in the table."""
    return {character: name for name, character in reversed(_emoji_characters().items())}
