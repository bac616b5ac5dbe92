"""Sentences of threads and channels; the modules beside it have those of the other surfaces.

Functions escape the names and labels that they are given, and return mrkdwn unless they say "plain text".
"""

import math
from collections.abc import Sequence

from bot.slack.mrkdwn import escape, mention
from bot.triage.display import Choice, LabelView
from bot.triage.ownership import Owner

# --- In the thread ------------------------------------------------------------------------------------------


def settled(label_view: LabelView, destination: str | None, problem: str | None) -> str:
    """Say what it is about and where it went; `problem` is Slack's error if it could not be sent."""
    label = f"*{escape(label_view.display)}*"
    if destination is None:
        return f"{label}. It stays here: no channel is set for it."
    if problem is None:
        return f"{label}, sent to <#{destination}>."
    return f"{label}, but I could not send it to <#{destination}>: {explain(problem)}."


def suggestion(label_view: LabelView, destination: str | None) -> str:
    label = f"*{escape(label_view.display)}*"
    question = f"Shall I send it to <#{destination}>?" if destination else "Is that right?"
    return f"This looks like {label}. {question}"


def question(label_view: LabelView) -> str:
    guesses = " or ".join(f"*{escape(choice.display)}*" for choice in label_view.choices[:2])
    return f"I am not sure: is this {guesses}?"


def summary(label_views: Sequence[LabelView]) -> str:
    """List all facets on one line."""
    return " · ".join(_facet(label_view) for label_view in label_views)


def _facet(label_view: LabelView) -> str:
    name = f"{escape(label_view.title)} {'' if label_view.sure else 'perhaps '}{escape(label_view.display)}"
    return f"{name} ({'set by a person' if label_view.confidence is None else percent(label_view.confidence)})"


def corrected(user: str, title: str, before: str, after: str) -> str:
    """Say who confirmed or changed a facet; `title`, `before` and `after` are display names."""
    if before == after:
        return f"<@{user}> confirmed the {escape(title.lower())}."
    return f"<@{user}> changed the {escape(title.lower())} from {escape(before)} to {escape(after)}."


def read_together(parts: int) -> str:
    """Say how many later messages belong to this request."""
    others = "the next message" if parts == 1 else f"the next {parts} messages"
    return f"Read together with {others} by the same author."


SPLIT = "Split them"


def instead(display: str) -> str:
    """A button; plain text."""
    return f"{display} instead"


def confirm(display: str) -> str:
    """A button; plain text."""
    return f"Yes, {display}"


def change(titles: Sequence[str]) -> str:
    """The menu that changes facets; plain text."""
    return "Change " + _alternatives([title.lower() for title in titles])


def _alternatives(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


# --- In the team's channel ----------------------------------------------------------------------------------


def routed(label_view: LabelView, author: str | None, origin: str, owner: Owner | None = None) -> str:
    """Say what came in, from whom, where, and who is responsible."""
    sender = f" from <@{author}>" if author else ""
    whose = f", {_whose(owner)}" if owner else ""
    return f"*{escape(label_view.display)}*{sender} in <#{origin}>{whose}"


def called(mentioned: Sequence[str], urgent: bool) -> str:
    """Build the beginning of a post that mentions people."""
    return f"{mentions(mentioned)} {'*Urgent:* ' if urgent else ''}" if mentioned else ""


def mentions(targets: Sequence[str]) -> str:
    return " ".join(map(mention, targets))


def owned(owner: Owner) -> str:
    whose = _whose(owner)
    return f"{whose[0].upper()}{whose[1:]}."


def _whose(owner: Owner) -> str:
    if owner.instead_of:
        return f"answered by <@{owner.person}>, who has it now"
    return f"assigned to <@{owner.person}>"


def given_out(person: str) -> str:
    return f"<@{person}> This came in while everyone was away. It is yours now."


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
    """Say who moved a post, and to where; `user` is None if the author's edit did."""
    if user is None:
        return f"The author changed this, so I moved it to <#{destination}>: it is about {escape(display)} now."
    where = f"moved this to <#{destination}>" if destination else "took this back"
    return f"<@{user}> {where}: it is about {escape(display)}."


def summarised(count: int) -> str:
    return f"{count} messages came in faster than I can post them one by one. Here they all are:"


def summarised_part(display: str, origin: str, first: int, permalinks: Sequence[str]) -> str:
    """Link to some of the messages, numbered from `first`."""
    links = " ".join(f"<{link}|{number}>" for number, link in enumerate(permalinks, first))
    return f"*{escape(display)}* in <#{origin}>: {links}"


def deleted(origin: str) -> str:
    return f"A message from <#{origin}> was here; its author has deleted it."


MESSAGE_GONE = "(The message has been deleted.)"
REST_IN_THREAD = "… (the rest is in the thread)"


# --- Problems -----------------------------------------------------------------------------------------------

TOO_OLD_TO_CORRECT = "I no longer have a record of this message, so it cannot be corrected."
NOT_ALLOWED_TO_CORRECT = "Our policy lets only certain people make corrections. Please ask one of them, or our admin."
CORRECTION_NOT_TAKEN = "I could not save your correction just now. Please try again in a minute."


def admin_needed(channel: str, error: str) -> str:
    return f"I cannot work properly in <#{channel}>: {explain(error)}. I report this once a week at most."


def policy_unreadable(version: int, kept: int) -> str:
    instead = f"version {kept}" if kept else "the default policy"
    return (
        f"I cannot read version {version} of our policy: it was saved by another version of this program. "
        f"Until someone saves one that I can read, I use {instead}."
    )


_PROBLEMS = {
    "not_in_channel": "I am not in that channel; please invite me",
    "channel_not_found": "I cannot see that channel; please invite me, or check the policy",
    "is_archived": "that channel is archived",
    "restricted_action": "I am not allowed to write there",
    "message_not_found": "the message has been deleted",
    "missing_scope": "I lack a permission; please reinstall me",
}


def explain(error: str) -> str:
    """Put Slack's error code into words."""
    return _PROBLEMS.get(error, f"Slack answered `{escape(error)}`")


def facet_title(name: str) -> str:
    """Turn a facet's name in the model into a title, such as `Product area`."""
    return name.replace("_", " ").capitalize()


# --- Numbers ------------------------------------------------------------------------------------------------

_BAR = 10


def percent(confidence: float) -> str:
    """Format a probability, rounded down, so that one below a threshold never seems to reach it."""
    value = math.floor(100 * confidence + 1e-9)
    return f"{value}%" if value else "under 1%"


def bars(choices: Sequence[Choice]) -> str:
    """Draw one line with a bar per choice."""
    return "\n".join(
        f"{bar(choice.confidence)} {percent(choice.confidence)} {escape(choice.display)}" for choice in choices
    )


def bar(fraction: float) -> str:
    """Draw a bar of ten characters, filled to a fraction from 0 to 1."""
    filled = round(_BAR * fraction)
    return "▰" * filled + "▱" * (_BAR - filled)
