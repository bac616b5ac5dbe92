"""The promises hold for any order of events: a state machine plays Slack, SQS, people and faults.

Worker, reconciler, ledger, rate limiter and digests are real, and so are DynamoDB's conditional writes. Slack is a
model in memory that loses answers, acts late and limits the rate; the queue is a list of which anything may come
next, twice. People edit, delete, correct, answer, stop and start; a second workspace delivers the same messages; a
sweep queues what it has not seen.
"""

import json
import os
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
from bot.policy.settings import Switches
from bot.queue.messages import (
    MessageKey,
    MessageRecord,
    OriginalMessage,
    ReplyRecord,
    RevisionRecord,
    SummaryRecord,
    TidyRecord,
    to_json,
)
from bot.slack.api import PermanentError, RetryableError
from bot.slack.blocks import View
from bot.store.digests import Digests
from bot.store.ledger import LEASE_SECONDS, Ledger
from bot.store.rate_limiter import RateLimiter
from bot.store.rotations import RoundRobin
from bot.triage.case import Assign, Case
from bot.triage.ownership import find_assigned, find_assignee, find_owner

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
    """The visible posts, and the outcomes of the next ones. A late post lands when `land` is called.

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
    texts: dict[MessageKey, str | None] = field(default_factory=dict)
    meanwhile: Callable[[MessageKey], None] = lambda key: None

    def react(self, key, name):
        self.reactions[key, name] = 1

    def unreact(self, key, name):
        self.reactions[key, name] = 0

    def reply(self, key, step, view):
        if self.texts[key] is None:
            raise PermanentError("message_not_found")
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
        self.words[ts] = json.dumps([view.text, view.blocks])
        return ts

    def count_listings(self, channel, key):
        """Count the summaries in a channel that lead to a message."""
        summaries = [ts for ts, (place, _, step) in self.posts.items() if (place, step) == (channel, "summary")]
        return sum(self.permalink(key) in self.words[ts] for ts in summaries)

    def let_time_pass(self, seconds):
        """Advance the clock; a late post lands within LATEST_SECONDS or not at all."""
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
        self.words[ts] = json.dumps([view.text, view.blocks])

    def permalink(self, key):
        return f"https://slack.test/{key.channel}/{key.ts}"

    def read_original(self, key, parts=()):
        text = self.texts[key]
        return OriginalMessage(None, "") if text is None else OriginalMessage("U0MAYA", text)

    def read_request(self, key, received_at, parts=()):
        text = self.texts[key]
        return text and MessageRecord(*_parts(key), "U0MAYA", text, False, None, received_at)

    def find_reply(self, key, step):
        return min(self.find_copies(key, step, key.channel), default=None)

    def find_sent_on(self, key, step, channel):
        return min(self.find_copies(key, step, channel), default=None)

    def find_copies(self, key, step, channel):
        return sorted(ts for ts, post in self.posts.items() if post == (channel, key, step))

    def remove(self, channel, ts):
        post = self.posts.pop(ts, None)  # what is gone already is a success
        assert post is None or post[0] == channel, "a post is removed where it is"


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
        self.originals = {record.key: record for record in self.queue}
        self.slack.texts = {record.key: record.text for record in self.queue}
        self.held = held
        self.stopped = False
        self.classifier = replace(classifier, calls=[])
        self.ledger, self.rate_limiter = Ledger(dynamodb, table), RateLimiter(dynamodb, table)
        steps = Idempotency(self.ledger, self.rate_limiter, Digests(dynamodb, table), self, self.clock)
        # No rule calls a webhook here.
        follow_ups = FollowUps(self.slack, steps, held, RoundRobin(dynamodb, table), None)
        reconciler = Reconciler(self.slack, steps, classifier.manifest, held, follow_ups)
        admission = Admission(self.rate_limiter, self.clock)
        # The bot is asked nothing here, and each message is a request of its own.
        nobody = SimpleNamespace()
        messages = MessageHandler(classifier.manifest, self.ledger, reconciler, admission, nobody, self, self.clock)
        handlers = Handlers(messages, nobody, reconciler)
        worker = Worker(self.classifier, held, lambda team: handlers, nobody, self, self, self.clock)
        self.worker = replace(worker, home_of=lambda _team, channel: team)
        self.dependencies = CorrectionHandler(self.ledger, self, held, self.clock)
        self.full: set[str] = set()
        self.said: dict[MessageKey, str] = {}

    # The machine is the queue, too: what is put off waits its delay, in the end.

    def send(self, record, delay=0, due=None, since=None):
        self.queue.append(record)

    def dead_letter(self, delivery, reason):
        raise AssertionError(f"dead-lettered: {reason}")

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
        copy = replace(self.originals[key], received_at=int(self.clock.now))
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
        self.queue.append(replace(self.originals[self.keys[number]], received_at=int(self.clock.now)))

    @rule(number=st.integers(0, 2))
    def a_second_workspace_tells_of_a_message(self, number):
        self.queue.append(replace(self.originals[self.keys[number]], team="T0SECOND"))

    @rule(number=st.integers(0, 2), label=st.sampled_from(["billing", "technical"]))
    def its_author_edits_a_message(self, number, label):
        key = self.keys[number]
        if self.slack.texts[key] is not None:
            self.slack.let_time_pass(0.01)
            self.slack.texts[key] = f"a {label} matter, as of {len(self.queue)}"
            self.queue.append(RevisionRecord(*_parts(key), int(self.clock.now)))

    @rule(number=st.integers(0, 2))
    def its_author_deletes_a_message(self, number):
        key = self.keys[number]
        self.slack.let_time_pass(0.01)
        self.slack.texts[key] = None
        self.queue.append(RevisionRecord(*_parts(key), int(self.clock.now)))

    @rule(stopped=st.booleans())
    def people_stop_or_start_the_bot(self, stopped):
        self.stopped = self.stopped or stopped
        self.held.held = replace(self.held.held, switches=Switches(stopped=stopped))

    @rule()
    def a_sweep_queues_what_it_has_not_seen(self):
        known = self.ledger.find_known(self.keys)
        for key in self.keys:
            if key not in known and self.slack.texts[key] is not None:
                self.ledger.note_seen(key, self.clock.now)
                self.queue.append(replace(self.originals[key], text=self.slack.texts[key]))

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
        decision = self.ledger.load(key, self.clock.now).decision
        if decision and decision.facet_results:
            self.dependencies.take(key, "category", label, "U0ANNA")
            self.said[key] = label

    @invariant()
    def the_last_word_of_a_person_stands(self):
        for key, label in self.said.items():
            assert self.ledger.load(key, self.clock.now).labels["category"] == label

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
        for _ in range(300):
            waiting = [number for number, record in enumerate(self.queue) if comes_in(record)]
            if not waiting:
                return
            self.clock.now += LEASE_SECONDS + 1
            self.deliver(waiting[0])
        raise AssertionError("something never comes to an end")

    def _check(self, key: MessageKey, copies: Counter) -> None:
        case = self.ledger.load(key, self.clock.now)
        assert case.decision, "nothing is lost"
        assert case.is_shown or (case.first_answer and not find_assigned(case)), "Slack shows all that matters"
        assert copies[key.channel, key, "reply"] <= 1
        assert all(count == 1 for count in copies.values()), f"seen twice: {copies}"
        text = self.slack.texts[key]
        if text is None:
            return self._check_deleted(key, copies)
        standing = [ts for ts in self._posts(key) if "moved" not in self.slack.words[ts]]
        destination = POLICY.routes[case.labels["category"]]
        places = {self.slack.posts[ts][0] for ts in standing}
        if self.stopped and key not in self.said:
            assert len(places) <= 1, "a message belongs to one channel"
            return None
        assert case.labels["category"] == self.said.get(key, "technical" if "technical" in text else "billing")
        assert places <= {destination}, "what stands elsewhere says where it went"
        assert len(standing) + self.slack.count_listings(destination, key) == 1
        assert all(text in self.slack.words[ts] for ts in standing), "the words are those that hold now"
        assert copies[key.channel, key, "reply"] == 1
        return self._check_owner(key, case, standing) if destination == "C0TECH" else None

    def _posts(self, key: MessageKey) -> list[str]:
        return [ts for ts, (_, about, step) in self.slack.posts.items() if about == key and step.startswith("route:")]

    def _check_deleted(self, key: MessageKey, copies: Counter) -> None:
        """Of a message that is gone no words stand anywhere."""
        assert copies[key.channel, key, "reply"] == 0
        assert all("deleted it" in self.slack.words[ts] for ts in self._posts(key))

    def _check_owner(self, key: MessageKey, case: Case, standing: list[str]) -> None:
        """Each assigned message has an owner who is named, whatever the order of corrections and answers."""
        owner = find_owner(case, find_assignee(case, Assign("technical")))
        assert owner, "a rota that is there has somebody"
        said = "answered by" if owner.instead_of else "assigned to"
        assert all(f"{said} <@{owner.person}>" in self.slack.words[ts] for ts in standing)


def _parts(key: MessageKey) -> tuple[str, str, str]:
    return key.team, key.channel, key.ts


# `make verify-long` takes more: INVARIANT_STEPS=20000.
STEPS = int(os.environ.get("INVARIANT_STEPS", "600"))
STEPS_IN_A_RUN = 20


@pytest.mark.timeout(3_600)
def test_nothing_is_lost_and_nothing_seen_twice_in_any_order(dynamodb, ledger_table, classifier, settings_of):
    run_state_machine_as_test(
        lambda: Machine(dynamodb, ledger_table, classifier, settings_of(POLICY)),
        settings=settings(
            max_examples=STEPS // STEPS_IN_A_RUN,
            stateful_step_count=STEPS_IN_A_RUN,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
