"""Whatever happens in whatever order, the promises hold: a machine plays Slack, SQS, people and bad luck.

Worker, effects, ledger, pace and summaries are real, and so are DynamoDB's conditional writes. Slack is a model in
memory that loses answers, acts late and asks for patience; the queue is a list of which anything may come next, twice.
"""

import json
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from bot.pipeline.admission import Admission
from bot.pipeline.corrections import CorrectionHandler
from bot.pipeline.follow_ups import FollowUps
from bot.pipeline.idempotency import TIDY_AFTER, Idempotency
from bot.pipeline.message_handler import MessageHandler
from bot.pipeline.reconcile import Reconciler
from bot.pipeline.worker import Handlers, Worker
from bot.policy.policy import Intake, Limits, Policy
from bot.policy.rules import Action, Condition, Rule
from bot.policy.schedule import Rota
from bot.queue.messages import (
    MessageKey,
    MessageRecord,
    OriginalMessage,
    ReplyRecord,
    SummaryRecord,
    TidyRecord,
    to_json,
)
from bot.slack.api import RetryableError
from bot.slack.blocks import View
from bot.store.digests import Digests
from bot.store.ledger import LEASE_SECONDS, Ledger
from bot.store.rate_limiter import RateLimiter
from bot.store.rotations import RoundRobin
from bot.triage.case import Assign, Case
from bot.triage.ownership import find_assignee, find_owner

POLICY = Policy(
    default_mode="automatic",
    routes={"billing": "C0BILLING", "technical": "C0TECH"},
    reactions={"category": {"billing": "credit_card", "technical": "wrench"}},
    limits=Limits(channel_minute=10**6, workspace_minute=10**6),
    intake=Intake(merge_seconds=0),
    rotas={"technical": Rota(("U0ANNA",))},
    rules=(Rule("technical", Condition({"category": frozenset({"technical"})}), Action(assign="technical")),),
)
LATEST_SECONDS = 5
# Seconds for which a full channel takes nothing: many times what anything else takes here.
FULL_FOR = 2_000
OVERTAKEN = ("overtaken", "overtaken after its lease")
LUCK = ("late", "lost", "dies after", "dies before", "refused", *OVERTAKEN, "good")


class Crash(BaseException):
    """The worker is gone."""


@dataclass
class Clock:
    # Begins now, because the table removes what has expired by its own clock.
    now: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.now


@dataclass
class Slack:
    """What people see, and the luck of the posts to come. A late post lands when `land` is called.

    `meanwhile` is what a second worker does with the same message while the first one is in the middle of a post.
    """

    clock: Clock
    posts: dict[str, tuple[str, MessageKey, str]] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)
    reactions: Counter = field(default_factory=Counter)
    late: list[tuple[str, MessageKey, str, View]] = field(default_factory=list)
    edits: int = 0
    shown: int = 0
    luck: list[str] = field(default_factory=list)
    meanwhile: Callable[[MessageKey], None] = lambda key: None

    def react(self, key, name):
        self.reactions[key, name] = 1

    def unreact(self, key, name):
        self.reactions[key, name] = 0

    def reply(self, key, step, view):
        return self._post(key.channel, key, step, view)

    def send_on(self, key, step, view, channel):
        return self._post(channel, key, step, view)

    def _post(self, channel, key, step, view):
        luck = self.luck.pop() if self.luck else "good"
        if luck == "refused":
            raise RetryableError("ratelimited", refused=True, after=2)
        if luck == "dies before":
            raise Crash
        if luck in OVERTAKEN:
            if luck == "overtaken after its lease":
                self.let_time_pass(LEASE_SECONDS + 1)
            self.meanwhile(key)
        if luck == "late":
            self.late.append((channel, key, step, view))
            raise RetryableError("TimeoutError")
        ts = self._show(channel, key, step, view)
        if luck == "lost":
            raise RetryableError("TimeoutError")
        if luck == "dies after":
            raise Crash
        return ts

    def _show(self, channel, key, step, view):
        self.shown += 1
        ts = f"{self.shown:06}.0"
        self.posts[ts] = (channel, key, step)
        self.words[ts] = json.dumps(view.blocks)
        return ts

    def count_listings(self, channel, key):
        """Count the summaries in a channel that lead to a message."""
        summaries = [ts for ts, (place, _, step) in self.posts.items() if (place, step) == (channel, "summary")]
        return sum(self.permalink(key) in self.words[ts] for ts in summaries)

    def let_time_pass(self, seconds):
        """What nobody waits for any more is done within seconds, if at all."""
        self.clock.now += seconds
        if seconds >= LATEST_SECONDS:
            self.land()

    def land(self):
        for post in self.late:
            self._show(*post)
        self.late.clear()

    def edit(self, channel, ts, view):
        assert self.posts[ts][0] == channel, "a post is edited where it is"
        self.edits += 1
        self.words[ts] = json.dumps(view.blocks)

    def permalink(self, key):
        return f"https://slack.test/{key.channel}/{key.ts}"

    def read_original(self, key, parts=()):
        return OriginalMessage("U0MAYA", "a billing matter")

    def find_reply(self, key, step):
        return min(self.find_copies(key, step, key.channel), default=None)

    def find_sent_on(self, key, step, channel):
        return min(self.find_copies(key, step, channel), default=None)

    def find_copies(self, key, step, channel):
        return sorted(ts for ts, post in self.posts.items() if post == (channel, key, step))

    def remove(self, channel, ts):
        assert self.posts.pop(ts)[0] == channel, "a post is removed where it is"


