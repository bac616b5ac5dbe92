"""Sentences of the dialogs about rules. Titles, labels and options are plain text."""

from collections.abc import Iterator, Sequence

from bot.policy.editing.edit_rule import NAME as NAME_KEY
from bot.policy.editing.edit_rule import Key, WrittenRule
from bot.policy.parsing.nodes import CHANNEL
from bot.slack.mrkdwn import escape, mention

LIST_TITLE = "Rules"
FORM_TITLE = "Change a rule"
NEW_TITLE = "A new rule"
ADD = "Add a rule"
CHANGE = "Change"

INTRODUCTION = "The first matching rule decides, unless your policy says `match: all`."
NO_RULES = "There are no rules yet. To send messages on by category alone, use *Change where it goes* instead."

NAME = "Name"
NAME_HINT = "It helps people to recognise the rule."
PLACE = "Position"
PLACE_HINT = "Rules are checked from top to bottom."
CHANNEL_LABEL = "Written in"
HOURS = "When it was written"
ANY_TIME = "At any time"
ANY = "Any"
POST = "Send it to"
NO_CHANNEL = "No channel"
PEOPLE = "Mention people"
GROUPS = "Mention groups and people on call"
HERE = "@here"
NO_ONE = "No one"
TAGS = "Tag it with emoji"
TAGS_HINT = "Emoji names separated by spaces: rotating_light eyes"
REPLY = "Answer in the thread with"
OWN_WORDS = "The bot's default reply"
ASSIGN = "Assign it in turn to"
QUIET = "Or stay quiet"
SILENT = "Show nothing in Slack for such messages"

REMOVE = "Remove this rule"
REMOVE_TITLE = "Remove this rule?"
REMOVE_QUESTION = (
    "The comments in it and directly above it are removed, too. Earlier versions of the policy keep all of them."
)
KEEP = "Keep it"

DOES_NOTHING = "A rule has to do something: choose a channel, someone to mention, a tag, an answer, or to stay quiet."
FORM_NOT_TAKEN = (
    "Slack refused this rule's form; perhaps it names a channel or a person that is gone. Edit the policy as text."
)


def removed(version: int) -> str:
    return f"Removed; the policy is now at version {version}."


def more(count: int) -> str:
    return f"And {count} more, which can be edited in the policy's text."


def hours(when: str, name: str) -> str:
    """Name a time; `when` is `during` or `outside`."""
    return f"Within the hours “{name}”" if when == "during" else f"Outside the hours “{name}”"


def on_call(rota: str) -> str:
    return f"On call in “{rota}”"


def place(number: int, before: str | None) -> str:
    """Name a position in the list of rules; `before` is the rule that follows, None at the end."""
    if number == 1 and before is None:
        return "1. the only one"
    return f"{number}. before “{before}”" if before else f"{number}. last"


def kept(keys: Sequence[Key]) -> str:
    """List the parts of a rule that the form does not show."""
    names = ", ".join(f"`{escape(key)}`" for _, key in keys)
    return f"Also in this rule, and kept unchanged: {names}."


def rule(number: int, written: WrittenRule) -> str:
    """Sum up a rule: its name, its conditions and its actions."""
    name = written.values.get(NAME_KEY, ("",))[0].strip()
    title = f"*{number}. {escape(name)}*" if name else f"*{number}.*"
    when = "; ".join(_describe(written, "when")) or "every message"
    then = "; ".join(_describe(written, "then")) or "nothing"
    return f"{title}\n{when} → {then}"


def _describe(written: WrittenRule, part: str) -> Iterator[str]:
    for (of, key), values in written.values.items():
        if of == part:
            yield f"{escape(key)} {', '.join(map(_show, values))}"
    yield from (escape(key) for of, key in written.others if of == part)


def _show(word: str) -> str:
    if CHANNEL.fullmatch(word):
        return f"<#{word}>"
    return mention(word) if word[:1] in "SUW" and word.isalnum() and word.isupper() and len(word) > 2 else escape(word)
