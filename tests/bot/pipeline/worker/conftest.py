"""A worker on the stand-in Slack, and what it takes to hand it batches."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.pipeline.admission import Admission
from bot.pipeline.message_handler import MessageHandler
from bot.pipeline.worker import Handlers, Worker
from bot.policy.policy import Intake, Policy
from bot.queue.messages import CommandRecord, LifecycleRecord, MessageRecord, to_json
from bot.slack.client import SlackActions
from bot.store.message_groups import MessageGroups


@pytest.fixture
def policy() -> Policy:
    return Policy(
        modes={"C0SUPPORT": "automatic"},
        default_mode="off",
        routes={"billing": "C0BILLING", "technical": "C0TECH"},
        reactions={"category": {"billing": "credit_card"}},
        intake=Intake(merge_seconds=0),
    )


class DeadLetter:
    """Records the dead letters: bodies and reasons."""

    def __init__(self) -> None:
        self.bodies: list[str] = []
        self.reasons: list[str] = []

    def dead_letter(self, delivery, reason: str) -> None:
        self.bodies.append(delivery.body)
        self.reasons.append(reason)


@pytest.fixture
def dead_letter() -> DeadLetter:
    return DeadLetter()


@pytest.fixture
def worker(
    slack,
    ledger,
    manifest,
    classifier,
    build_reconciler,
    build_steps,
    later,
    dead_letter,
    answers,
    settings_of,
    command_handler,
    policy,
) -> Worker:
    held = settings_of(policy)
    reconciler = build_reconciler(SlackActions(slack.client), build_steps(), held)
    admission = Admission(OpenRoad(), time.time)
    message_groups = MessageGroups(ledger.client, ledger.table)
    messages = MessageHandler(manifest, ledger, reconciler, admission, message_groups, later, time.time)
    handlers = Handlers(messages, command_handler, reconciler)
    return Worker(classifier, held, lambda team: handlers, nobody_parts, later, dead_letter, time.time)


def nobody_parts(record: LifecycleRecord) -> None:
    raise AssertionError("no workspace takes the bot out here")


class OpenRoad:
    """Never delays, for tests that are not about limits."""

    def take(self, line: str, interval: float, now: float, longest: float | None = None) -> float:
        return now


@pytest.fixture
def written(slack, build_record):
    """Write a message in #support and give its record."""

    def write(text: str, **changes: Any) -> MessageRecord:
        ts = slack.write(text, channel=changes.get("channel", "C0SUPPORT"))
        return build_record(**{"ts": ts, "text": text, "received_at": int(time.time()), **changes})

    return write


@pytest.fixture
def deliver():
    """Deliver a batch; give the positions of what failed. A record that is a string is the message's body."""

    def deliver(
        worker: Worker, *records, tries: int = 1, due: float | None = None, since: float | None = None
    ) -> list[int]:
        bodies = [record if isinstance(record, str) else to_json(record) for record in records]
        attributes = {"ApproximateReceiveCount": str(tries), "SentTimestamp": "1700000000000"}
        given = {"due": due, "since": since}
        waited = {name: {"stringValue": str(at), "dataType": "Number"} for name, at in given.items() if at is not None}
        messages = [
            {"messageId": str(number), "body": body, "attributes": attributes, "messageAttributes": waited}
            for number, body in enumerate(bodies)
        ]
        return [int(failure["itemIdentifier"]) for failure in worker.handle({"Records": messages})["batchItemFailures"]]

    return deliver


@pytest.fixture
def handlers_of():
    """Return a worker's handlers."""
    return lambda worker: worker.handlers("T0SANDBOX")


@pytest.fixture
def with_other(handlers_of):
    """Let a worker act with other handlers of messages or commands, or another reconciler; see Handlers."""
    return lambda worker, **changes: replace(worker, handlers=lambda team: replace(handlers_of(worker), **changes))


@pytest.fixture
def command() -> Callable[..., CommandRecord]:
    """A /classify of Maya's with this text, made so many seconds ago."""

    def build(text: str, age: int = 0) -> CommandRecord:
        url = "https://hooks.slack.com/commands/T0/1/secret"
        return CommandRecord("T0SANDBOX", "C0SUPPORT", "U0MAYA", text, False, url, int(time.time()) - age)

    return build
