"""What the bot says in the dialogs about rules. Titles, labels and options are plain text."""

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

INTRODUCTION = "The first rule that is for a message decides, unless your policy says `match: all`."
NO_RULES = "There are no rules yet. What goes where by its category alone needs none: use *Change where it goes*."

NAME = "Name"
NAME_HINT = "So that people know which rule it was."
PLACE = "Where it stands"
PLACE_HINT = "Rules are looked at from top to bottom."
CHANNEL_LABEL = "Written in"
HOURS = "When it was written"
ANY_TIME = "At any time"
ANY = "Any"
POST = "Send it to"
NO_CHANNEL = "No channel"
PEOPLE = "Mention people"
GROUPS = "Mention groups and who is on call"
HERE = "@here"
NOBODY = "Nobody"
TAGS = "Tag it with emoji"
TAGS_HINT = "Their names, with spaces between: rotating_light eyes"
REPLY = "Answer in the thread with"
OWN_WORDS = "The bot's own words"
ASSIGN = "Give it in turn to"
QUIET = "Or stay quiet"
SILENT = "Show nothing of such messages in Slack"

REMOVE = "Remove this rule"
REMOVE_TITLE = "Remove this rule?"
REMOVE_QUESTION = (
    "The comments in it and directly above it go with it. Earlier versions of the policy are kept with all of them."
)
KEEP = "Keep it"

DOES_NOTHING = "A rule has to do something: choose a channel, somebody to mention, a tag, an answer, or to stay quiet."
FORM_NOT_TAKEN = (
    "Slack did not take this rule's form; perhaps it names a channel or a person that is gone. Edit the policy as text."
)


def removed(version: int) -> str:
    return f"Removed; the policy is at version {version} now."


def more(count: int) -> str:
    return f"And {count} more, which can be changed in the policy's text."


def facet(name: str) -> str:
    """Label a facet's menu."""
    return name.replace("_", " ").capitalize()[:200]


def hours(when: str, name: str) -> str:
    """Name a time: within business hours, or outside them."""
    return f"Within the hours “{name}”" if when == "during" else f"Outside the hours “{name}”"


def on_call(rota: str) -> str:
    return f"Whoever is on call in “{rota}”"


def place(number: int, before: str | None) -> str:
    """Name a place among the rules: before another one, or the last."""
    if number == 1 and before is None:
        return "1. the only one"
    return f"{number}. before “{before}”" if before else f"{number}. last"


def kept(keys: Sequence[Key]) -> str:
    """Say what of a rule the form does not show."""
    names = ", ".join(f"`{escape(key)}`" for _, key in keys)
    return f"Also in this rule, and kept as it is written: {names}."


def rule(number: int, written: WrittenRule) -> str:
    """Say in a few lines for which messages a rule is, and what it does."""
    name = written.values.get(NAME_KEY, ("",))[0].strip()
    title = f"*{number}. {escape(name)}*" if name else f"*{number}.*"
    when = "; ".join(_says(written, "when")) or "every message"
    then = "; ".join(_says(written, "then")) or "nothing"
    return f"{title}\n{when} → {then}"


def _says(written: WrittenRule, part: str) -> Iterator[str]:
    for (of, key), said in written.values.items():
        if of == part:
            yield f"{escape(key)} {', '.join(map(_show, said))}"
    yield from (escape(key) for of, key in written.others if of == part)


def _show(word: str) -> str:
    if CHANNEL.fullmatch(word):
        return f"<#{word}>"
    return mention(word) if word[:1] in "SUW" and word.isalnum() and word.isupper() and len(word) > 2 else escape(word)
