"""Run one scenario under one fault at a time, and classify the outcome."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from enum import StrEnum

from benchmarks.faults.functions import DeliveryMode
from benchmarks.faults.laboratory import Laboratory
from benchmarks.faults.proxy import PEOPLE
from benchmarks.faults.rules import KILLS, Fault, Request, Rule
from benchmarks.faults.scenarios import (
    COMMAND,
    CORRECTION,
    DELETION,
    EDIT,
    MESSAGE,
    SCENARIOS,
    STOP,
    WEBHOOK,
    Scenario,
    Seen,
    correction_record,
    message_record,
)


class Outcome(StrEnum):
    """The outcome of a scenario once the queues are empty; the value is its name in tables."""

    HANDLED = "one visible copy"
    REPEATED = "answered twice"
    DEAD_LETTERED = "dead-lettered"
    NOTIFIED = "person notified"
    NOT_TAKEN = "never acknowledged"
    LOST = "LOST"
    DOUBLED = "DOUBLED"


GOOD = frozenset(Outcome) - {Outcome.LOST, Outcome.DOUBLED}


@dataclass(frozen=True, slots=True)
class Trial:
    """`where`: the effect or request that the fault was for. `struck`: how often it struck; 0 proves nothing."""

    scenario: str
    where: str
    fault: str
    outcome: Outcome
    struck: int


@dataclass(frozen=True, slots=True)
class Effect:
    """A visible effect of the bot in a scenario, and the pattern of the request that causes it."""

    name: str
    scenario: Scenario
    pattern: str
    contains: bytes = b""

    def rule(self, fault: Fault, times: int | None = 1) -> Rule:
        return Rule(fault, self.pattern, self.contains, times=times)


EFFECTS = (
    Effect("reaction", MESSAGE, "slack:reactions.add"),
    Effect("route", MESSAGE, "slack:chat.postMessage", b"C0BILLING"),
    Effect("reply", MESSAGE, "slack:chat.postMessage", b"thread_ts"),
    Effect("correction", CORRECTION, "slack:chat.update", b"C0SUPPORT"),
    Effect("command", COMMAND, "slack:response_url"),
    Effect("webhook", WEBHOOK, "webhook:*"),
    Effect("edit", EDIT, "slack:chat.update", b"C0SUPPORT"),
    Effect("note", DELETION, "slack:chat.update", b"C0BILLING"),
    Effect("removal", DELETION, "slack:chat.delete"),
    Effect("stop", STOP, "slack:response_url"),
)


def find_outcome(expected: Seen, seen: Seen, dead_lettered: int, at_least_once: bool) -> Outcome:
    """Classify what is visible (`seen`) by what is visible without a fault (`expected`)."""
    wanted, got = Counter(expected), Counter(seen)
    if got == wanted:
        return Outcome.HANDLED
    if any(got[each] > wanted[each] for each in wanted):
        return Outcome.REPEATED if at_least_once and got >= wanted else Outcome.DOUBLED
    if dead_lettered:
        return Outcome.DEAD_LETTERED
    return Outcome.NOTIFIED if any(each.startswith("ephemeral") for each in got - wanted) else Outcome.LOST


@dataclass(frozen=True, slots=True)
class Baseline:
    """A scenario without a fault: what is visible afterwards, and the requests that were made."""

    seen: Seen
    trace: tuple[Request, ...]


class NotRepeatable(Exception):
    """Without faults, a scenario has a different result each time, or none, so nothing can be compared with it."""

    def __init__(self, scenario: str, before: Seen, last: Seen) -> None:
        super().__init__(f"the scenario {scenario!r} showed {list(before)} in one run and {list(last)} in the next")


def run_baseline(laboratory: Laboratory, scenario: Scenario) -> Baseline:
    """Run a scenario without a fault until two runs in a row look the same. Raises NotRepeatable.

    The first run may differ, because it also creates what is created only once.
    """
    before = baseline = _run_without_fault(laboratory, scenario)
    for _ in range(_MAX_BASELINE_RUNS):
        before, baseline = baseline, _run_without_fault(laboratory, scenario)
        if baseline.seen and baseline.seen == before.seen:
            return baseline
    raise NotRepeatable(scenario.name, before.seen, baseline.seen)


_MAX_BASELINE_RUNS = 5


def _run_without_fault(laboratory: Laboratory, scenario: Scenario) -> Baseline:
    before = scenario.arrange(laboratory)
    with laboratory.faults.tracing() as trace:
        ts = scenario.act(laboratory, before)
        laboratory.drain()
    baseline = Baseline(scenario.see(laboratory, ts), tuple(trace))
    scenario.undo(laboratory)
    return baseline


def run_trial(laboratory: Laboratory, scenario: Scenario, where: str, rule: Rule, expected: Seen) -> Trial:
    """Run a scenario under a rule until the queues are empty."""
    before = scenario.arrange(laboratory)
    struck = laboratory.faults.struck[rule.fault]
    laboratory.faults.set(rule)
    ts = scenario.act(laboratory, before)
    laboratory.drain()
    laboratory.faults.set()
    outcome = _observe(laboratory, scenario, ts, expected)
    if outcome is Outcome.LOST and laboratory.was_given_up(ts):
        outcome = Outcome.NOT_TAKEN
    return Trial(scenario.name, where, rule.fault, outcome, laboratory.faults.struck[rule.fault] - struck)


def _observe(laboratory: Laboratory, scenario: Scenario, ts: str, expected: Seen) -> Outcome:
    seen = scenario.see(laboratory, ts)
    dead_lettered = len(laboratory.take_dead_letters())
    scenario.undo(laboratory)
    return find_outcome(expected, seen, dead_lettered, scenario.at_least_once)


def run_effects(
    laboratory: Laboratory, faults: Sequence[Fault] = tuple(Fault), times: int | None = 1
) -> Iterator[Trial]:
    """Inject each fault into each effect, `times` times in a row (None: without end)."""
    baselines = {scenario: run_baseline(laboratory, scenario) for scenario in SCENARIOS}
    for effect in EFFECTS:
        for fault in faults:
            yield run_trial(
                laboratory, effect.scenario, effect.name, effect.rule(fault, times), baselines[effect.scenario].seen
            )


def run_requests(laboratory: Laboratory, scenario: Scenario, faults: Sequence[Fault]) -> Iterator[Trial]:
    """Inject each fault into each request that a function makes in a scenario, in turn.

    Between two requests only the process's memory changes, so SIGKILL after each request covers every step boundary.
    """
    baseline = run_baseline(laboratory, scenario)
    for source in sorted({request.source for request in baseline.trace} - {PEOPLE, "slack"}):
        for fault in faults:
            for number in range(_MAX_REQUESTS):
                rule = Rule(fault, "*", source=source, skip=number)
                trial = run_trial(laboratory, scenario, f"request {number + 1} of {source}", rule, baseline.seen)
                if not trial.struck:
                    break
                yield trial


# More than any function makes in one scenario, retries included.
_MAX_REQUESTS = 100


def run_deliveries(laboratory: Laboratory, faults: Sequence[Fault]) -> Iterator[Trial]:
    """Inject each fault into the first attempt of Slack's own requests."""
    patterns = {
        MESSAGE: "front:/slack/events",
        CORRECTION: "front:/slack/interactive",
        COMMAND: "front:/slack/commands",
    }
    for scenario, pattern in patterns.items():
        expected = run_baseline(laboratory, scenario).seen
        for fault in faults:
            if fault not in KILLS:
                yield run_trial(laboratory, scenario, f"delivery of a {scenario.name}", Rule(fault, pattern), expected)


