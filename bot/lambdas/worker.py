"""Lambda entry: batches of the queues `triage` and `effects`, with ReportBatchItemFailures."""

import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers
from aws_lambda_powertools.utilities.typing import LambdaContext

from bot.pipeline.admission import Admission
from bot.pipeline.budget import Budget, BudgetedClassifier
from bot.pipeline.command_handler import CommandHandler
from bot.pipeline.follow_ups import FollowUps
from bot.pipeline.idempotency import SECONDS_BETWEEN_POSTS, Idempotency
from bot.pipeline.message_handler import MessageHandler
from bot.pipeline.reconcile import Reconciler
from bot.pipeline.webhooks import Webhooks, connect_publicly, connect_to_stand_in
from bot.pipeline.worker import Handlers, Worker
from bot.policy.parsing.parser import load_policy
from bot.policy.settings import TeamSettings
from bot.queue.deliveries import Redelivery, SqsDeadLetters
from bot.queue.sender import SqsQueue, build_queue
from bot.settings import require
from bot.slack.client import SlackActions
from bot.store.digests import Digests
from bot.store.ledger import Ledger, build_ledger
from bot.store.message_groups import MessageGroups
from bot.store.rate_limiter import RateLimiter
from bot.store.rotations import RoundRobin
from bot.store.settings import CompatibilityCheck, Pair, SettingsStore
from bot.store.stats import StatsStore
from bot.workspaces.workspaces import Workspaces, build_workspaces
from classifier_infra.inference.classifier import Classifier
from classifier_infra.inference.events import build_report
from classifier_infra.inference.service import ClassifierService, CurrentClassifier
from classifier_infra.inference.settings import ClassifierSettings, build_service, read_classifier_settings
from classifier_infra.pricing.estimate import Cost, Mode, Sizing, Traffic, estimate
from classifier_infra.pricing.prices import load_prices

# Named after the package, so that all its modules log through it, as JSON; so do the classifier's.
logger = Logger(service="bot")
logging.getLogger("classifier_infra")
copy_config_to_registered_loggers(logger, include={"classifier_infra"})


@dataclass(frozen=True, slots=True)
class _Collaborators:
    """Objects that an instance of the function keeps between calls."""

    settings: ClassifierSettings
    service: ClassifierService
    ledger: Ledger
    team_settings: SettingsStore
    later: SqsQueue
    dead_letters: SqsDeadLetters
    workspaces: Workspaces
    webhooks: Webhooks
    fits: set[Pair] = field(default_factory=set)


@cache
def _collaborators() -> _Collaborators:
    settings = read_classifier_settings(os.environ)
    later = build_queue(require(os.environ, "EFFECTS_QUEUE_URL"))
    ledger = build_ledger(require(os.environ, "LEDGER_TABLE"))
    default = load_policy(Path(require(os.environ, "POLICY_FILE")))
    team_settings = SettingsStore(ledger.client, ledger.table, default)
    return _Collaborators(
        settings=settings,
        service=build_service(settings, build_report("worker")),
        ledger=ledger,
        team_settings=team_settings,
        later=later,
        dead_letters=SqsDeadLetters(later.client, require(os.environ, "DEAD_LETTER_QUEUE_URL")),
        workspaces=build_workspaces(os.environ, ledger.client, time.time, team_settings),
        webhooks=_build_webhooks(),
    )


def _worker(parts: _Collaborators, classifier: CurrentClassifier) -> Worker:
    watch = CompatibilityCheck(parts.team_settings, classifier.manifest, parts.fits)
    watch.look_at("", TeamSettings(parts.team_settings.default))
    return Worker(
        classifier=_budgeted(parts, classifier) if parts.settings.endpoint else classifier,
        settings=watch,
        handlers=cache(lambda team: _handlers(parts, classifier, SlackActions(parts.workspaces.client_for(team)))),
        part=parts.workspaces.uninstall,
        later=parts.later,
        dead_letters=parts.dead_letters,
        now=time.time,
        home_of=parts.workspaces.home_of,
        renew=parts.workspaces.renew,
        hasten=Redelivery(parts.later.client, parts.later.url).hasten,
    )


def _handlers(parts: _Collaborators, classifier: CurrentClassifier, slack: SlackActions) -> Handlers:
    ledger, team_settings = parts.ledger, parts.team_settings
    steps = _steps(ledger, parts.later)
    stats = StatsStore(ledger.client, ledger.table)
    reconciler = Reconciler(slack, steps, classifier.manifest, team_settings, _follow_ups(parts, steps, slack))
    messages = MessageHandler(
        manifest=classifier.manifest,
        ledger=ledger,
        reconciler=reconciler,
        admission=Admission(RateLimiter(ledger.client, ledger.table), time.time),
        message_groups=MessageGroups(ledger.client, ledger.table),
        later=parts.later,
        now=time.time,
    )
    commands = CommandHandler(
        classifier.manifest, classifier.explain, team_settings, stats, slack, steps, price=_price(parts)
    )
    return Handlers(messages, commands, reconciler)


def _price(parts: _Collaborators) -> Callable[[float], Cost] | None:
    """Return a function from messages a month to their cost, or None without a price table."""
    if not (path := os.environ.get("PRICES_FILE")):
        return None
    kind: Mode = "serverless" if os.environ.get("ENDPOINT_TYPE") == "serverless" else "real-time"
    mode = kind if parts.settings.endpoint else "embedded"
    prices = load_prices(Path(path))
    return lambda messages: estimate(mode, Traffic(messages), Sizing(), prices)


def _follow_ups(parts: _Collaborators, steps: Idempotency, slack: SlackActions) -> FollowUps:
    round_robin = RoundRobin(parts.ledger.client, parts.ledger.table)
    return FollowUps(slack, steps, parts.team_settings, round_robin, parts.webhooks.call)


def _build_webhooks() -> Webhooks:
    # In tests and the sandbox all webhooks are one local server; otherwise none may be at a local address.
    stand_in = os.environ.get("WEBHOOK_STAND_IN")
    return Webhooks(connect_to_stand_in(stand_in) if stand_in else connect_publicly)


def _budgeted(parts: _Collaborators, classifier: CurrentClassifier) -> Classifier:
    # The operator pays for the endpoint, so that a policy saved in Slack cannot raise this limit.
    most = parts.team_settings.default.limits.endpoint_day
    budget = Budget(parts.ledger.client, parts.ledger.table, most)
    return BudgetedClassifier(classifier, classifier.without_endpoint(), budget, time.time)


def _steps(ledger: Ledger, later: SqsQueue) -> Idempotency:
    table = (ledger.client, ledger.table)
    # Slack's own limit by default; a stand-in that takes posts faster makes rehearsals shorter.
    seconds = float(os.environ.get("SECONDS_BETWEEN_POSTS") or SECONDS_BETWEEN_POSTS)
    return Idempotency(ledger, RateLimiter(*table), Digests(*table), later, time.time, seconds)


@logger.inject_lambda_context
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Raises MissingSetting, SettingError, PolicyError, ClassifierUnavailable."""
    parts = _collaborators()
    classifier = parts.service.current(context.get_remaining_time_in_millis() / 1000)
    return _worker(parts, classifier).handle(event, context.get_remaining_time_in_millis() / 1000)
