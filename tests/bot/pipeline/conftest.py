"""Fixtures that build what acts in Slack: idempotent steps, follow-ups, the reconciler and the command handler."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from bot.pipeline.command_handler import CommandHandler
from bot.pipeline.follow_ups import FollowUps
from bot.pipeline.idempotency import Idempotency
from bot.pipeline.reconcile import Reconciler
from bot.pipeline.webhooks import Call
from bot.policy.policy import Policy
from bot.queue.messages import MessageRecord, OriginalMessage
from bot.slack.client import SlackActions
from bot.store.digests import Digests
from bot.store.rotations import RoundRobin
from bot.store.settings import SettingsStore
from bot.store.stats import StatsStore
from bot.triage.case import Decision
from classifier_infra.model.explanation import Explanation, WordContribution
from tests.bot.doubles import Answers, FixedSettings, NoCalls, NoRateLimit


@pytest.fixture
def build_steps(dynamodb, ledger_table, ledger, later) -> Callable[..., Idempotency]:
    """Build an Idempotency; name only what the test is about."""

    def build(**changes: Any) -> Idempotency:
        values: dict[str, Any] = {
            "ledger": ledger,
            "rate_limiter": NoRateLimit(),
            "summaries": Digests(dynamodb, ledger_table),
            "later": later,
            "now": time.time,
        }
        return Idempotency(**values | changes)

    return build


@pytest.fixture
def build_follow_ups(dynamodb, ledger_table) -> Callable[..., FollowUps]:
    """Build FollowUps; `call` calls webhooks."""

    def build(
        actions: SlackActions, steps: Idempotency, held: FixedSettings, call: Callable[[Call], None] | None = None
    ) -> FollowUps:
        return FollowUps(actions, steps, held, RoundRobin(dynamodb, ledger_table), call or NoCalls())

    return build


@pytest.fixture
def build_reconciler(build_follow_ups, manifest) -> Callable[..., Reconciler]:
    """Build a Reconciler; `call` calls webhooks."""

    def build(
        actions: SlackActions, steps: Idempotency, held: FixedSettings, call: Callable[[Call], None] | None = None
    ) -> Reconciler:
        return Reconciler(actions, steps, manifest, held, build_follow_ups(actions, steps, held, call))

    return build


@pytest.fixture
def carry_out() -> Callable[[Reconciler, MessageRecord, Decision], None]:
    """Record a decision about a message, unless there is one, and bring Slack in line."""

    def act(reconciler: Reconciler, record: MessageRecord, decision: Decision) -> None:
        standing = reconciler.ledger.record_decision(record.key, decision, time.time())
        original = OriginalMessage(record.author, record.text, record.author_team, standing.text_as_of)
        reconciler.reconcile(record.key, original)

    return act


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def command_handler(slack, ledger, manifest, build_steps, answers) -> CommandHandler:
    """The command handler of a team that routes two of its labels."""
    store = SettingsStore(ledger.client, ledger.table, Policy(routes={"billing": "C0BILLING", "technical": "C0TECH"}))
    stats = StatsStore(ledger.client, ledger.table)
    return CommandHandler(manifest, _explain, store, stats, SlackActions(slack.client), build_steps(), answers)


def _explain(text: str, facet: str, label: str) -> Explanation:
    """Explain a label: a word contributes its length."""
    words = [WordContribution(word, place, float(len(word)), known=True) for place, word in enumerate(text.split())]
    return Explanation(facet, label, 1.0, 0.0, tuple(words))
