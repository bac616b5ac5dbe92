"""What the bot says of its own work: in figures, in App Home and in the answer to `/classify stats`."""

from collections.abc import Sequence

from bot.slack.mrkdwn import escape

_BAR = 10


def week(triaged: int, ignored: int) -> str:
    """Say how much came in; what was ignored opened no request."""
    if not triaged + ignored:
        return "Nothing has come in this week."
    rest = f" {_count(ignored, 'message')} opened none." if ignored else ""
    return f"{_count(triaged, 'request')} in the last seven days.{rest}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def volume(display: str, count: int, most: int) -> str:
    """Draw a line with a bar; `most` is the count whose bar is full."""
    filled = round(_BAR * count / most) if most else 0
    return f"{'▰' * filled}{'▱' * (_BAR - filled)} {count:,} {escape(display)}"


def precision(title: str, right: int, wrong: int) -> str:
    """Say how often people agreed; both 0 where nobody has said a word."""
    if not right + wrong:
        return f"{escape(title)}: not yet known"
    share = 100 * right // (right + wrong)
    return f"{escape(title)}: right in {right:,} of the {right + wrong:,} that people looked at ({share}%)"


PRECISION_TITLE = "*How often people agreed*"
VOLUMES_TITLE = "*What it was about*"


def outcomes(parts: Sequence[tuple[str, int]]) -> str:
    return " · ".join(f"{count:,} {_OUTCOMES.get(outcome, outcome)}" for outcome, count in parts)


_OUTCOMES = {
    "automatic": "sorted by me",
    "suggest": "suggested",
    "ask": "asked about",
    "silent": "not sure of, silently",
    "watch": "watched only",
}


def first_reply(seconds: float | None) -> str:
    """Say how soon a person answers; None where no answer has been seen yet."""
    if seconds is None:
        return "First answer of a person: not yet known."
    return f"First answer of a person: half of them within {duration(seconds)}."


def duration(seconds: float) -> str:
    """Give a length of time in one unit."""
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            return _count(round(seconds / length), unit)
    return "a minute"
