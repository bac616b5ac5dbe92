"""The answer to `/classify`, and what becomes of its button."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from slack_sdk.models.blocks import Block, ButtonElement, ConfirmObject

from bot.slack.blocks import View, actions, build_view, columns, context, literal, section, shorten
from bot.slack.mrkdwn import escape
from bot.triage.case import Reason
from bot.triage.display import LabelView
from bot.ui.text import commands as command_text
from bot.ui.text import thread as thread_text

POST_ACTION = "post-text"

_MOST_QUOTED = 300
_MOST_CHOICES = 3
_MOST_POSTED = 2_900
_BUTTON_TEXT = 75
_BUTTON_VALUE = 2_000


@dataclass(frozen=True, slots=True)
class Assessment:
    """What the bot makes of a text: `destination` is where it would go, unless in `doubt`, and `reasons` the words that
    spoke for its label.
    """

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
    """Show what was asked, each facet's likeliest labels and why, what the bot would do, and offer to post it."""
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
    """Say why the text reads so and what would be done with it."""
    why = [command_text.reasons(assessment.main.display, assessment.reasons)] if assessment.reasons else []
    cut = [command_text.CUT_OFF] if assessment.truncated else []
    return [*why, command_text.would_do(assessment.destination, assessment.doubt), *cut]


def _post_button(assessment: Assessment, user: str) -> list[ButtonElement]:
    """Give the button, or none where there is nowhere to post to or the text does not fit into it."""
    value = post_value(assessment)
    if value is None or assessment.destination is None:
        return []
    question = command_text.post_question(assessment.destination, user)
    return [
        ButtonElement(
            text=shorten(command_text.post_to(assessment.main.display), _BUTTON_TEXT),
            action_id=POST_ACTION,
            value=value,
            confirm=ConfirmObject(
                title=command_text.POST_TITLE, text=question, confirm=command_text.POST, deny=command_text.DO_NOT_POST
            ),
        )
    ]


def post_value(assessment: Assessment) -> str | None:
    """Give what a button carries that posts the text; None where it cannot be posted from here."""
    value = f"{assessment.destination}={assessment.main.label}={assessment.text}"
    fits = assessment.destination is not None and not assessment.truncated and len(value) <= _BUTTON_VALUE
    return value if fits else None


def read_post(value: str) -> tuple[str, str, str]:
    """Read what the button carries: channel, label and text. Raises ValueError."""
    destination, label, text = value.split("=", 2)
    return destination, label, text


def build_posted(user: str, display: str, text: str) -> View:
    """Build what is posted in the name of whoever pressed."""
    headline = command_text.posted_for(user, display)
    shown = shorten(text, _MOST_POSTED)
    return build_view(f"{headline}: {escape(shorten(text, _MOST_QUOTED))}", [section(headline), literal(shown)])
