"""Trials: one scenario and one fault each, and what became of it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from enum import StrEnum

from benchmarks.faults.deployment import HandingOut
from benchmarks.faults.laboratory import Laboratory
from benchmarks.faults.proxy import PEOPLE
from benchmarks.faults.rules import KILLS, Fault, Request, Rule
from benchmarks.faults.scenarios import (
    COMMAND,
    CORRECTION,
    MESSAGE,
    SCENARIOS,
    WEBHOOK,
    Scenario,
    Seen,
    copy_message_record,
    note_correction,
)


class Outcome(StrEnum):
    """What became of a scenario once nothing was under way any more; the value is its name in tables."""

    HANDLED = "one visible copy"
    REPEATED = "answered twice"
    SET_ASIDE = "set aside"
    TOLD = "person told"
    NOT_TAKEN = "never acknowledged"
    LOST = "LOST"
    DOUBLED = "DOUBLED"


GOOD = frozenset(Outcome) - {Outcome.LOST, Outcome.DOUBLED}


@dataclass(frozen=True, slots=True)
class Trial:
    """`where` the fault struck: an effect, or a request. `struck`: how often it did; 0 means that nothing was shown."""

    scenario: str
    where: str
    fault: str
    outcome: Outcome
    struck: int


@dataclass(frozen=True, slots=True)
class Effect:
    """Something visible that the bot does in a scenario, and the request by which it does it."""

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
)


def find_outcome(expected: Seen, seen: Seen, dead_lettered: int, at_least_once: bool) -> Outcome:
    """Compare what is to be seen with what is to be seen without a fault. Pure."""
    wanted, got = Counter(expected), Counter(seen)
    if got == wanted:
        return Outcome.HANDLED
    if any(got[each] > wanted[each] for each in wanted):
        return Outcome.REPEATED if at_least_once and got >= wanted else Outcome.DOUBLED
    if dead_lettered:
        return Outcome.SET_ASIDE
    return Outcome.TOLD if any(each.startswith("whisper") for each in got - wanted) else Outcome.LOST


@dataclass(frozen=True, slots=True)
class Clean:
    """A scenario that no fault befell: what is to be seen of it, and the requests that were made for it."""

    seen: Seen
    trace: tuple[Request, ...]


class NotRepeatable(Exception):
    """Without any fault, a scenario looks different each time, or shows nothing: nothing can be compared with it."""

    def __init__(self, scenario: str, before: Seen, last: Seen) -> None:
        super().__init__(f"{scenario} showed {list(before)}, and then {list(last)}")


def run_clean(laboratory: Laboratory, scenario: Scenario) -> Clean:
    """Run a scenario without a fault until it has looked the same twice in a row. Raises NotRepeatable.

    The first run also warms up what is made only once, and may look different for that.
    """
    before = clean = _run_clean(laboratory, scenario)
    for _ in range(_MOST_CLEAN_RUNS):
        before, clean = clean, _run_clean(laboratory, scenario)
        if clean.seen and clean.seen == before.seen:
            return clean
    raise NotRepeatable(scenario.name, before.seen, clean.seen)


_MOST_CLEAN_RUNS = 5


def _run_clean(laboratory: Laboratory, scenario: Scenario) -> Clean:
    before = scenario.arrange(laboratory)
    with laboratory.faults.tracing() as trace:
        ts = scenario.act(laboratory, before)
        laboratory.drain()
    return Clean(scenario.see(laboratory, ts), tuple(trace))


def run_trial(laboratory: Laboratory, scenario: Scenario, where: str, rule: Rule, expected: Seen) -> Trial:
    """Run a scenario under a rule until nothing is under way any more."""
    before = scenario.arrange(laboratory)
    struck = laboratory.faults.struck[rule.fault]
    laboratory.faults.set(rule)
    ts = scenario.act(laboratory, before)
    laboratory.drain()
    laboratory.faults.set()
    seen = scenario.see(laboratory, ts)
    dead_lettered = len(laboratory.take_dead_letters())
    outcome = find_outcome(expected, seen, dead_lettered, scenario.at_least_once)
    if outcome is Outcome.LOST and laboratory.was_given_up(ts):
        outcome = Outcome.NOT_TAKEN
    return Trial(scenario.name, where, rule.fault, outcome, laboratory.faults.struck[rule.fault] - struck)


def try_effects(
    laboratory: Laboratory, faults: Sequence[Fault] = tuple(Fault), times: int | None = 1
) -> Iterator[Trial]:
    """Let each fault befall each effect, `times` times in a row (None: for ever)."""
    clean = {scenario: run_clean(laboratory, scenario) for scenario in SCENARIOS}
    for effect in EFFECTS:
        for fault in faults:
            yield run_trial(
                laboratory, effect.scenario, effect.name, effect.rule(fault, times), clean[effect.scenario].seen
            )


def try_requests(laboratory: Laboratory, scenario: Scenario, faults: Sequence[Fault]) -> Iterator[Trial]:
    """Let each fault befall each request that a function makes for a scenario, in turn, until there is no further one.

    Between two requests nothing changes but the memory of the process, so SIGKILL after each of them is SIGKILL at
    every step boundary.
    """
    clean = run_clean(laboratory, scenario)
    for source in sorted({request.source for request in clean.trace} - {PEOPLE, "slack"}):
        for fault in faults:
            for number in range(_MOST_REQUESTS):
                rule = Rule(fault, "*", source=source, skip=number)
                trial = run_trial(laboratory, scenario, f"request {number + 1} of {source}", rule, clean.seen)
                if not trial.struck:
                    break
                yield trial


# More than any function makes for one scenario, with all that it tries again.
_MOST_REQUESTS = 100


def try_deliveries(laboratory: Laboratory, faults: Sequence[Fault]) -> Iterator[Trial]:
    """Let each fault befall what Slack sends us, whose first try it then was."""
    patterns = {
        MESSAGE: "front:/slack/events",
        CORRECTION: "front:/slack/interactive",
        COMMAND: "front:/slack/commands",
    }
    for scenario, pattern in patterns.items():
        expected = run_clean(laboratory, scenario).seen
        for fault in faults:
            if fault not in KILLS:
                yield run_trial(laboratory, scenario, f"delivery of a {scenario.name}", Rule(fault, pattern), expected)


_SKEW = 600.0

# Who talks to Slack's signed requests; the others only ever see what these have let in.
_DOORS = ("front", "interactive")


@dataclass(frozen=True, slots=True)
class Circumstance:
    """`skew`: process → seconds that its clock is ahead. `swept`: the sweep has its turn once all is well again."""

    name: str
    handing_out: HandingOut = HandingOut.FAIR
    rules: tuple[Rule, ...] = ()
    skew: Mapping[str, float] = field(default_factory=dict)
    swept: bool = False


def list_circumstances(laboratory: Laboratory) -> tuple[Circumstance, ...]:
    doors = [name for name in laboratory.processes if name in _DOORS]
    others = [name for name in laboratory.processes if name not in _DOORS]
    apart = {name: _SKEW * (-1) ** number for number, name in enumerate(others)}
    return (
        Circumstance(HandingOut.TWICE, HandingOut.TWICE),
        Circumstance(HandingOut.AGAIN, HandingOut.AGAIN),
        Circumstance(HandingOut.NEWEST_FIRST, HandingOut.NEWEST_FIRST),
        Circumstance("DynamoDB: throttled seven times in a row", rules=(Rule(Fault.THROTTLED, "dynamodb:*", times=7),)),
        Circumstance("workers' clocks 10 minutes ahead", skew=dict.fromkeys(others, _SKEW)),
        Circumstance("workers' clocks 10 minutes behind", skew=dict.fromkeys(others, -_SKEW)),
        Circumstance("two workers' clocks 20 minutes apart, each message to both", HandingOut.TWICE, skew=apart),
        Circumstance("front doors' clocks 10 minutes ahead", skew=dict.fromkeys(doors, _SKEW), swept=True),
        Circumstance("front doors' clocks 10 minutes behind", skew=dict.fromkeys(doors, -_SKEW), swept=True),
    )


def try_circumstances(laboratory: Laboratory) -> Iterator[Trial]:
    """Run every scenario in every circumstance. The laboratory needs two workers."""
    for scenario in SCENARIOS:
        expected = run_clean(laboratory, scenario).seen
        for circumstance in list_circumstances(laboratory):
            before = scenario.arrange(laboratory)
            # Lines of posts that somebody with another clock stood in would be summed up in one post otherwise.
            laboratory.clock.skip(3 * _SKEW)
            with _within(laboratory, circumstance):
                ts = _act(laboratory, scenario, circumstance, before)
                laboratory.drain()
            if circumstance.swept:
                laboratory.sweep()
                laboratory.drain()
            seen = scenario.see(laboratory, ts)
            dead_lettered = len(laboratory.take_dead_letters())
            outcome = find_outcome(expected, seen, dead_lettered, scenario.at_least_once)
            yield Trial(scenario.name, circumstance.name, circumstance.name, Outcome(outcome), struck=1)


@contextmanager
def _within(laboratory: Laboratory, circumstance: Circumstance) -> Iterator[None]:
    laboratory.handing_out = circumstance.handing_out
    laboratory.clock_skew = dict(circumstance.skew)
    laboratory.faults.set(*circumstance.rules)
    try:
        yield
    finally:
        laboratory.handing_out, laboratory.clock_skew = HandingOut.FAIR, {}
        laboratory.faults.set()


def _act(laboratory: Laboratory, scenario: Scenario, circumstance: Circumstance, before: str) -> str:
    """Do it; out of order can only be what there are several of, so there a copy and a note come along."""
    disordered = circumstance.handing_out is HandingOut.NEWEST_FIRST
    with laboratory.holding_back() if disordered else nullcontext():
        ts = scenario.act(laboratory, before)
        if disordered and scenario is not COMMAND:
            laboratory.enqueue(copy_message_record(laboratory, ts))
            laboratory.enqueue(note_correction(laboratory, ts))
    return ts
