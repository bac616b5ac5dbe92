"""What the bot says to `/classify`, to whoever typed it."""

from collections.abc import Sequence

from bot.policy.policy import Mode
from bot.slack.mrkdwn import date, escape
from bot.triage.case import CAUTIONS, Reason

NOTHING_TO_READ = "I cannot read anything in that: it has no letters and no digits."
CUT_OFF = "The text was longer than I read; I used its beginning."
NOT_ALLOWED = "Your team's policy names who may change this, and you are not among them. Anybody may mute or stop me."


def would_do(destination: str | None, doubt: Reason | None) -> str:
    """Say what would happen to such a message in a channel where the bot acts by itself."""
    if doubt == "unfamiliar":
        return "I know too few of its words to act on this: I would ask a person."
    if doubt in CAUTIONS:
        return "I cannot rely on my model just now: I would only suggest this."
    if doubt:
        return "I am not sure enough to act on this: I would ask a person."
    return f"I would send this to <#{destination}>." if destination else "I would leave this where it is."


# --- Posting it ---------------------------------------------------------------------------------------------


def post_to(display: str) -> str:
    """A button; plain text."""
    return f"Post to the {display} team"


def post_question(destination: str, user: str) -> str:
    return f"Everybody in <#{destination}> will see the text, and that it comes from <@{user}>."


def posted_for(user: str, display: str) -> str:
    return f"*{escape(display)}*, posted for <@{user}>"


def posted(destination: str, problem: str | None) -> str:
    where = f"<#{destination}>"
    return f"I could not post it in {where}: {problem}." if problem else f"Posted in {where}, in your name."


# --- Switches -----------------------------------------------------------------------------------------------


def muted(target: str) -> str:
    return f"I stay out of <#{target}> now." if _is_channel(target) else f"I leave alone what <@{target}> writes now."


def unmuted(target: str) -> str:
    return f"I read in <#{target}> again." if _is_channel(target) else f"I read what <@{target}> writes again."


def _is_channel(target: str) -> bool:
    return target[:1] in ("C", "G", "D")


STOPPED = "Stopped: I only suggest now, in every channel, until somebody says `/classify start`."
STARTED = "Started: channels in the mode *automatic* are automatic again."


# --- Policy and version -------------------------------------------------------------------------------------

MODES: dict[Mode, str] = {
    "automatic": "Automatic: sort it, say so in the thread",
    "suggest": "Suggest: say in the thread what I would do",
    "watch-only": "Watch only: read, show nothing",
    "off": "Off: do not read",
}


CHANNELS_TITLE = "*Channels*"


def mode(chosen: Mode) -> str:
    """Name a mode and what it does; plain text."""
    return MODES[chosen]


def mode_of(channel: str, chosen: Mode) -> str:
    return f"• <#{channel}>: {MODES[chosen]}"


def mode_elsewhere(chosen: Mode) -> str:
    return f"• Everywhere else: {MODES[chosen]}"


def route(display: str, channel: str | None) -> str:
    return f"• {escape(display)} → <#{channel}>" if channel else f"• {escape(display)} stays where it is"


def rules(names: Sequence[str]) -> str:
    """Name the rules of a policy, in their order."""
    return "\n".join(["*Rules, in this order*", *(f"• {escape(name)}" for name in names)])


def model(version: str, labels: str) -> str:
    return f"*Model* {escape(version)}. It tells apart: {escape(labels)}."


NO_POLICY_SAVED = "*Policy*: the one I came with. Nobody has saved another."


def policy_saved(version: int, user: str, at: int) -> str:
    return f"*Policy* version {version}, saved by <@{user}> {date(at)}."


def policy_unreadable(version: int) -> str:
    return f"I cannot read version {version} of the policy, so an earlier one is in force. Please save it again."


def mismatches(found: Sequence[str]) -> str:
    """Say what a policy names and the model in use does not have: such lines never do anything."""
    lines = [f"• {escape(each)}" for each in found[:_MOST_MISMATCHES]]
    rest = [f"• and {len(found) - _MOST_MISMATCHES} more"] if len(found) > _MOST_MISMATCHES else []
    return "\n".join(["*The policy does not fit the model in use*, so part of it never holds:", *lines, *rest])


_MOST_MISMATCHES = 8


# --- Reasons ------------------------------------------------------------------------------------------------


def reasons(display: str, spoken: Sequence[str]) -> str:
    """Name the words that spoke most for a label, the strongest first."""
    return f"For {escape(display)} spoke above all: {', '.join(f'“{escape(word)}”' for word in spoken)}."


POST_TITLE = "Post this text?"
POST = "Post"
DO_NOT_POST = "Do not"
