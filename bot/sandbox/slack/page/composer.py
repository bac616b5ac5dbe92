"""What Slack's message box makes of typed text: mrkdwn with references, the form in which apps receive it."""

import re
from functools import cache

from bot.sandbox.slack import emoji
from bot.sandbox.slack.workspace import Workspace

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
    """Escape the three special characters, turn links, mentions and emoji into Slack's forms, leave the rest."""
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


def _with_emoji_names(text: str) -> str:
    return _emoji_pattern().sub(lambda match: f":{emoji.names()[match[0].removesuffix(_VARIATION_SELECTOR)]}:", text)


@cache
def _emoji_pattern() -> re.Pattern[str]:
    longest_first = sorted(emoji.names(), key=len, reverse=True)
    return re.compile(f"(?:{'|'.join(map(re.escape, longest_first))}){_VARIATION_SELECTOR}?")