# --- Conditions without a fault -----------------------------------------------------------------------------

_SKEW_SECONDS = 600.0

# The functions that check Slack's signatures, and with them the clock.
_SIGNED = ("front", "interactive")


@dataclass(frozen=True, slots=True)
class Condition:
    """`skew`: process → seconds that its clock is ahead. `swept`: run the sweep once the condition has ended."""

    name: str
    delivery_mode: DeliveryMode = DeliveryMode.NORMAL
    rules: tuple[Rule, ...] = ()
    skew: Mapping[str, float] = field(default_factory=dict)
    swept: bool = False


def list_conditions(laboratory: Laboratory) -> tuple[Condition, ...]:
    signed = [name for name in laboratory.processes if name in _SIGNED]
    others = [name for name in laboratory.processes if name not in _SIGNED]
    apart = {name: _SKEW_SECONDS * (-1) ** number for number, name in enumerate(others)}
    return (
        Condition(DeliveryMode.CONCURRENT, DeliveryMode.CONCURRENT),
        Condition(DeliveryMode.REDELIVERED, DeliveryMode.REDELIVERED),
        Condition(DeliveryMode.NEWEST_FIRST, DeliveryMode.NEWEST_FIRST),
        Condition("DynamoDB: throttled seven times in a row", rules=(Rule(Fault.THROTTLED, "dynamodb:*", times=7),)),
        Condition("workers' clocks 10 minutes ahead", skew=dict.fromkeys(others, _SKEW_SECONDS)),
        Condition("workers' clocks 10 minutes behind", skew=dict.fromkeys(others, -_SKEW_SECONDS)),
        Condition("two workers' clocks 20 minutes apart, each message to both", DeliveryMode.CONCURRENT, skew=apart),
        Condition("Slack endpoints' clocks 10 minutes ahead", skew=dict.fromkeys(signed, _SKEW_SECONDS), swept=True),
        Condition("Slack endpoints' clocks 10 minutes behind", skew=dict.fromkeys(signed, -_SKEW_SECONDS), swept=True),
    )


