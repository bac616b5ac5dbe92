"""The Home tab: the week's figures, messages that wait for a person, and the settings of channels and rules."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, cast, get_args

from slack_sdk.models.blocks import (
    Block,
    ButtonElement,
    ConfirmObject,
    DividerBlock,
    HeaderBlock,
    PlainTextObject,
    StaticSelectElement,
)
from slack_sdk.models.views import View as SlackView

from bot.policy.policy import Mode
from bot.policy.settings import TeamSettings
from bot.queue.messages import MessageKey
from bot.slack.blocks import View, actions, build_view, button, columns, context, literal, option, section, shorten
from bot.store.settings import SavedPolicy
from bot.store.stats import MOST_WAITING, Week
from bot.ui.settings import describe_rules
from bot.ui.text import commands as command_text
from bot.ui.text import home as home_text
from bot.ui.text import thread as thread_text
from classifier_infra.model.manifest import Facet, Manifest
from classifier_infra.model.prediction import Score
from classifier_infra.pricing.estimate import Cost

REVIEW_ACTION = "review:"  # the beginning of the ids of all buttons under a message to review
DONE_ACTION = "done"
MODE_ACTION = "mode"
STOP_ACTION = "stop"
START_ACTION = "start"
POLICY_ACTION = "edit-policy"
ROUTES_ACTION = "edit-routes"
RULES_ACTION = "edit-rules"
UPLOAD_ACTION = "upload-policy"

_MOST_LABELS = 12
_MOST_QUOTED = 300
_MOST_CHANNELS = 15

_MODES: tuple[Mode, ...] = get_args(Mode)


@dataclass(frozen=True, slots=True)
class Item:
    """A message that waits for a person: its likeliest labels, and its beginning ("" if that is not to be shown)."""

    key: MessageKey
    guesses: tuple[Score, ...]
    text: str = field(repr=False)
    permalink: str | None

    @property
    def written(self) -> float:
        return float(self.key.ts)


@dataclass(frozen=True, slots=True)
class ChannelSetting:
    channel: str
    mode: Mode
    muted: bool


@dataclass(frozen=True, slots=True)
class Home:
    """The content of the tab at the time `at`; the counts include waiting messages beyond the listed items."""

    at: float
    manifest: Manifest
    settings: TeamSettings
    saved: SavedPolicy | None
    week: Week
    urgent: tuple[Item, ...] = ()
    review: tuple[Item, ...] = ()
    channels: tuple[ChannelSetting, ...] = ()
    urgent_count: int = 0
    review_count: int = 0
    cost: Cost | None = None

    @property
    def main(self) -> Facet:
        return self.manifest.facets[0]


def build_home(home: Home) -> dict[str, Any]:
    """Build the view. Raises SlackObjectFormationError if a limit of Block Kit is exceeded."""
    parts = (_state(home), _week(home), _urgent(home), _review(home), _channels(home), _rules(home))
    blocks = [block for part in parts for block in part]
    view: dict[str, Any] = SlackView(type="home", blocks=blocks).to_dict()
    return view


def _title(text: str) -> Iterator[Block]:
    yield DividerBlock()
    yield _header(text)


def _header(text: str) -> HeaderBlock:
    return HeaderBlock(text=PlainTextObject(text=text, emoji=False))


# Blocks with controls have fixed ids: Slack then treats them as the same blocks when the tab is published anew while
# a person presses something in it.


def _state(home: Home) -> Iterator[Block]:
    yield _header(home_text.TITLE)
    if home.settings.switches.stopped:
        yield section(home_text.STOPPED, button(home_text.START, START_ACTION, style="primary"), "state")
    else:
        yield section(home_text.WORKING, _stop_button(), "state")
    yield context(home_text.updated(home.at))


def _stop_button() -> ButtonElement:
    question = ConfirmObject(
        title=home_text.STOP_TITLE, text=home_text.STOP_QUESTION, confirm=home_text.STOP, deny=home_text.KEEP_GOING
    )
    return button(home_text.STOP, STOP_ACTION, style="danger", confirm=question)


# --- Figures ------------------------------------------------------------------------------------------------


def _week(home: Home) -> Iterator[Block]:
    yield from _title(home_text.WEEK)
    yield from _figures(home.week, home.manifest)
    yield context(home_text.first_reply(home.week.answered_within))
    if home.cost:
        yield context(home_text.cost(home.cost))


def build_stats(week: Week, manifest: Manifest) -> View:
    """Build the answer to `/classify stats`."""
    spoken = [home_text.week(week.triaged, week.ignored), *_verdicts(week, manifest)]
    return build_view(" ".join(spoken), _figures(week, manifest))


def _figures(week: Week, manifest: Manifest) -> list[Block]:
    blocks: list[Block] = [section(home_text.week(week.triaged, week.ignored))]
    if week.triaged:
        agreed = "\n".join([home_text.PRECISION_TITLE, *_verdicts(week, manifest)])
        blocks.append(columns(["\n".join([home_text.VOLUMES_TITLE, *_volumes(week, manifest.facets[0])]), agreed]))
        blocks.append(context(home_text.outcomes(sorted(week.outcomes.items(), key=lambda part: -part[1]))))
    return blocks


def _volumes(week: Week, facet: Facet) -> Iterator[str]:
    shown = list(week.volumes.items())[:_MOST_LABELS]
    for label, count in shown:
        yield home_text.volume(facet.display(label), count, shown[0][1])


def _verdicts(week: Week, manifest: Manifest) -> Iterator[str]:
    for facet in manifest.facets:
        yield home_text.precision(thread_text.facet_title(facet.name), *week.verdicts(facet.name))


# --- Messages that wait for a person ------------------------------------------------------------------------


def _urgent(home: Home) -> Iterator[Block]:
    yield from _title(home_text.URGENT)
    if not home.urgent:
        yield section(home_text.NOTHING_URGENT)
    for item in home.urgent:
        display = home.main.display(item.guesses[0].name)
        sentence = home_text.urgent_item(item.key.channel, item.written, display, item.permalink)
        value = item_value(item.key)
        yield section(sentence, button(home_text.DONE, DONE_ACTION, value), f"done:{value}")
        yield _quote(item)
    yield from _more(home.urgent_count, home.urgent)


def _review(home: Home) -> Iterator[Block]:
    yield from _title(home_text.REVIEW)
    if not home.review:
        yield section(home_text.NOTHING_TO_REVIEW)
    for item in home.review:
        guess = item.guesses[0]
        display = home.main.display(guess.name)
        percent = thread_text.percent(guess.confidence)
        yield section(home_text.review_item(item.key.channel, item.written, display, percent, item.permalink))
        yield _quote(item)
        buttons = [_review_button(number, item, home.main) for number in range(len(item.guesses))]
        yield from actions(buttons, f"review:{item_value(item.key)}")
    yield from _more(home.review_count, home.review)


def _quote(item: Item) -> Block:
    return literal(shorten(item.text, _MOST_QUOTED) or home_text.NO_TEXT)


def _review_button(number: int, item: Item, facet: Facet) -> ButtonElement:
    label = item.guesses[number].name
    value, style = review_value(item.key, facet.name, label), "primary" if number == 0 else None
    return button(facet.display(label), f"{REVIEW_ACTION}{number}", value, style)


def _more(count: int, shown: Sequence[Item]) -> Iterator[Block]:
    if count > len(shown):
        left = count - len(shown)
        yield context(home_text.more(f"{left} or" if count >= MOST_WAITING else str(left)))


# --- Settings -----------------------------------------------------------------------------------------------


def _channels(home: Home) -> Iterator[Block]:
    yield from _title(home_text.CHANNELS)
    if not home.channels:
        yield section(home_text.NO_CHANNELS)
    for setting in home.channels[:_MOST_CHANNELS]:
        if setting.muted:
            yield section(home_text.channel(setting.channel, muted=True))
        else:
            menu = _mode_menu(setting)
            yield section(home_text.channel(setting.channel, muted=False), menu, f"mode:{setting.channel}")
    if len(home.channels) > _MOST_CHANNELS:
        yield context(home_text.more_channels(len(home.channels) - _MOST_CHANNELS))


def _mode_menu(setting: ChannelSetting) -> StaticSelectElement:
    options = {mode: option(command_text.MODES[mode], f"{setting.channel}={mode}") for mode in _MODES}
    return StaticSelectElement(
        placeholder=home_text.MODE,
        action_id=MODE_ACTION,
        options=list(options.values()),
        initial_option=options[setting.mode],
    )


def _rules(home: Home) -> Iterator[Block]:
    yield from _title(home_text.RULES)
    for part in describe_rules(home.settings, home.saved, home.manifest):
        yield section(part)
    yield from actions(
        [
            button(home_text.EDIT_ROUTES, ROUTES_ACTION),
            button(home_text.EDIT_RULES, RULES_ACTION),
            button(home_text.EDIT_POLICY, POLICY_ACTION),
            button(home_text.UPLOAD_POLICY, UPLOAD_ACTION),
        ],
        "rules",
    )


# --- Values of buttons and options --------------------------------------------------------------------------


def item_value(key: MessageKey) -> str:
    """Write channel and ts of a message; its team is in the part of the payload that Slack adds."""
    return f"{key.channel}#{key.ts}"


def read_item(value: str) -> tuple[str, str]:
    """Read channel and ts. Raises ValueError."""
    channel, ts = value.split("#")
    return channel, ts


def review_value(key: MessageKey, facet: str, label: str) -> str:
    """Write a message, and a label of one facet that a person may choose for it."""
    return f"{item_value(key)}#{facet}={label}"


def read_review(value: str) -> tuple[str, str, str, str]:
    """Read channel, ts, facet and label. Raises ValueError."""
    channel, ts, choice = value.split("#", 2)
    facet, label = choice.split("=", 1)
    return channel, ts, facet, label


def read_mode(value: str) -> tuple[str, Mode]:
    """Read channel and mode. Raises ValueError."""
    channel, name = value.split("=")
    return channel, _MODES[_MODES.index(cast(Mode, name))]
