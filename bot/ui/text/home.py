"""Sentences of the Home tab."""

from collections.abc import Sequence

from bot.slack.mrkdwn import date, escape
from bot.ui.text.thread import bar
from classifier_infra.pricing.estimate import Cost, dollars

TITLE = "Customer messages, sorted"
WEEK = "This week"
URGENT = "Urgent and unanswered"
REVIEW = "What is this about?"
CHANNELS = "Channels"
RULES = "Rules"

WORKING = "*Working.* Each channel is handled as set below."
STOPPED = "*Stopped.* I only suggest, in every channel, until someone starts me again."
STOP = "Stop: only suggest"
START = "Start again"
STOP_TITLE = "Stop me everywhere?"
STOP_QUESTION = "I will no longer sort anything by myself, in any channel. My buttons keep working."
KEEP_GOING = "Keep going"

NOTHING_URGENT = "Nothing urgent is open."
NOTHING_TO_REVIEW = "Nothing to review."
DONE = "Done"
NO_CHANNELS = "I am not in any channel yet. Invite me to one where customers write: `/invite @` and my name."
NO_TEXT = "(Open it to read it.)"
EDIT_ROUTES = "Change where it goes"
EDIT_RULES = "Change the rules"
EDIT_POLICY = "Edit the policy as text"
UPLOAD_POLICY = "Policy as a file"
MODE = "What to do here"
TOO_OLD = "I no longer have a record of that message, so it cannot be corrected."


def updated(at: float) -> str:
    return f"As of {date(at)}, in your time zone."


# --- Messages and channels ----------------------------------------------------------------------------------


def urgent_item(channel: str, written: float, display: str, permalink: str | None) -> str:
    return f"*{escape(display)}* in <#{channel}>, {date(written)}{_link(permalink)}"


def review_item(channel: str, written: float, display: str, percent: str, permalink: str | None) -> str:
    return f"<#{channel}>, {date(written)}: perhaps *{escape(display)}* ({percent}){_link(permalink)}"


def _link(permalink: str | None) -> str:
    return f" · <{permalink}|Open>" if permalink else ""


def more(count: str) -> str:
    return f"Not shown here: {count} more."


def channel(channel_id: str, muted: bool) -> str:
    return f"<#{channel_id}> is muted; use `/classify unmute` there to undo that." if muted else f"<#{channel_id}>"


def more_channels(count: int) -> str:
    return f"I am in {count} more channels. `/classify policy` lists their modes."


# --- Figures ------------------------------------------------------------------------------------------------

PRECISION_TITLE = "*How often people agreed*"
VOLUMES_TITLE = "*What it was about*"

_OUTCOMES = {
    "automatic": "sorted by me",
    "suggest": "suggested",
    "ask": "asked about",
    "silent": "unsure, nothing shown",
    "watch": "watched only",
}


def week(triaged: int, ignored: int) -> str:
    """Say how many messages came in; the ignored ones opened no request."""
    if not triaged + ignored:
        return "Nothing has come in this week."
    rest = f" {_count(ignored, 'message')} {'was not a request' if ignored == 1 else 'were not requests'}."
    return f"{_count(triaged, 'request')} in the last seven days.{rest if ignored else ''}"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def volume(display: str, count: int, most: int) -> str:
    """Draw a line with a bar; `most` is the count whose bar is full."""
    return f"{bar(count / most if most else 0)} {count:,} {escape(display)}"


def precision(title: str, right: int, wrong: int) -> str:
    """Say how often people agreed with a facet's labels; `right` and `wrong` are both 0 without feedback."""
    looked_at = right + wrong
    if not looked_at:
        return f"{escape(title)}: not yet known"
    return f"{escape(title)}: {right:,} of {looked_at:,} confirmed ({100 * right // looked_at}%)"


def outcomes(parts: Sequence[tuple[str, int]]) -> str:
    return " · ".join(f"{count:,} {_OUTCOMES.get(outcome, outcome)}" for outcome, count in parts)


def first_reply(seconds: float | None) -> str:
    """State the median time until a person answers; None where no answer has been seen yet."""
    if seconds is None:
        return "First answer by a person: not yet known."
    return f"First answer by a person: half of them within {duration(seconds)}."


def duration(seconds: float) -> str:
    """Round a length of time to its largest unit."""
    for unit, length in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        if seconds >= length:
            return _count(round(seconds / length), unit)
    return "a minute"


def cost(estimate: Cost) -> str:
    """State the monthly cost of classification alone at this week's volume."""
    a_month, a_thousand = dollars(estimate.month), dollars(estimate.per_thousand)
    return f"At this week's pace, {estimate.mode} classifying costs {a_month} a month, {a_thousand} per 1,000 messages."
