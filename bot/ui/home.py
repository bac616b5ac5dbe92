"""App Home as a view: what came in, what waits, what holds in which channel."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast, get_args

from slack_sdk.models.blocks import (
    Block,
    ButtonElement,
    ConfirmObject,
    DividerBlock,
    HeaderBlock,
    Option,
    PlainTextObject,
    SectionBlock,
    StaticSelectElement,
)
from slack_sdk.models.views import View as SlackView

from bot.policy.policy import Mode
from bot.policy.settings import TeamSettings
from bot.queue.messages import MessageKey
from bot.slack.blocks import View, actions, build_view, columns, context, literal, section, shorten
from bot.store.settings import SavedPolicy
from bot.store.stats import MOST_WAITING, Week
from bot.ui.settings import describe_rules
from bot.ui.text import commands as command_text
from bot.ui.text import home as home_text
from bot.ui.text import thread as thread_text
from classifier_infra.model.manifest import Facet, Manifest
from classifier_infra.model.prediction import Score
from classifier_infra.pricing.estimate import Cost

# The rest of a large taxonomy is in the records, not on a page.
_MOST_LABELS = 12


def build_figures(week: Week, manifest: Manifest) -> list[Block]:
    """Show what came in, what it was about, how often people agreed, how soon somebody answered."""
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
        yield home_text.precision(facet.name.replace("_", " ").capitalize(), *week.verdicts(facet.name))


def build_stats(week: Week, manifest: Manifest) -> View:
    """Build the answer to `/classify stats`."""
    spoken = [home_text.week(week.triaged, week.ignored), *_verdicts(week, manifest)]
    return build_view(" ".join(spoken), build_figures(week, manifest))


# Listeners know the Home's controls by the beginning of their ids.
REVIEW_ACTION = "review:"
DONE_ACTION = "done"
MODE_ACTION = "mode"
STOP_ACTION = "stop"
START_ACTION = "start"
POLICY_ACTION = "edit-policy"
ROUTES_ACTION = "edit-routes"
RULES_ACTION = "edit-rules"
UPLOAD_ACTION = "upload-policy"

_MOST_QUOTED = 300
_BUTTON_TEXT = 75
_MOST_CHANNELS = 15


@dataclass(frozen=True, slots=True)
class Item:
    """A message that waits for a person: its likeliest labels, its beginning ("" where it is not to be shown)."""

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
    """What the tab shows at the time `at`; the counts are of all that wait, of which items are the first."""

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
    """Build the view. Raises SlackObjectFormationError where a limit of Block Kit is overstepped."""
    parts = (_state(home), _week(home), _urgent(home), _review(home), _channels(home), _rules(home))
    blocks = [block for part in parts for block in part]
    view: dict[str, Any] = SlackView(type="home", blocks=blocks).to_dict()
    return view


def _title(text: str) -> Iterator[Block]:
    yield DividerBlock()
    yield HeaderBlock(text=PlainTextObject(text=text, emoji=False))


def _state(home: Home) -> Iterator[Block]:
    yield HeaderBlock(text=PlainTextObject(text=home_text.TITLE, emoji=False))
    stopped = home.settings.switches.stopped
    yield _with(
        home_text.STOPPED if stopped else home_text.WORKING, _start_button() if stopped else _stop_button(), "state"
    )
    yield context(home_text.updated(home.at))


def _stop_button() -> ButtonElement:
    question = ConfirmObject(
        title=home_text.STOP_TITLE, text=home_text.STOP_QUESTION, confirm=home_text.STOP, deny=home_text.KEEP_GOING
    )
    return ButtonElement(text=home_text.STOP, action_id=STOP_ACTION, style="danger", confirm=question)


def _start_button() -> ButtonElement:
    return ButtonElement(text=home_text.START, action_id=START_ACTION, style="primary")


def _week(home: Home) -> Iterator[Block]:
    yield from _title(home_text.WEEK)
    yield from build_figures(home.week, home.manifest)
    yield context(home_text.first_reply(home.week.answered_within))
    if home.cost:
        yield context(home_text.cost(home.cost))


# --- What waits ---------------------------------------------------------------------------------------------


def _urgent(home: Home) -> Iterator[Block]:
    yield from _title(home_text.URGENT)
    if not home.urgent:
        yield section(home_text.NOTHING_URGENT)
    for item in home.urgent:
        display = home.main.display(item.guesses[0].name)
        sentence = home_text.urgent_item(item.key.channel, item.written, display, item.permalink)
        yield _with(
            sentence,
            ButtonElement(text=home_text.DONE, action_id=DONE_ACTION, value=item_value(item.key)),
            f"done:{item_value(item.key)}",
        )
        yield literal(shorten(item.text, _MOST_QUOTED) or home_text.NO_TEXT)
    yield from _more(home.urgent_count, len(home.urgent))


def _review(home: Home) -> Iterator[Block]:
    yield from _title(home_text.REVIEW)
    if not home.review:
        yield section(home_text.NOTHING_TO_REVIEW)
    for item in home.review:
        guess = item.guesses[0]
        display = home.main.display(guess.name)
        percent = thread_text.percent(guess.confidence)
        yield section(home_text.review_item(item.key.channel, item.written, display, percent, item.permalink))
        yield literal(shorten(item.text, _MOST_QUOTED) or home_text.NO_TEXT)
        buttons = [_review_button(number, item, home.main) for number in range(len(item.guesses))]
        yield from actions(buttons, f"review:{item_value(item.key)}")
    yield from _more(home.review_count, len(home.review))


def _review_button(number: int, item: Item, facet: Facet) -> ButtonElement:
    label = item.guesses[number].name
    return ButtonElement(
        text=shorten(facet.display(label), _BUTTON_TEXT),
        action_id=f"{REVIEW_ACTION}{number}",
        value=f"{item_value(item.key)}#{facet.name}={label}",
        style="primary" if number == 0 else None,
    )


def _more(count: int, shown: int) -> Iterator[Block]:
    if count > shown:
        left = count - shown
        yield context(home_text.more(f"{left} or" if count >= MOST_WAITING else str(left)))


def item_value(key: MessageKey) -> str:
    """Give what a button carries of the message it is about; the team is in what Slack signs."""
    return f"{key.channel}#{key.ts}"


def read_item(value: str) -> tuple[str, str]:
    """Read channel and ts. Raises ValueError."""
    channel, ts = value.split("#")
    return channel, ts


def read_review(value: str) -> tuple[str, str, str, str]:
    """Read channel, ts, facet and label. Raises ValueError."""
    channel, ts, said = value.split("#", 2)
    facet, label = said.split("=", 1)
    return channel, ts, facet, label


# --- What holds ---------------------------------------------------------------------------------------------


def _channels(home: Home) -> Iterator[Block]:
    yield from _title(home_text.CHANNELS)
    if not home.channels:
        yield section(home_text.NO_CHANNELS)
    for setting in home.channels[:_MOST_CHANNELS]:
        if setting.muted:
            yield section(home_text.channel(setting.channel, muted=True))
        else:
            yield _with(home_text.channel(setting.channel, muted=False), _mode_menu(setting), f"mode:{setting.channel}")
    if len(home.channels) > _MOST_CHANNELS:
        yield context(home_text.more_channels(len(home.channels) - _MOST_CHANNELS))


def _mode_menu(setting: ChannelSetting) -> StaticSelectElement:
    options = {mode: Option(text=command_text.mode(mode), value=f"{setting.channel}={mode}") for mode in _MODES}
    return StaticSelectElement(
        placeholder=home_text.MODE,
        action_id=MODE_ACTION,
        options=list(options.values()),
        initial_option=options[setting.mode],
    )


_MODES: tuple[Mode, ...] = get_args(Mode)


def read_mode(value: str) -> tuple[str, Mode]:
    """Read channel and mode. Raises ValueError."""
    channel, name = value.split("=")
    return channel, _MODES[_MODES.index(cast(Mode, name))]


def _rules(home: Home) -> Iterator[Block]:
    yield from _title(home_text.RULES)
    for part in describe_rules(home.settings, home.saved, home.manifest):
        yield section(part)
    yield from actions(
        [
            ButtonElement(text=home_text.EDIT_ROUTES, action_id=ROUTES_ACTION),
            ButtonElement(text=home_text.EDIT_RULES, action_id=RULES_ACTION),
            ButtonElement(text=home_text.EDIT_POLICY, action_id=POLICY_ACTION),
            ButtonElement(text=home_text.UPLOAD_POLICY, action_id=UPLOAD_ACTION),
        ],
        "rules",
    )


def _with(text: str, accessory: ButtonElement | StaticSelectElement, block_id: str) -> SectionBlock:
    block = section(text)
    block.accessory = accessory
    # Of its own making, so that it is still the same one where the tab is shown anew while somebody presses.
    block.block_id = block_id
    return block
