"""App Home: what one person sees of the bot, gathered and published."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.queue.messages import HomeRecord
from bot.slack.api import GiveUp
from bot.slack.client import ChannelInfo, SlackActions
from bot.store.settings import SettingsStore, TeamSettings
from bot.store.stats import BoardStore
from bot.triage.stats import Waiting
from bot.ui.home import ChannelSetting, Home, Item, build_home
from classifier_infra.model.manifest import Manifest
from classifier_infra.pricing.estimate import Cost

# Each costs calls to Slack, because the bot keeps no texts; and who wants more has a channel to scroll in.
MOST_ITEMS = 5


@dataclass(frozen=True, slots=True)
class HomeDesk:
    """What it takes to show a Home. Methods raise LedgerUnavailable, TryLater, GiveUp and TenantGone."""

    manifest: Manifest
    settings: SettingsStore
    board: BoardStore
    slack: SlackActions
    price: Callable[[float], Cost] | None = None

    def show(self, record: HomeRecord, settings: TeamSettings, now: float) -> None:
        """Publish the Home of a person as things stand now."""
        board = self.board.load(record.team, now)
        channels = self.slack.list_memberships()
        public = {each.id for each in channels if not each.is_private}
        home = Home(
            at=now,
            manifest=self.manifest,
            settings=settings,
            saved=self.settings.read_policy(record.team),
            week=board.week,
            urgent=self._read_items(board.urgent, public),
            review=self._read_items(board.review, public),
            channels=_settings_of(channels, settings),
            urgent_count=len(board.urgent),
            review_count=len(board.review),
            cost=self.price(board.week.a_month) if self.price and board.week.a_month else None,
        )
        self.slack.publish_home(record.user, build_home(home))

    def _read_items(self, waiting: Sequence[Waiting], public: set[str]) -> tuple[Item, ...]:
        return tuple(self._read_item(each, each.key.channel in public) for each in waiting[:MOST_ITEMS])

    def _read_item(self, waiting: Waiting, is_public: bool) -> Item:
        """Read a message again. What was written in a private channel is shown to nobody here."""
        try:
            permalink = self.slack.permalink(waiting.key)
            text = self.slack.read_original(waiting.key).text if is_public else ""
        except GiveUp:  # the message is gone, or the bot is no longer in the channel
            return Item(waiting.key, waiting.guesses, "", None)
        return Item(waiting.key, waiting.guesses, text, permalink)


def _settings_of(channels: Sequence[ChannelInfo], settings: TeamSettings) -> tuple[ChannelSetting, ...]:
    return tuple(
        ChannelSetting(each.id, settings.mode(each.id), each.id in settings.switches.muted_channels)
        for each in sorted(channels, key=lambda each: each.name)
        if not settings.policy.is_destination(each.id)
    )
