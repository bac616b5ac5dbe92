"""Sentences that answer `/classify`; without heavy imports, because the events endpoint uses some of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from bot.slack.mrkdwn import date, escape

if TYPE_CHECKING:
    from bot.policy.policy import Mode

# --- Acknowledgements: said at once by the events endpoint --------------------------------------------------

TAKEN = "Reading it…"
ASKED = "One moment…"
NOT_TAKEN = "I could not do that just now. Please try again in a minute."
UNKNOWN = "I do not know that command. Try `/classify help`."
HELP = (
    "*/classify* shows how I would classify a text. Only you see the answer.\n"
    "• `/classify The export has been stuck at 99% since this morning` classifies that sentence\n"
    "• `/classify stats` shows this week's figures\n"
    "• `/classify policy` shows what I do with which message\n"
    "• `/classify mute` and `/classify unmute` switch me off and on in this channel; "
    "add a `#channel` or a `@person` to choose another one\n"
    "• `/classify stop` makes me only suggest, in every channel, at once; `/classify start` undoes that\n"
    "• `/classify version` shows the model and the policy in use\n"
    "• `/classify help` shows this\n"
    "All of these settings are in my *Home* tab, too."
)


# --- What the bot would do with a text ----------------------------------------------------------------------

NOTHING_TO_READ = "I cannot classify that: it has no letters or digits."
CUT_OFF = "The text was too long; I used only its beginning."
UNFAMILIAR = "I know too few of its words to act on this: I would ask a person."
UNRELIABLE = "I cannot rely on my model just now: I would only suggest this."
UNSURE = "I am not sure enough to act on this: I would ask a person."


def would_do(destination: str | None) -> str:
    return f"I would send this to <#{destination}>." if destination else "I would leave this where it is."


def reasons(display: str, words: Sequence[str]) -> str:
    """Name the words that spoke most for a label, the strongest first."""
    return f"Words that point to {escape(display)}: {', '.join(f'“{escape(word)}”' for word in words)}."


# --- Posting it ---------------------------------------------------------------------------------------------

POST_TITLE = "Post this text?"
POST = "Post"
CANCEL = "Cancel"


def post_to(display: str) -> str:
    """A button; plain text."""
    return f"Post to the {display} team"


def post_question(destination: str, user: str) -> str:
    return f"Everyone in <#{destination}> will see the text and that it comes from <@{user}>."


def posted_for(user: str, display: str) -> str:
    return f"*{escape(display)}*, posted for <@{user}>"


def posted(destination: str, problem: str | None) -> str:
    where = f"<#{destination}>"
    return f"I could not post it in {where}: {problem}." if problem else f"Posted in {where} in your name."


# --- Switches -----------------------------------------------------------------------------------------------

NOT_ALLOWED = "Your team's policy does not let you change this. Anyone may mute or stop me."
STOPPED = "Stopped: in every channel I only suggest, until someone runs `/classify start`."
STARTED = "Started: channels in the mode *automatic* are automatic again."


def muted(target: str) -> str:
    return f"I am muted in <#{target}> now." if _is_channel(target) else f"I ignore what <@{target}> writes now."


def unmuted(target: str) -> str:
    return f"I read <#{target}> again." if _is_channel(target) else f"I read what <@{target}> writes again."


def _is_channel(target: str) -> bool:
    return target[:1] in ("C", "G", "D")


# --- Policy and version -------------------------------------------------------------------------------------

CHANNELS_TITLE = "*Channels*"
NO_POLICY_SAVED = "*Policy*: the default one. No other has been saved."

MODES: "dict[Mode, str]" = {
    "automatic": "Automatic: sort it and say so in the thread",
    "suggest": "Suggest: say in the thread what I would do",
    "watch-only": "Watch only: read, show nothing",
    "off": "Off: do not read",
}


def mode_of(channel: str, mode: "Mode") -> str:
    return f"• <#{channel}>: {MODES[mode]}"


def mode_elsewhere(mode: "Mode") -> str:
    return f"• Everywhere else: {MODES[mode]}"


def route(display: str, channel: str | None) -> str:
    return f"• {escape(display)} → <#{channel}>" if channel else f"• {escape(display)} stays where it is"


def rules(names: Sequence[str]) -> str:
    return "\n".join(["*Rules, in this order*", *(f"• {escape(name)}" for name in names)])


def model(version: str, labels: str) -> str:
    return f"*Model* {escape(version)}. Its labels: {escape(labels)}."


def policy_saved(version: int, user: str, at: int) -> str:
    return f"*Policy* version {version}, saved by <@{user}> {date(at)}."


def policy_unreadable(version: int) -> str:
    return f"I cannot read version {version} of the policy, so an earlier one is in force. Please save it again."


_MOST_MISMATCHES = 8


def mismatches(found: Sequence[str]) -> str:
    """List what a policy names and the current model lacks, so that it never has an effect."""
    lines = [f"• {escape(each)}" for each in found[:_MOST_MISMATCHES]]
    rest = [f"• and {len(found) - _MOST_MISMATCHES} more"] if len(found) > _MOST_MISMATCHES else []
    return "\n".join(["*The policy does not fit the model in use*, so parts of it never apply:", *lines, *rest])
