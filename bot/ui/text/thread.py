"""Every sentence the bot says: here those of threads and channels, beside it those of each other surface.

What comes in as a name or a label is escaped here; what goes out is mrkdwn.
Where Slack takes plain text only (buttons, menus), the function says so.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.slack.mrkdwn import escape, mention

if TYPE_CHECKING:  # the front says a few sentences too, and starts without what they are not about
    from bot.triage.display import Choice, LabelView
    from bot.triage.ownership import Owner

# --- In the thread ------------------------------------------------------------------------------------------


def settled(label_view: "LabelView", destination: str | None, problem: str | None) -> str:
    """Say what it is about and where it went. `problem` is the error for which it could not be sent."""
    label = f"*{escape(label_view.display)}*"
    if destination is None:
        return f"{label}. It stays here: no channel is set for it."
    if problem is None:
        return f"{label}, sent to <#{destination}>."
    return f"{label}, but I could not send it to <#{destination}>: {explain(problem)}."


def suggestion(label_view: "LabelView", destination: str | None) -> str:
    label = f"*{escape(label_view.display)}*"
    question = f"Shall I send it to <#{destination}>?" if destination else "Is that right?"
    return f"This looks like {label}. {question}"


def question(label_view: "LabelView") -> str:
    guesses = " or ".join(f"*{escape(choice.display)}*" for choice in label_view.choices[:2])
    return f"I am not sure: is this {guesses}?"


def summary(label_views: "Sequence[LabelView]") -> str:
    """List all facets in a line."""
    return " · ".join(_facet(label_view) for label_view in label_views)


def _facet(label_view: "LabelView") -> str:
    name = f"{escape(label_view.title)} {'' if label_view.sure else 'perhaps '}{escape(label_view.display)}"
    return f"{name} ({'set by a person' if label_view.confidence is None else percent(label_view.confidence)})"


def corrected(user: str, title: str, before: str, after: str) -> str:
    """Say who corrected which facet, from what to what; the three are as people read them."""
    if before == after:
        return f"<@{user}> confirmed the {escape(title.lower())}."
    return f"<@{user}> changed the {escape(title.lower())} from {escape(before)} to {escape(after)}."


def read_together(parts: int) -> str:
    """Say how many later messages are parts of this request."""
    others = "the next message" if parts == 1 else f"the next {parts} messages"
    return f"Read together with {others} of the same author."


# A button; plain text.
SPLIT = "Split them"


def instead(display: str) -> str:
    """A button; plain text."""
    return f"{display} instead"


def confirm(display: str) -> str:
    """A button; plain text."""
    return f"Yes, {display}"


def change(titles: Sequence[str]) -> str:
    """The menu that changes the other facets; plain text."""
    return "Change " + _alternatives([title.lower() for title in titles])


def _alternatives(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


# --- In the team's channel ----------------------------------------------------------------------------------


def routed(label_view: "LabelView", author: str | None, origin: str, owner: "Owner | None" = None) -> str:
    """Say what came in, from whom, where, and whose it is."""
    sender = f" from <@{author}>" if author else ""
    whose = f", {_whose(owner)}" if owner else ""
    return f"*{escape(label_view.display)}*{sender} in <#{origin}>{whose}"


def called(mentioned: Sequence[str], urgent: bool) -> str:
    """Call those who must know, at the beginning of what they must know."""
    return f"{mentions(mentioned)} {'*Urgent:* ' if urgent else ''}" if mentioned else ""


def mentions(targets: Sequence[str]) -> str:
    return " ".join(map(mention, targets))


def owned(owner: "Owner") -> str:
    """Say whose it is, in a sentence."""
    whose = _whose(owner)
    return f"{whose[0].upper()}{whose[1:]}."


def _whose(owner: "Owner") -> str:
    if owner.instead_of:
        return f"answered by <@{owner.person}>, who has it now"
    return f"assigned to <@{owner.person}>"


def given_out(person: str) -> str:
    return f"<@{person}> This came in while everybody was away. It is yours now."


def unanswered(minutes: int, mentioned: Sequence[str]) -> str:
    told = f"{mentions(mentioned)} " if mentioned else ""
    return f"{told}Nobody has answered this for {_span(minutes)}."


def _span(minutes: int) -> str:
    for unit, length in (("day", 24 * 60), ("hour", 60), ("minute", 1)):
        if minutes % length == 0:
            count = minutes // length
            return f"{count} {unit}" if count == 1 else f"{count} {unit}s"
    raise AssertionError("a minute is a minute long")


def thread_link(permalink: str) -> str:
    return f"<{permalink}|Open the thread>"


def moved(user: str | None, display: str, destination: str | None) -> str:
    """Say who moved a post to where; `user` is None where it was the author's editing."""
    if user is None:
        return f"The author has changed this, and I moved it to <#{destination}>: it is about {escape(display)} now."
    where = f"moved this to <#{destination}>" if destination else "took this back"
    return f"<@{user}> {where}: it is about {escape(display)}."


def summarised(count: int) -> str:
    return f"{count} messages came in faster than I can post them one by one. Here they all are:"


def summarised_part(display: str, origin: str, first: int, permalinks: Sequence[str]) -> str:
    """Link to some of them; `first` is the number of the first."""
    links = " ".join(f"<{link}|{number}>" for number, link in enumerate(permalinks, first))
    return f"*{escape(display)}* in <#{origin}>: {links}"


def deleted(origin: str) -> str:
    return f"A message from <#{origin}> was here; its author has deleted it."


MESSAGE_GONE = "(The message has been deleted.)"
REST_IN_THREAD = "… (the rest is in the thread)"


# --- When something is in the way ---------------------------------------------------------------------------

TOO_OLD_TO_CORRECT = "I no longer remember this message, so I cannot change what I made of it."
NOT_ALLOWED_TO_CORRECT = "Our policy leaves corrections to certain people. Please ask one of them, or our admin."
CORRECTION_NOT_TAKEN = "I could not save your correction just now. Please press again in a minute."


def admin_needed(channel: str, error: str) -> str:
    return f"I cannot do all of my work in <#{channel}>: {explain(error)}. I say this once a week at most."


def policy_unreadable(version: int, kept: int) -> str:
    instead = f"version {kept}" if kept else "the policy I came with"
    return (
        f"I cannot read version {version} of our policy: it was saved by another version of this program. "
        f"Until somebody saves one that I can read, I go by {instead}."
    )


_PROBLEMS = {
    "not_in_channel": "I am not in that channel; please invite me",
    "channel_not_found": "I cannot see that channel; please invite me, or check the policy",
    "is_archived": "that channel is archived",
    "restricted_action": "I am not allowed to write there",
    "message_not_found": "the message has been deleted",
    "missing_scope": "I lack a permission; please install me again",
}


def explain(error: str) -> str:
    """Say in words what Slack's error code means."""
    return _PROBLEMS.get(error, f"Slack answered `{escape(error)}`")


# --- Numbers ------------------------------------------------------------------------------------------------

_BAR = 10


def percent(confidence: float) -> str:
    """Give a probability, rounded down, so that what is below a threshold never reads as if it had reached it."""
    value = math.floor(100 * confidence + 1e-9)
    return f"{value}%" if value else "under 1%"


def bars(choices: "Sequence[Choice]") -> str:
    """Draw a line with a bar for each choice."""
    return "\n".join(
        f"{_bar(choice.confidence)} {percent(choice.confidence)} {escape(choice.display)}" for choice in choices
    )


def _bar(confidence: float) -> str:
    filled = round(_BAR * confidence)
    return "▰" * filled + "▱" * (_BAR - filled)
