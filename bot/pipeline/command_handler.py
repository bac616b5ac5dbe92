"""Answer people's requests to the bot itself: `/classify`, its buttons, App Home and dialogs."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial

from bot.pipeline.corrections import CorrectionHandler, NotAllowed, NothingToCorrect
from bot.pipeline.idempotency import Idempotency, Post
from bot.policy.editing.edit_rule import read_rules
from bot.policy.parsing.parser import WrittenPolicy, parse_policy
from bot.policy.policy import Policy, find_mismatches
from bot.policy.rules import MessageContext
from bot.policy.settings import TeamSettings
from bot.queue.messages import (
    AskRecord,
    CommandRecord,
    ForwardRecord,
    HomeRecord,
    InspectRecord,
    InvalidRecord,
    ReactionRecord,
    RouteDialogRecord,
    RuleFormRecord,
    SavedRecord,
    TrialRecord,
    UploadRecord,
)
from bot.slack.api import PermanentError, respond
from bot.slack.blocks import View
from bot.slack.client import ChannelInfo, SlackActions
from bot.store.ledger import Ledger
from bot.store.settings import SettingsStore
from bot.store.stats import StatsStore
from bot.triage.backtest import Decided, compare
from bot.triage.decide import assess, direct, doubt
from bot.triage.display import view_case, view_facet_results
from bot.triage.stats import Waiting
from bot.ui.classify import Assessment, build_answer, build_posted
from bot.ui.dialog import build_notice
from bot.ui.home import ChannelSetting, Home, Item, build_home, build_stats
from bot.ui.inspect_dialog import build_inspection
from bot.ui.policy_dialog import build_policy_dialog, build_route_dialog
from bot.ui.policy_upload import build_review, read_draft
from bot.ui.rule_dialog import Choices, build_rule_form
from bot.ui.settings import build_policy, build_version
from bot.ui.text import commands as command_text
from bot.ui.text import dialogs as dialog_text
from bot.ui.text import rules as rule_text
from bot.ui.text import thread as thread_text
from classifier_infra.inference.classifier import NotExplainable
from classifier_infra.model.explanation import Explanation, WordContribution
from classifier_infra.model.manifest import Manifest
from classifier_infra.model.prediction import Prediction
from classifier_infra.model.text import is_readable
from classifier_infra.pricing.estimate import Cost

# Each item costs calls to Slack, because the bot stores no texts. The rest can be read in the channels.
MOST_ITEMS = 5


@dataclass(frozen=True, slots=True)
class HomeView:
    """App Home. Methods raise LedgerUnavailable, RetryableError, PermanentError and WorkspaceUninstalled."""

    manifest: Manifest
    settings: SettingsStore
    stats: StatsStore
    slack: SlackActions
    price: Callable[[float], Cost] | None = None

    def show(self, record: HomeRecord, settings: TeamSettings, now: float) -> None:
        """Publish a person's Home tab."""
        stats = self.stats.load(record.team, now)
        channels = self.slack.list_memberships()
        public = {each.id for each in channels if not each.is_private}
        home = Home(
            at=now,
            manifest=self.manifest,
            settings=settings,
            saved=self.settings.read_policy(record.team),
            week=stats.week,
            urgent=self._read_items(stats.urgent, public),
            review=self._read_items(stats.review, public),
            channels=_settings_of(channels, settings),
            urgent_count=len(stats.urgent),
            review_count=len(stats.review),
            cost=self.price(stats.week.a_month) if self.price and stats.week.a_month else None,
        )
        self.slack.publish_home(record.user, build_home(home))

    def _read_items(self, waiting: Sequence[Waiting], public: set[str]) -> tuple[Item, ...]:
        return tuple(self._read_item(each, each.key.channel in public) for each in waiting[:MOST_ITEMS])

    def _read_item(self, waiting: Waiting, is_public: bool) -> Item:
        """Read a message from Slack. Texts of private channels are not shown."""
        try:
            permalink = self.slack.permalink(waiting.key)
            text = self.slack.read_original(waiting.key).text if is_public else ""
        except PermanentError:  # the message is gone, or the bot is no longer in the channel
            return Item(waiting.key, waiting.guesses, "", None)
        return Item(waiting.key, waiting.guesses, text, permalink)