# Scenarios whose records cannot wait for each other: a deleted message has no words left to copy, and a stop is handled
# before its message is written.
_ALONE = (DELETION, STOP)


def run_conditions(laboratory: Laboratory) -> Iterator[Trial]:
    """Run every scenario under every condition. The laboratory needs two workers."""
    for scenario in SCENARIOS:
        expected = run_baseline(laboratory, scenario).seen
        for condition in list_conditions(laboratory):
            if condition.delivery_mode is DeliveryMode.NEWEST_FIRST and scenario in _ALONE:
                continue
            before = scenario.arrange(laboratory)
            # Otherwise the rate limiter's rows of a skewed clock would turn posts into a summary.
            laboratory.clock.skip(3 * _SKEW_SECONDS)
            with _within(laboratory, condition):
                ts = _act(laboratory, scenario, condition, before)
                laboratory.drain()
            if condition.swept:
                laboratory.sweep()
                laboratory.drain()
            outcome = _observe(laboratory, scenario, ts, expected)
            yield Trial(scenario.name, condition.name, condition.name, outcome, struck=1)


@contextmanager
def _within(laboratory: Laboratory, condition: Condition) -> Iterator[None]:
    laboratory.delivery_mode = condition.delivery_mode
    laboratory.clock_skew = dict(condition.skew)
    laboratory.faults.set(*condition.rules)
    try:
        yield
    finally:
        laboratory.delivery_mode, laboratory.clock_skew = DeliveryMode.NORMAL, {}
        laboratory.faults.set()


def _act(laboratory: Laboratory, scenario: Scenario, condition: Condition, before: str) -> str:
    """Act; for NEWEST_FIRST, enqueue a copy and a correction too, so that there is an order to reverse."""
    disordered = condition.delivery_mode is DeliveryMode.NEWEST_FIRST
    with laboratory.holding_back() if disordered else nullcontext():
        ts = scenario.act(laboratory, before)
        if disordered and scenario is not COMMAND:
            laboratory.enqueue(message_record(laboratory, ts))
            laboratory.enqueue(correction_record(laboratory, ts))
    return ts
