"""Sentences of the dialogs about a message and the policy; titles and buttons have at most 24 characters."""

from collections.abc import Sequence

from bot.policy.parsing.nodes import MENTION
from bot.policy.rules import Directions
from bot.slack.files import Fault
from bot.slack.mrkdwn import date, escape, mention
from bot.triage.backtest import Backtest

TITLE = "Triage"
CLOSE = "Close"
CANCEL = "Cancel"
SAVE = "Save"
READING = "Reading it…"

# --- One message --------------------------------------------------------------------------------------------

INSPECT_TITLE = "Classification"
NOTHING_TO_READ = "I cannot classify that message: it has no letters or digits."
POSTING = "I am posting it in your name."
CORRECTED = "Thank you, that is saved. The thread and the channels follow in a moment."
CORRECT_HINT = "Not right? Choose the right label:"

# --- The policy as text -------------------------------------------------------------------------------------

POLICY_TITLE = "Policy as text"
POLICY_LABEL = "Policy (YAML)"
POLICY_HINT = "Nothing changes until you save, and a policy with mistakes is not saved."
POLICY_TOO_LONG = (
    "This policy is too long for a dialog, which holds at most 12,000 characters. Use *Policy as a file* instead."
)
TRY_LABEL = "A message to try it on"
TRY_HINT = "No one else sees it, and it is not stored."
TRY = "Try it without saving"
NOTHING_TO_TRY = "The policy has no mistakes. Enter a message above to see what would be done with it."
CHANGED_MEANWHILE = "Someone else has saved a policy in the meantime. Open this again to see theirs."
NOT_SAVED = "I could not save that just now. Please try again in a minute."


def policy_part(number: int, parts: int) -> str:
    """Label one of the fields over which a long policy is spread; plain text."""
    return POLICY_LABEL if parts == 1 else f"{POLICY_LABEL}, part {number} of {parts}"


def problems(sentences: Sequence[str], left: int) -> str:
    """List what is wrong with a policy, and how many problems are `left` out; plain text."""
    rest = [f"and {left} more"] if left else []
    return "\n".join([*sentences, *rest])


def saved(version: int) -> str:
    return f"Saved as version {version} of the policy. It applies from the next message on."


def trial(display: str, percent: str, acts: bool, directions: Directions) -> str:
    """Say what a policy would do with a message in a channel whose mode is automatic."""
    read = f"It reads as *{escape(display)}* ({percent})."
    rules = ", ".join(f"“{escape(rule.name)}”" for rule in directions.rules)
    why = f" Matching rules: {rules}." if rules else ""
    if directions.silent:
        return f"{read} I would stay silent.{why}"
    if not acts:
        return f"{read} I am not sure enough of that to act: I would ask a person.{why}"
    where = f"I would send it to <#{directions.route}>" if directions.route else "I would leave it where it is"
    told = [mention(each) if MENTION.fullmatch(each) else escape(each) for each in directions.mentions]
    also = f" and mention {', '.join(told)}" if told else ""
    return f"{read} {where}{also}.{why}"


# --- The policy as a file -----------------------------------------------------------------------------------

UPLOAD_TITLE = "Policy as a file"
UPLOAD = "Review"
UPLOAD_INTRODUCTION = "Choose a policy file. You see what it would change before anything is saved."
UPLOAD_LABEL = "Policy (a YAML file)"
UPLOAD_HINT = "One UTF-8 file of at most 64 kB. I read it now, and again when you save it."
TOO_LONG_TO_SHOW = "It is too long to show here: `python -m bot policy get` prints it."
COMPARING = "I am comparing it with recent decisions…"
NOT_YET_SAVED = "Nothing has been saved yet."


def in_force(version: int) -> str:
    """Introduce the text of the policy in force."""
    which = f"version {version}" if version else "the default policy"
    return f"*In force now: {which}.* Copy it into a file to change it or to keep it:"


def can_be_used(name: str, rules: int, lines: int) -> str:
    """Sum up a file without mistakes."""
    return f"*{escape(name)}* has no mistakes. It has {_count(rules, 'rule')} and {_count(lines, 'short-form line')}."


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number or 'no'} {noun}s"


# Why a file could not be read, and what to do; plain text.
FILE_FAULTS: dict[Fault, str] = {
    "elsewhere": "This file is not stored in Slack itself. Upload it from your computer.",
    "too-large": "This file is larger than 64 kB, which no policy needs. Is it the right one?",
    "not-text": "This is not UTF-8 text. Save the file as plain text in UTF-8 and upload it again.",
    "no-right": "Slack does not let me read files: an admin has to give the app the permission files:read.",
    "gone": "This file no longer exists or has changed. Upload it again.",
    "no-answer": "Slack did not send me the file in time. Please try again in a minute.",
}


_MOST_WAYS = 8


def dry_run(run: Backtest) -> str:
    """Say how many of the week's requests another policy would send elsewhere, and from where to where."""
    total = len(run.moves) + run.same + len(run.open)
    if not total:
        return "There were no requests in the last seven days to compare this policy with."
    which = "Of the one request" if total == 1 else f"Of the {total} newest requests"
    counted = f"{which} of the last seven days, {len(run.moves)} would go elsewhere"
    unknown = f"; for {len(run.open)} that depends on their text" if run.open else ""
    ways: dict[tuple[str | None, str | None], list[float]] = {}
    for move in run.moves:
        ways.setdefault((move.before, move.after), []).append(float(move.key.ts))
    shown = sorted(ways.items(), key=lambda way: -len(way[1]))[:_MOST_WAYS]
    rest = [f"• and {len(ways) - len(shown)} more ways"] if len(ways) > len(shown) else []
    return "\n".join([f"{counted}{unknown}.", *(_way(*way, written) for way, written in shown), *rest])


def _way(before: str | None, after: str | None, written: Sequence[float]) -> str:
    return f"• {_place(before)} → {_place(after)}: {len(written)}, most recently {date(max(written))}"


def _place(channel: str | None) -> str:
    return f"<#{channel}>" if channel else "where it was written"


# --- Where each label goes ----------------------------------------------------------------------------------

ROUTE_TITLE = "Where does it go?"
ROUTE_LABEL = "What a message is about"
ROUTE_PLACE = "Goes to this channel"
ROUTE_PLACE_HINT = "Leave it empty to keep such messages where they are."
CHOOSE = "Choose"
