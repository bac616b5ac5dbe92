"""The bot's reply in the thread of a message, edited in place when a person corrects it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from slack_sdk.models.blocks import ButtonElement, InteractiveElement, Option, OptionGroup, StaticSelectElement

from bot.policy.templates import ASSIGNEE, AUTHOR, DESTINATION, LABEL, split
from bot.slack.blocks import (
    LABEL_TEXT,
    MOST_OPTIONS,
    OPTION_VALUE,
    View,
    actions,
    build_view,
    button,
    context,
    option,
    section,
    shorten,
)
from bot.slack.mrkdwn import escape
from bot.triage.case import Correction, Outcome
from bot.triage.display import Choice, LabelView
from bot.triage.ownership import Owner
from bot.ui.text import thread as thread_text

ACTION_PREFIX = "correct:"  # the beginning of the ids of all controls that correct
SPLIT_ACTION = "split"

_MOST_BUTTONS = 4  # with more labels, the likeliest get a button and the others a place in the menu
_MOST_TEXT = 4_000  # characters; chat.update refuses more
_PLACEHOLDER = 150  # characters, a limit of Slack's


@dataclass(frozen=True, slots=True)
class Reply:
    """The content of the reply. `destination` is where the message went or, while that is undecided, would go.

    `problem` is Slack's error if it could not be sent there, `correction` the latest one, `parts` the number of later
    messages read together with it, and `message` the team's own mrkdwn instead of the default sentence. `mentioned`
    and `owner` are set if the reply is to name them.
    """

    label_views: tuple[LabelView, ...]
    outcome: Outcome
    destination: str | None = None
    problem: str | None = None
    correction: Correction | None = None
    parts: int = 0
    message: str | None = None
    mentioned: tuple[str, ...] = ()
    owner: Owner | None = None

    @property
    def main(self) -> LabelView:
        return self.label_views[0]

    @property
    def settled(self) -> bool:
        """Report whether the main facet was decided, by the bot itself or by a person."""
        return self.outcome == "automatic" or self.main.confidence is None


def build_reply(reply: Reply) -> View:
    headline = _headline(reply)
    notes = [thread_text.summary(reply.label_views), *_correction_note(reply), *_merge_note(reply)]
    blocks = [section(headline), *(context(note) for note in notes), *actions(list(_controls(reply)))]
    return build_view(shorten(" ".join([headline, *notes]), _MOST_TEXT), blocks)


def _headline(reply: Reply) -> str:
    if reply.settled:
        parts = [thread_text.mentions(reply.mentioned)] if reply.mentioned else []
        parts.append(_settled(reply))
        parts += [thread_text.owned(reply.owner)] if reply.owner else []
        return " ".join(parts)
    if reply.outcome == "suggest":
        return thread_text.suggestion(reply.main, reply.destination)
    return thread_text.question(reply.main)


def _settled(reply: Reply) -> str:
    if reply.message and not reply.problem:
        return reply.message
    return thread_text.settled(reply.main, reply.destination, reply.problem)


def _correction_note(reply: Reply) -> Iterator[str]:
    correction = reply.correction
    for label_view in reply.label_views:
        if correction and label_view.facet == correction.facet:
            yield thread_text.corrected(
                correction.user,
                label_view.title,
                _display(label_view, correction.before),
                _display(label_view, correction.after),
            )


def _merge_note(reply: Reply) -> Iterator[str]:
    if reply.parts:
        yield thread_text.read_together(reply.parts)


def _display(label_view: LabelView, label: str) -> str:
    return next((choice.display for choice in label_view.choices if choice.name == label), label)


# --- Controls -----------------------------------------------------------------------------------------------


def _controls(reply: Reply) -> Iterator[InteractiveElement]:
    main = reply.main
    offered = [choice for choice in main.choices if not (reply.settled and choice.name == main.label)]
    buttons = offered if len(offered) <= _MOST_BUTTONS else offered[: _MOST_BUTTONS - 1]
    for number, choice in enumerate(buttons):
        yield _button(number, reply, choice)
    groups = dict(_groups(main, offered[len(buttons) :], reply.label_views[1:]))
    if groups:
        yield _menu(groups)
    if reply.parts:
        yield button(thread_text.SPLIT, SPLIT_ACTION, SPLIT_ACTION)


def _button(number: int, reply: Reply, choice: Choice) -> ButtonElement:
    suggested = reply.outcome == "suggest" and not reply.settled
    is_suggested = suggested and choice.name == reply.main.label
    asked = not reply.settled and not suggested
    text = thread_text.confirm(choice.display) if is_suggested else thread_text.instead(choice.display)
    return button(
        choice.display if asked else text,
        f"{ACTION_PREFIX}{number}",
        _value(reply.main, choice),
        "primary" if is_suggested else None,
    )


def _groups(main: LabelView, left: Sequence[Choice], others: Sequence[LabelView]) -> Iterator[tuple[str, list[Option]]]:
    """Yield the menu's groups: the main facet's labels without a button, and the other facets' other labels."""
    offers = [(main, left)]
    offers += [(each, [choice for choice in each.choices if choice.name != each.label]) for each in others]
    for label_view, choices in offers:
        values = [(choice.display, _value(label_view, choice)) for choice in choices]
        options = [option(display, value) for display, value in values if len(value) <= OPTION_VALUE]
        if options:
            yield shorten(label_view.title, LABEL_TEXT), options[:MOST_OPTIONS]


def _menu(groups: Mapping[str, list[Option]]) -> StaticSelectElement:
    return StaticSelectElement(
        placeholder=shorten(thread_text.change(list(groups)), _PLACEHOLDER),
        action_id=f"{ACTION_PREFIX}menu",
        option_groups=[OptionGroup(label=title, options=options) for title, options in groups.items()],
    )


def _value(label_view: LabelView, choice: Choice) -> str:
    return f"{label_view.facet}={choice.name}"


def read_value(value: str) -> tuple[str, str]:
    """Read facet and label from the value of a button or an option."""
    facet, _, label = value.partition("=")
    return facet, label


# --- The team's own replies ---------------------------------------------------------------------------------


def fill_in(
    templates: Sequence[str],
    label_views: Sequence[LabelView],
    author: str | None,
    destination: str | None,
    owner: Owner | None,
) -> str | None:
    """Fill in all templates for a message and join them; None if none of them can be filled in.

    `destination` is the channel that it was sent to. An unsure facet has no value, so that a guess is not stated.
    """
    values = {f"{LABEL}{label_view.facet}": escape(label_view.display) for label_view in label_views if label_view.sure}
    values |= {AUTHOR: f"<@{author}>"} if author else {}
    values |= {DESTINATION: f"<#{destination}>"} if destination else {}
    values |= {ASSIGNEE: f"<@{owner.person}>"} if owner else {}
    filled = [render(template, values) for template in templates]
    return " ".join(text for text in filled if text) or None


def render(template: str, values: Mapping[str, str]) -> str | None:
    """Replace the placeholders of a valid template by mrkdwn; None if the value of one is missing."""
    parts = split(template)
    if any(name not in values for name in parts[1::2]):
        return None
    return "".join(values[part] if number % 2 else escape(part) for number, part in enumerate(parts))
