"""A backlog that is read at the policy's rate: what the half-hourly sweep finds of it makes it no longer."""

import heapq
import itertools
from types import SimpleNamespace

import pytest

from bot.pipeline.admission import Admission
from bot.pipeline.message_handler import MessageHandler
from bot.pipeline.sweep import Sweeper
from bot.pipeline.worker import Handlers, Worker
from bot.policy.policy import Intake, Policy
from bot.queue.messages import MessageRecord, to_json
from bot.queue.sender import LONGEST_DELAY
from bot.slack.client import Identity
from bot.triage.case import Case
from tests.bot.doubles import Clock, FixedSettings

HOUR = 3600
# Watched only, so that nothing but reading is looked at; by default 120 messages a minute are read of a channel.
POLICY = Policy(default_mode="watch-only", intake=Intake(merge_seconds=0))


class RateLimiter:
    """The same arithmetic as the real one's, for one caller at a time."""

    def __init__(self) -> None:
        self.next: dict[str, float] = {}

    def take(self, key, interval, now, longest=None):
        slot = max(now, self.next.get(key, 0))
        self.next[key] = slot + interval
        return slot


class Ledger:
    """Decisions and seen messages, in memory."""

    def __init__(self) -> None:
        self.decisions, self.seen = {}, set()

    def load(self, key, now):
        return Case(decision=self.decisions.get(key))

    def record_decision(self, key, decision, now):
        return self.decisions.setdefault(key, decision)

    def note_seen(self, key, now):
        self.seen.add(key)

    def find_known(self, keys):
        return {key for key in keys if key in self.decisions or key in self.seen}

    def find_traced(self, team, channel, oldest, latest):
        return {key.ts for key in self.decisions if oldest < float(key.ts) < latest}


class World:
    """Messages that are written, a queue that delivers them in order of time, a worker, and a sweep."""

    def __init__(self, classifier) -> None:
        self.clock, self.ledger = Clock(), Ledger()
        self.events: list[tuple[float, int, object, dict]] = []
        self.number, self.history, self.requeued = itertools.count(), [], 0
        held = FixedSettings(SimpleNamespace(policy=POLICY, version=0, mode=POLICY.mode, switches=NO_SWITCHES))
        admission = Admission(RateLimiter(), self.clock)
        reconciler = SimpleNamespace(reconcile=lambda *_: None, check_policy=lambda *_: None)
        messages = MessageHandler(classifier.manifest, self.ledger, reconciler, admission, None, self, self.clock)
        handlers = Handlers(messages, None, reconciler)
        self.worker = Worker(classifier, held, lambda team: handlers, None, self, self, self.clock)
        slack = SimpleNamespace(read_history=self.read_history)
        self.sweeper = Sweeper(slack, self.ledger, self, held)

    def send(self, record, delay=0, due=None, since=None):
        notes = {name: {"stringValue": str(at)} for name, at in (("due", due), ("since", since)) if at is not None}
        self.at(self.clock.now + min(LONGEST_DELAY, max(0, delay)), record, notes)

    def dead_letter(self, delivery, reason):
        raise AssertionError(f"dead-lettered: {reason}")

    def at(self, time, what, notes=None):
        heapq.heappush(self.events, (time, next(self.number), what, notes or {}))

    def read_history(self, channel, oldest, latest):
        return [message for message in reversed(self.history) if oldest <= float(message["ts"]) <= latest]

    def run(self, until: float) -> None:
        while self.events and self.events[0][0] < until:
            at, _, what, notes = heapq.heappop(self.events)
            self.clock.now = max(self.clock.now, at)
            if what == "sweep":
                identity = Identity("T1", "U0BOT", "B0")
                swept = self.sweeper.sweep("C0SUPPORT", identity, self.clock.now - 24 * HOUR, self.clock.now)
                self.requeued += len(swept.missing)
            elif what == "message":
                self.deliver(self.write(), notes)
            else:
                self.deliver(what, notes)

    def write(self) -> MessageRecord:
        ts = f"{self.clock.now:.6f}"
        self.history.append({"type": "message", "user": "U1", "text": "a billing matter", "ts": ts})
        return MessageRecord("T1", "C0SUPPORT", ts, "U1", "a billing matter", False, None, int(self.clock.now))

    def deliver(self, record, notes) -> None:
        message = {"messageId": "1", "body": to_json(record), "messageAttributes": notes}
        assert self.worker.handle({"Records": [message]}) == {"batchItemFailures": []}


NO_SWITCHES = SimpleNamespace(muted_people=frozenset())


@pytest.mark.once
def test_a_backlog_is_read_as_soon_with_sweeps_as_the_policys_rate_allows(classifier):
    world = World(classifier)
    start = world.clock.now
    for number in range(3_600):  # 360 a minute for 10 minutes, of which 120 a minute are read
        world.at(start + number / 6, "message")
    for minutes in range(11, 30, 3):
        world.at(start + minutes * 60, "sweep")

    world.run(start + 31 * 60)

    assert world.requeued == 0, "what waits is not queued again"
    assert len(world.ledger.decisions) == 3_600
