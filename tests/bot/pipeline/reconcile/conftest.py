"""Fixtures that carry out decisions on a fake Slack, with a fixed clock and a process that can die."""

import itertools
from dataclasses import dataclass

import pytest

from bot.pipeline.reconcile import Reconciler
from bot.policy.policy import Policy, Urgent
from bot.queue.messages import MessageKey, MessageRecord
from bot.sandbox.slack.workspace import Message
from bot.slack.client import SlackActions
from bot.store.ledger import Claim, Ledger
from bot.triage.case import AddReaction, Correction, Decision, Effect, PostReply, PostRoute, StepResult


@pytest.fixture
def policy() -> Policy:
    """`general` goes to a channel that is archived."""
    return Policy(
        modes={"C0SUPPORT": "automatic"},
        default_mode="off",
        routes={"billing": "C0BILLING", "technical": "C0TECH", "general": "C0OLD"},
        urgent=Urgent({"urgency": frozenset({"high"})}, "S0ONCALL"),
        reactions={"category": {"billing": "credit_card", "technical": "wrench"}},
    )


class Crash(BaseException):
    """The process is gone."""


@dataclass(frozen=True)
class MortalLedger(Ledger):
    """The process that uses it dies after a step, before the step's result is remembered."""

    dies_after: str = ""

    def complete(self, claim: Claim, result: StepResult) -> StepResult:
        if claim.step == self.dies_after:
            raise Crash
        return super().complete(claim, result)


@pytest.fixture
def reconciler(slack, build_reconciler, build_steps, clock, settings_of, policy) -> Reconciler:
    return build_reconciler(SlackActions(slack.client), build_steps(now=clock), settings_of(policy))


@pytest.fixture
def crash_after(slack, build_reconciler, build_steps, dynamodb, ledger_table, clock, settings_of, policy, carry_out):
    """Carry a decision out until the process dies after a step, before the step's result is remembered."""

    def crash(step: str, record: MessageRecord, decision: Decision) -> None:
        ledger = MortalLedger(dynamodb, ledger_table, step)
        steps = build_steps(ledger=ledger, now=clock)
        reconciler = build_reconciler(SlackActions(slack.client), steps, settings_of(policy))
        with pytest.raises(Crash):
            carry_out(reconciler, record, decision)

    return crash


@pytest.fixture
def written(slack, build_record):
    """A customer's message in #support, as a record."""
    return build_record(ts=slack.write("a billing matter"))


@pytest.fixture
def decide_to(facet_results):
    """Build a decision to do something at once."""

    def decide(*reconciler: Effect) -> Decision:
        return Decision("automatic", "sure", facet_results, "model-1", "endpoint", reconciler)

    return decide


@pytest.fixture
def decision(decide_to) -> Decision:
    return decide_to(AddReaction("credit_card"), PostRoute("C0BILLING", ("S0ONCALL",), urgent=True), PostReply())


@pytest.fixture
def handled(reconciler, ledger, written, decision, clock, carry_out) -> MessageKey:
    """The message after the bot has done its part."""
    ledger.record_decision(written.key, decision, clock.now)
    carry_out(reconciler, written, decision)
    return written.key


@pytest.fixture
def correct(ledger, clock):
    """Let Anna correct a message in the ledger, without showing it."""
    versions = itertools.count(1)

    def record(key: MessageKey, facet: str, before: str, after: str) -> None:
        correction = Correction(next(versions), facet, before, after, "U0ANNA", int(clock.now), "model-1")
        ledger.record_correction(key, ledger.load(key, clock.now), correction, clock.now)

    return record


@pytest.fixture
def headline():
    """Return the first line of the bot's reply."""

    def headline(message: Message) -> str:
        block = message.content.blocks[0]
        return str(block["text"]["text"] if "text" in block else block["elements"][0]["text"])

    return headline
