"""Trials in which no single request fails: queues that hand out as they like, a throttled table, clocks that differ."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

from benchmarks.faults.handing_out import HandingOut
from benchmarks.faults.laboratory import Laboratory
from benchmarks.faults.rules import Fault, Rule
from benchmarks.faults.scenarios import COMMAND, SCENARIOS, Scenario, copy_message_record, note_correction
from benchmarks.faults.trials import Outcome, Trial, find_outcome, run_clean

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
            set_aside = len(laboratory.take_set_aside())
            outcome = find_outcome(expected, seen, set_aside, scenario.at_least_once)
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
