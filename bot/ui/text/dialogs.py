"""What the bot says in its dialogs. Titles and buttons are plain text, of 24 characters at most."""

import re
from collections.abc import Sequence

from bot.policy.rules import Directions
from bot.slack.files import Fault
from bot.slack.mrkdwn import date, escape, mention
from bot.triage.backtest import Backtest

TITLE = "Triage"
CLOSE = "Close"
CANCEL = "Cancel"
SAVE = "Save"

# --- One message --------------------------------------------------------------------------------------------

INSPECT_TITLE = "What I make of it"
READING = "Reading it…"
NOTHING_TO_READ = "I cannot read anything in that message: it has no letters and no digits."
POSTING = "I am posting it, in your name."
CORRECTED = "Thank you, that is written down. The thread and the channels follow in a moment."
CORRECT_HINT = "Not right? Press what it is:"

# --- The policy as text -------------------------------------------------------------------------------------

POLICY_TITLE = "Policy as text"
POLICY_LABEL = "Policy (YAML)"
POLICY_HINT = "Nothing changes until you save, and nothing is saved that has a mistake in it."
POLICY_TOO_LONG = (
    "This policy is too long to be edited in a dialog, which takes 12,000 characters. Use *Policy as a file* instead."
)
TRY_LABEL = "A message to try it on"
TRY_HINT = "Nobody else sees it, and it is not kept."
TRY = "Try it without saving"
NOTHING_TO_TRY = "There is no mistake in it. Write a message above, to see what it would do with that."
CHANGED_MEANWHILE = "Somebody else has saved a policy meanwhile. Open this again to see theirs."
NOT_SAVED = "I could not save that just now. Please try again in a minute."


# --- The policy as a file -----------------------------------------------------------------------------------

UPLOAD_TITLE = "Policy as a file"
UPLOAD = "Look at it"
UPLOAD_INTRODUCTION = "Choose a file with a policy. You see what it would change before anything is saved."
UPLOAD_LABEL = "Policy (a YAML file)"
UPLOAD_HINT = "One file of at most 64 kB, in UTF-8. I read it once now and once more when you save it."
TOO_LONG_TO_SHOW = "It is too long to be shown here: `python -m bot policy get` prints it whole."
HOLDING_AGAINST = "I am holding it against what I decided lately…"
NOT_YET_SAVED = "Nothing has been saved yet."


def in_force(version: int) -> str:
    """Introduce the policy in force, which is shown below."""
    which = f"version {version}" if version else "the one I came with"
    return f"*In force now: {which}.* Copy it into a file to change it, or to keep it:"


def can_be_used(name: str, rules: int, lines: int) -> str:
    """Say what is in a file that has no mistake."""
    parts = f"{_count(rules, 'rule')} and {_count(lines, 'line')} of the short form"
    return f"*{escape(name)}* has no mistake in it. It has {parts}."


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number or 'no'} {what}s"


def file_fault(fault: Fault) -> str:
    """Say why a file could not be read, and what to do; plain text."""
    return _FAULTS[fault]


_FAULTS: dict[Fault, str] = {
    "elsewhere": "This file is not kept in Slack itself. Upload it from your computer.",
    "too-large": "This file is larger than 64 kB, which no policy need be. Is it the right one?",
    "not-text": "This is not UTF-8 text. Save the file as plain text in UTF-8, and upload it again.",
    "no-right": "Slack does not let me read files: an admin has to give the app the permission files:read.",
    "gone": "This file is no longer there, or no longer the same. Upload it again.",
    "no-answer": "Slack did not give me the file in time. Please try again in a minute.",
}


def policy_part(number: int, parts: int) -> str:
    """Name one of the fields that a long policy is spread over; plain text."""
    return POLICY_LABEL if parts == 1 else f"{POLICY_LABEL}, part {number} of {parts}"


def problems(sentences: Sequence[str], left: int) -> str:
    """List what is wrong with a policy; `left` are more than are listed. Plain text."""
    rest = [f"and {left} more"] if left else []
    return "\n".join([*sentences, *rest])


def trial(display: str, percent: str, acts: bool, directions: Directions) -> str:
    """Say what a policy would do with a message in a channel where the bot is automatic."""
    read = f"It reads as *{escape(display)}* ({percent})."
    rules = ", ".join(f"“{escape(rule.name)}”" for rule in directions.rules)
    why = f" Rules that are for it: {rules}." if rules else ""
    if directions.silent:
        return f"{read} I would stay silent.{why}"
    if not acts:
        return f"{read} I am not sure enough of that to act: I would ask a person.{why}"
    where = f"I would send it to <#{directions.route}>" if directions.route else "I would leave it where it is"
    told = [mention(each) if _ID.fullmatch(each) else escape(each) for each in directions.mentions]
    also = f" and tell {', '.join(told)}" if told else ""
    return f"{read} {where}{also}.{why}"


def dry_run(run: Backtest) -> str:
    """Say how many of the week's requests another policy would send elsewhere, and from where to where."""
    total = len(run.moves) + run.same + len(run.open)
    if not total:
        return "There were no requests in the last seven days, so there is nothing more to hold this policy against."
    which = "Of the one request" if total == 1 else f"Of the {total} newest requests"
    counted = f"{which} of the last seven days, {len(run.moves)} would go elsewhere"
    unknown = f"; of {len(run.open)} that depends on their text" if run.open else ""
    ways: dict[tuple[str | None, str | None], list[float]] = {}
    for move in run.moves:
        ways.setdefault((move.before, move.after), []).append(float(move.key.ts))
    shown = sorted(ways.items(), key=lambda way: -len(way[1]))[:_MOST_WAYS]
    rest = [f"• and {len(ways) - len(shown)} more ways"] if len(ways) > len(shown) else []
    return "\n".join([f"{counted}{unknown}.", *(_way(*way, written) for way, written in shown), *rest])


def _way(before: str | None, after: str | None, written: Sequence[float]) -> str:
    return f"• {_place(before)} → {_place(after)}: {len(written)}, the newest written {date(max(written))}"


_MOST_WAYS = 8


def _place(channel: str | None) -> str:
    return f"<#{channel}>" if channel else "where it was written"


# What can be mentioned; other names are those of rotas.
_ID = re.compile(r"here|[SUW][A-Z0-9]{2,}")


# --- Where what goes ----------------------------------------------------------------------------------------

ROUTE_TITLE = "Where does it go?"
ROUTE_LABEL = "What a message is about"
ROUTE_PLACE = "Goes to this channel"
ROUTE_PLACE_HINT = "Leave it empty to let such messages stay where they are."
CHOOSE = "Choose"


def saved(version: int) -> str:
    return f"Saved, as version {version} of the policy. It holds from the next message on."