def _settings_of(channels: Sequence[ChannelInfo], settings: TeamSettings) -> tuple[ChannelSetting, ...]:
    return tuple(
        ChannelSetting(each.id, settings.mode(each.id), each.id in settings.switches.muted_channels)
        for each in sorted(channels, key=lambda each: each.name)
        if not settings.policy.is_destination(each.id)
    )


log = logging.getLogger(__name__)

# Slack accepts answers at a response_url for thirty minutes; older questions are not classified.
ANSWERABLE_SECONDS = 25 * 60

_MOST_REASONS = 4
# A policy is compared on the newest of the week's requests, as many as one query returns.
MOST_HELD_AGAINST = 500
# Words that contribute less than this share of the total are left out of explanations.
_LEAST_SHARE = 0.1


class TooLate(Exception):
    """A question that Slack accepts no answer to any more."""


@dataclass(frozen=True, slots=True)
class CommandHandler:
    """Answers commands, dialogs and App Home. Methods raise what their collaborators raise: deliver the record again.

    `price` returns the cost of classifying a number of messages a month; None without a price table.
    """

    manifest: Manifest
    explain: Callable[[str, str, str], Explanation]
    settings: SettingsStore
    stats: StatsStore
    slack: SlackActions
    steps: Idempotency
    respond: Callable[..., None] = respond
    price: Callable[[float], Cost] | None = None

    @property
    def ledger(self) -> Ledger:
        return self.steps.ledger

    def now(self) -> float:
        return self.steps.now()

    def is_answerable(self, record: CommandRecord | AskRecord | InspectRecord | TrialRecord) -> bool:
        return self.now() - record.received_at <= ANSWERABLE_SECONDS

    def text_of(self, record: CommandRecord | InspectRecord | TrialRecord) -> str | None:
        """Return the text to classify for an answer; None if it is unreadable or the answer would be too late."""
        return record.text if is_readable(record.text) and self.is_answerable(record) else None

    def _respond(self, record: CommandRecord | AskRecord, build: Callable[[], View]) -> None:
        if not self.is_answerable(record):
            raise TooLate(f"no try to answer within {ANSWERABLE_SECONDS // 60} minutes succeeded")
        self.respond(record.response_url, build())

    # --- A text ---------------------------------------------------------------------------------------------

    def answer_command(self, record: CommandRecord, settings: TeamSettings, prediction: Prediction | None) -> None:
        def build() -> View:
            if prediction is None:
                return View(command_text.NOTHING_TO_READ, ())
            return build_answer(self._assess(record, settings, prediction), record.user)

        self._respond(record, build)

    def _assess(
        self, record: CommandRecord | InspectRecord, settings: TeamSettings, prediction: Prediction
    ) -> Assessment:
        facet_results, text = assess(prediction, self.manifest), record.text
        return Assessment(
            text=text,
            label_views=view_facet_results(facet_results, self.manifest),
            destination=direct(facet_results, settings.policy, _message_context(record)).route,
            doubt=doubt(prediction, self.manifest),
            truncated=record.truncated,
            reasons=self._find_reasons(text, facet_results[0].facet, facet_results[0].label),
        )

    def _find_reasons(self, text: str, facet: str, label: str) -> tuple[str, ...]:
        try:
            return strongest(self.explain(text, facet, label).words)
        except NotExplainable:  # the bars still stand
            return ()

    def show_home(self, record: HomeRecord) -> None:
        settings = self.settings.reload(record.team, self.now())
        HomeView(self.manifest, self.settings, self.stats, self.slack, self.price).show(record, settings, self.now())

    def forward(self, record: ForwardRecord) -> None:
        """Post a text in the channel that a person chose, once for each press, and confirm it."""
        facet = self.manifest.facets[0]
        view = build_posted(record.user, facet.display(record.label), record.text)
        step = f"forward:{record.place}"
        find = partial(self.slack.find_sent_on, record.key, step, record.place)
        make = partial(self.slack.send_on, record.key, step, view, record.place)
        result = self.steps.post(Post(record.key, step, record.place, find, make))
        problem = thread_text.explain(result.error) if result.error else None
        if record.response_url:
            self.respond(record.response_url, View(command_text.posted(record.place, problem), ()), replace=True)

    def take_reaction(self, record: ReactionRecord, settings: TeamSettings) -> None:
        """Record a reaction as a correction if the policy defines it as one. Idempotent."""
        said = settings.policy.corrected_by(record.name)
        if said is None:
            return
        corrections = CorrectionHandler(self.ledger, self.steps.later, self.settings, self.now)
        said_at = float(record.said_at) if record.said_at else None
        try:
            corrections.take(record.key, *said, record.user, said_at)
        except (NotAllowed, NothingToCorrect) as refusal:  # a reaction expects no answer
            log.info("reaction corrects nothing", extra={"message_key": str(record.key), "detail": str(refusal)})

    # --- Dialogs --------------------------------------------------------------------------------------------

    def inspect(self, record: InspectRecord, settings: TeamSettings, prediction: Prediction | None) -> None:
        """Fill the dialog about a message; earlier corrections override the prediction."""
        case = self.ledger.load(record.key, self.now())
        if prediction is None:
            self.slack.update_dialog(record.view, build_notice(dialog_text.NOTHING_TO_READ))
            return
        assessment = self._assess(record, settings, prediction)
        known = case.decision is not None and bool(case.decision.facet_results)
        if known:
            assessment = replace(assessment, label_views=view_case(case, self.manifest))
        self.slack.update_dialog(record.view, build_inspection(assessment, record.key, known))

    def try_policy(self, record: TrialRecord, settings: TeamSettings, prediction: Prediction | None) -> None:
        """Show in the dialog what a policy would do with a text and with this week's requests; save nothing."""
        policy = parse_policy(record.policy)
        outcome = dialog_text.NOTHING_TO_READ
        if prediction is not None:
            facet_results = assess(prediction, self.manifest)
            main = view_facet_results(facet_results, self.manifest)[0]
            directions = direct(facet_results, policy, _message_context(record))
            percent = thread_text.percent(facet_results[0].confidence)
            outcome = dialog_text.trial(main.display, percent, doubt(prediction, self.manifest) is None, directions)
        outcome = f"{outcome}\n{self._say_changes(settings.policy, policy, record.team)}"
        self.slack.update_dialog(record.view, build_policy_dialog(record.policy, record.base, record.text, outcome))

    def review_upload(self, record: UploadRecord, settings: TeamSettings) -> None:
        """Show in the dialog what an uploaded policy would change. It is saved when the dialog is submitted."""
        policy = parse_policy(record.policy)
        outcome = self._say_changes(settings.policy, policy, record.team)
        self.slack.update_dialog(record.view, build_review(read_draft(record.draft), policy, outcome))

    def _say_changes(self, old: Policy, new: Policy, team: str) -> str:
        changes = dialog_text.dry_run(compare(old, new, self._load_decided(team)))
        found = find_mismatches(new, self.manifest)
        return f"{changes}\n{command_text.mismatches(found)}" if found else changes

    def _load_decided(self, team: str) -> list[Decided]:
        settled = self.stats.load_settled(team, self.now(), MOST_HELD_AGAINST)
        return [Decided(each.key, each.main, each.labels) for each in settled]

    def look_at_saved(self, record: SavedRecord) -> None:
        """Show in the dialog where the policy that was just saved does not fit the model, if anywhere."""
        settings = self.settings.reload(record.team, self.now())
        found = find_mismatches(settings.policy, self.manifest)
        if found and settings.version == record.saved:
            sentences = f"{dialog_text.saved(record.saved)}\n{command_text.mismatches(found)}"
            self.slack.update_dialog(record.view, build_notice(sentences))

    def show_routes(self, record: RouteDialogRecord) -> None:
        """Show the labels to choose from in the dialog."""
        self.slack.update_dialog(record.view, build_route_dialog(self.manifest.facets[0], record.base))

    def show_rule_form(self, record: RuleFormRecord) -> None:
        """Show the form of a rule, with its choices, in the dialog."""
        policy = WrittenPolicy.of(record.policy)
        rules = read_rules(policy)
        if record.number > len(rules):
            raise InvalidRecord("the policy has no rule with this number")
        view = build_rule_form(rules, record.number, record.base, self._find_choices(policy.policy))
        try:
            self.slack.update_dialog(record.view, view)
        except PermanentError as failure:
            log.warning("form not shown", extra={"error": failure.error})
            self.slack.update_dialog(record.view, build_notice(rule_text.FORM_NOT_TAKEN))

    def _find_choices(self, policy: Policy) -> Choices:
        return Choices(
            facets=self.manifest.facets,
            hours=tuple(policy.hours),
            rotas=tuple(policy.rotas),
            templates=tuple(policy.templates),
            channels={each.id: each.name for each in self.slack.list_memberships()},
            groups=self.slack.list_groups(),
        )

    # --- Anything else --------------------------------------------------------------------------------------

    def answer_question(self, record: AskRecord, settings: TeamSettings) -> None:
        """Carry out a `/classify` subcommand and answer it. Idempotent."""
        self._respond(record, lambda: self._obey(record, settings))

    def _obey(self, record: AskRecord, settings: TeamSettings) -> View:
        if record.verb == "stats":
            return build_stats(self.stats.load_week(record.team, self.now()), self.manifest)
        if record.verb in ("policy", "version"):
            build = build_policy if record.verb == "policy" else build_version
            return build(settings, self.settings.read_policy(record.team), self.manifest)
        if record.verb not in _QUIETER and not settings.policy.may_change(record.user):
            return View(command_text.NOT_ALLOWED, ())
        return View(self._switch(record), ())

    def _switch(self, record: AskRecord) -> str:
        who = (record.user, record.received_at if record.said_at is None else record.said_at)
        target = record.target or record.channel
        match record.verb:
            case "mute":
                self.settings.mute(record.team, target, *who)
                return command_text.muted(target)
            case "unmute":
                self.settings.unmute(record.team, target, *who)
                return command_text.unmuted(target)
            case "stop":
                self.settings.stop(record.team, *who)
                return command_text.STOPPED
            case "start":
                self.settings.start(record.team, *who)
                return command_text.STARTED
        return command_text.UNKNOWN


def _message_context(record: CommandRecord | InspectRecord | TrialRecord) -> MessageContext:
    """Return the rules' context, as if the text had been written where and when the question was asked."""
    return MessageContext(record.channel, datetime.fromtimestamp(record.received_at, UTC), text=record.text)


# Anyone may silence the bot, without the right to change the policy.
_QUIETER = frozenset({"mute", "stop"})


def strongest(contributions: Sequence[WordContribution]) -> tuple[str, ...]:
    """Return the words that contributed most to a label, strongest first, each once."""
    added: dict[str, float] = {}
    for each in contributions:
        if each.contribution > 0 and any(map(str.isalnum, each.word)):
            added[each.word] = added.get(each.word, 0.0) + each.contribution
    least = _LEAST_SHARE * sum(added.values())
    ranked = sorted((word for word in added if added[word] >= least), key=lambda word: -added[word])
    return tuple(ranked[:_MOST_REASONS])