class Machine(RuleBasedStateMachine):
    """Three messages on their way; every run has a team of its own in the shared table."""

    def __init__(self, dynamodb, table, classifier, held) -> None:
        super().__init__()
        team = f"T{uuid.uuid4().hex.upper()}"
        self.clock = Clock()
        self.slack = Slack(self.clock, meanwhile=self.handle_in_a_second_worker)
        self.queue: list = [
            MessageRecord(team, "C0SUPPORT", f"1700000000.00000{n}", "U0MAYA", text, False, None, int(self.clock.now))
            for n, text in enumerate(["a billing matter", "a technical matter", "another billing matter"])
        ]
        self.keys = [record.key for record in self.queue]
        self.classifier = replace(classifier, calls=[])
        self.ledger, self.rate_limiter = Ledger(dynamodb, table), RateLimiter(dynamodb, table)
        steps = Idempotency(self.ledger, self.rate_limiter, Digests(dynamodb, table), self, self.clock)
        # No rule calls a webhook here.
        follow_ups = FollowUps(self.slack, steps, held, RoundRobin(dynamodb, table), None)
        reconciler = Reconciler(self.slack, steps, classifier.manifest, held, follow_ups)
        admission = Admission(self.rate_limiter, self.clock)
        # Nobody asks the bot anything here, and each message is a request of its own.
        nobody = SimpleNamespace()
        messages = MessageHandler(classifier.manifest, self.ledger, reconciler, admission, nobody, self, self.clock)
        handlers = Handlers(messages, nobody, reconciler)
        self.worker = Worker(self.classifier, held, lambda team: handlers, nobody, self, self, self.clock)
        self.dependencies = CorrectionHandler(self.ledger, self, held, self.clock)
        self.full: set[str] = set()
        self.said: dict[MessageKey, str] = {}
        self.first: dict[MessageKey, str] = {}

    # The machine is the queue, too: what is put off waits its delay, in the end.

    def send(self, record, delay=0, due=None, since=None):
        self.queue.append(record)

    def dead_letter(self, delivery, reason):
        raise AssertionError(f"set aside: {reason}")

    def deliver(self, number: int) -> None:
        record = self.queue[number]
        if self.is_handled(record):
            # What was put off was sent again and is behind; a delivery that was handled goes.
            self.queue.remove(record)

    def is_handled(self, record) -> bool:
        before = len(self.queue)
        try:
            answer = self.worker.handle({"Records": [{"messageId": "1", "body": to_json(record)}]})
        except Crash:
            return False
        assert len(self.queue) <= before + 8, "a delivery leaves no more behind than its steps and their tidying"
        return not answer["batchItemFailures"]

    def handle_in_a_second_worker(self, key) -> None:
        """SQS has handed the message to two workers, as it may; the second one's copy comes again if it fails."""
        copy = MessageRecord(*_parts(key), "U0MAYA", "another billing matter", False, None, int(self.clock.now))
        if not self.is_handled(copy):
            self.queue.append(copy)

    @rule(number=st.integers(0, 20), luck=st.lists(st.sampled_from(LUCK), min_size=1, max_size=3))
    def a_message_is_delivered(self, number, luck):
        due = [place for place, record in enumerate(self.queue) if self.is_due(record)]
        if due:
            self.slack.luck = luck
            self.deliver(due[number % len(due)])
            self.slack.luck = []

    def is_due(self, record) -> bool:
        if isinstance(record, SummaryRecord):
            return record.at <= self.clock.now
        return not isinstance(record, TidyRecord) or record.received_at + TIDY_AFTER <= self.clock.now

    @rule(number=st.integers(0, 2))
    def slack_or_sqs_delivers_a_message_again(self, number):
        key = self.keys[number]
        text = "another billing matter"
        self.queue.append(MessageRecord(*_parts(key), "U0MAYA", text, False, None, int(self.clock.now)))

    @rule(seconds=st.sampled_from([0.4, 1, 5, LEASE_SECONDS + 1]))
    def time_passes(self, seconds):
        self.slack.let_time_pass(seconds)

    @rule(channel=st.sampled_from(["C0BILLING", "C0TECH"]))
    def a_channel_gets_so_many_posts_that_the_next_ones_are_summed_up(self, channel):
        if channel not in self.full:
            self.full.add(channel)
            self.rate_limiter.take(f"{self.keys[0].team}#{channel}", FULL_FOR, self.clock.now)

    @rule()
    def what_was_late_lands(self):
        self.slack.land()

    @rule(number=st.integers(0, 2), person=st.sampled_from(["U0ANNA", "U0BEN", "U0LEO"]), after=st.integers(1, 9))
    def a_person_answers(self, number, person, after):
        key = self.keys[number]
        now = int(self.clock.now)
        self.queue.append(ReplyRecord(*_parts(key), person, f"{now - after}.{len(self.queue):06}", now))

    @rule(number=st.integers(0, 2), label=st.sampled_from(["billing", "technical"]))
    def a_person_corrects(self, number, label):
        key = self.keys[number]
        if self.ledger.load(key, self.clock.now).decision:
            self.dependencies.take(key, "category", label, "U0ANNA")
            self.said[key] = label

    @invariant()
    def the_first_decision_and_the_last_word_stand(self):
        for key in self.keys:
            case = self.ledger.load(key, self.clock.now)
            if case.decision:
                label = case.decision.labels["category"]
                assert self.first.setdefault(key, label) == label
            if key in self.said:
                assert case.labels["category"] == self.said[key]

    def teardown(self) -> None:
        """Bad luck ends; all that is queued comes in, until nothing is left. Then every message is there once.

        What is late lands as late as it can: after everything was tried again, before somebody tidies up.
        """
        self.drain(lambda record: not isinstance(record, TidyRecord))
        self.slack.land()
        self.drain(lambda record: True)
        copies = Counter(self.slack.posts.values())
        for key in self.keys:
            self._check(key, copies)

    def drain(self, comes_in) -> None:
        for _ in range(200):
            waiting = [number for number, record in enumerate(self.queue) if comes_in(record)]
            if not waiting:
                return
            self.clock.now += LEASE_SECONDS + 1
            self.deliver(waiting[0])
        raise AssertionError("something never comes to an end")

    def _check(self, key: MessageKey, copies: Counter) -> None:
        case = self.ledger.load(key, self.clock.now)
        assert case.decision, "nothing is lost"
        assert copies[key.channel, key, "reply"] <= 1
        assert all(count == 1 for count in copies.values()), f"seen twice: {copies}"
        destination = POLICY.routes[case.labels["category"]]
        assert copies[destination, key, f"route:{destination}"] + self.slack.count_listings(destination, key) == 1
        assert copies[key.channel, key, "reply"] == 1 or key in self.said
        if destination == "C0TECH":
            self._check_owner(key, case)

    def _check_owner(self, key: MessageKey, case: Case) -> None:
        """What is assigned is somebody's, and they are named, whatever was said and answered in whichever order."""
        owner = find_owner(case, find_assignee(case, Assign("technical")))
        assert owner, "a rota that is there has somebody"
        [ts] = self.slack.find_copies(key, "route:C0TECH", "C0TECH")
        said = "answered by" if owner.instead_of else "assigned to"
        assert f"{said} <@{owner.person}>" in self.slack.words[ts]


def _parts(key: MessageKey) -> tuple[str, str, str]:
    return key.team, key.channel, key.ts


@pytest.mark.timeout(400)
def test_nothing_is_lost_and_nothing_seen_twice_in_any_order(dynamodb, ledger_table, classifier, settings_of):
    run_state_machine_as_test(
        lambda: Machine(dynamodb, ledger_table, classifier, settings_of(POLICY)),
        settings=settings(
            max_examples=30, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )
