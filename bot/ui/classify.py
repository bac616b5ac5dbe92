"""The answer to `/classify`, and the post that its button makes."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from slack_sdk.models.blocks import Block, ButtonElement, ConfirmObject

from bot.slack.blocks import View, actions, build_view, button, columns, context, literal, section, shorten
from bot.slack.mrkdwn import escape
from bot.triage.case import CAUTIONS, Reason
from bot.triage.display import LabelView
from bot.ui.text import commands as command_text
from bot.ui.text import thread as thread_text

POST_ACTION = "post-text"

_MOST_QUOTED = 300
_MOST_CHOICES = 3
_MOST_POSTED = 2_900
_BUTTON_VALUE = 2_000  # a limit of Slack's


@dataclass(frozen=True, slots=True)
class Assessment:
    """The triage that a text would get: its destination unless in `doubt`, and the words that point to its label."""

    text: str = field(repr=False)
    label_views: tuple[LabelView, ...]
    destination: str | None
    doubt: Reason | None
    truncated: bool
    reasons: tuple[str, ...] = ()

    @property
    def main(self) -> LabelView:
        return self.label_views[0]


def build_answer(assessment: Assessment, user: str) -> View:
    """Show the text, each facet's likeliest labels and why, and what the bot would do; offer to post it."""
    notes = describe(assessment)
    blocks = [
        literal(shorten(assessment.text, _MOST_QUOTED)),
        bars(assessment.label_views),
        *(context(note) for note in notes),
        *actions(_post_button(assessment, user)),
    ]
    return build_view(" ".join([thread_text.summary(assessment.label_views) + ".", *notes]), blocks)


def bars(label_views: Sequence[LabelView]) -> Block:
    return columns(
        [f"*{escape(each.title)}*\n{thread_text.bars(each.choices[:_MOST_CHOICES])}" for each in label_views]
    )


def describe(assessment: Assessment) -> list[str]:
    """Say why the text has its label and what would be done with it."""
    why = [command_text.reasons(assessment.main.display, assessment.reasons)] if assessment.reasons else []
    cut = [command_text.CUT_OFF] if assessment.truncated else []
    return [*why, _would_do(assessment), *cut]


def _would_do(assessment: Assessment) -> str:
    if not assessment.doubt:
        return command_text.would_do(assessment.destination)
    if assessment.doubt == "unfamiliar":
        return command_text.UNFAMILIAR
    return command_text.UNRELIABLE if assessment.doubt in CAUTIONS else command_text.UNSURE


# --- Posting the text ---------------------------------------------------------------------------------------


def _post_button(assessment: Assessment, user: str) -> list[ButtonElement]:
    value = post_value(assessment)
    if value is None or assessment.destination is None:
        return []
    question = ConfirmObject(
        title=command_text.POST_TITLE,
        text=command_text.post_question(assessment.destination, user),
        confirm=command_text.POST,
        deny=command_text.CANCEL,
    )
    return [button(command_text.post_to(assessment.main.display), POST_ACTION, value, confirm=question)]


def post_value(assessment: Assessment) -> str | None:
    """Return the value of a button that posts the text, or None if there is no destination or the text is too long."""
    value = f"{assessment.destination}={assessment.main.label}={assessment.text}"
    fits = assessment.destination is not None and not assessment.truncated and len(value) <= _BUTTON_VALUE
    return value if fits else None


def read_post(value: str) -> tuple[str, str, str]:
    """Read channel, label and text from the button's value. Raises ValueError."""
    destination, label, text = value.split("=", 2)
    return destination, label, text


def build_posted(user: str, display: str, text: str) -> View:
    """Build the post in a team's channel, in the name of `user`."""
    headline = command_text.posted_for(user, display)
    shown = shorten(text, _MOST_POSTED)
    return build_view(f"{headline}: {escape(shorten(text, _MOST_QUOTED))}", [section(headline), literal(shown)])
