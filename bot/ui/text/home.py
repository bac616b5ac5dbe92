"""What the bot says in its Home tab."""

from collections.abc import Sequence

from bot.slack.mrkdwn import date, escape
from classifier_infra.pricing.estimate import Cost, dollars

TITLE = "Customer messages, sorted"
WEEK = "This week"
URGENT = "Urgent, and nobody has answered"
REVIEW = "What is this about?"
CHANNELS = "Channels"
RULES = "Rules"

WORKING = "*Working.* In each channel I do what is set for it below."
STOPPED = "*Stopped.* I only suggest, in every channel, until somebody starts me again."
STOP = "Stop: only suggest"
START = "Start again"
STOP_QUESTION = "I will not sort anything by myself any more, in any channel. People can still press my buttons."
STOP_TITLE = "Stop me everywhere?"
KEEP_GOING = "Keep going"

NOTHING_URGENT = "Nothing urgent is open."
NOTHING_TO_REVIEW = "Nothing to review: people have had their say on everything."
DONE = "Done"
NO_CHANNELS = "I am in no channel yet. Invite me to one where customers write: `/invite @` and my name."
NO_TEXT = "(Open it to read it.)"
EDIT_ROUTES = "Change where it goes"
EDIT_RULES = "Change the rules"
EDIT_POLICY = "Edit the policy as text"
UPLOAD_POLICY = "Policy as a file"
MODE = "What to do here"
TOO_OLD = "I no longer remember that message, so I cannot change what I made of it."


def updated(at: float) -> str:
    return f"As of {date(at)}, in your time."


def cost(estimate: Cost) -> str:
    """Say what classifying costs a month at this week's pace; the other parts of the system are not in it."""
    a_month, a_thousand = dollars(estimate.month), dollars(estimate.per_thousand)
    return f"At this week's pace, {estimate.mode} classifying costs {a_month} a month, {a_thousand} per 1,000 messages."


def urgent_item(channel: str, written: float, display: str, permalink: str | None) -> str:
    return f"*{escape(display)}* in <#{channel}>, {date(written)}{_link(permalink)}"


def review_item(channel: str, written: float, display: str, percent: str, permalink: str | None) -> str:
    return f"<#{channel}>, {date(written)}: perhaps *{escape(display)}* ({percent}){_link(permalink)}"


def _link(permalink: str | None) -> str:
    return f" · <{permalink}|Open>" if permalink else ""


def more(count: str) -> str:
    return f"{count} more wait after these."


def channel(channel_id: str, muted: bool) -> str:
    return f"<#{channel_id}> is muted; `/classify unmute` there lets me in again." if muted else f"<#{channel_id}>"


def more_channels(count: int) -> str:
    return f"I am in {count} more channels. `/classify policy` lists what is set for them."


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
