"""The parts of a run of the laboratory, each with a laboratory of its own, in a short and in a long form."""

import datetime
import os
import platform
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.faults.burst import run_burst
from benchmarks.faults.circumstances import try_circumstances
from benchmarks.faults.environment import run_laboratory
from benchmarks.faults.findings import Findings
from benchmarks.faults.front_door import measure_front
from benchmarks.faults.fuzz_run import run_fuzz
from benchmarks.faults.laboratory import Laboratory
from benchmarks.faults.rules import KILLS, Fault
from benchmarks.faults.scenarios import MESSAGE, SCENARIOS
from benchmarks.faults.trials import Trial, try_deliveries, try_effects, try_requests

EFFECTS_PART, REQUESTS, QUEUES, FRONT, BURST, FUZZ = PARTS = ("effects", "requests", "queues", "front", "burst", "fuzz")
ENDLESS, DELIVERIES = "endless", "deliveries"

# What waits for nobody's time-out.
_QUICK = tuple(fault for fault in Fault if fault is not Fault.SLOW)

Say = Callable[[str], None]


def run_part(part: str, found: Findings, model: Path, long: bool, say: Say) -> Findings:
    """Run one part on the model folder `model` and give the findings with its own in place. Raises ProcessError."""
    started = time.monotonic()
    say(part)
    if part in (FRONT, BURST, FUZZ):
        found = _run_at_scale(part, found, model, long)
    else:
        workers = 2 if part == QUEUES else 1
        with run_laboratory(model, workers) as laboratory:
            tables = {name: _collect(name, trials, say) for name, trials in _tables(part, laboratory, long)}
        found = replace(found, trials={**found.trials, **tables})
    return replace(found, measured={**found.measured, part: _describe_run(time.monotonic() - started)})


def _run_at_scale(part: str, found: Findings, model: Path, long: bool) -> Findings:
    with run_laboratory(model, workers=2, redelivery_seconds=1) as laboratory:
        if part == FRONT:
            return replace(found, front=measure_front(laboratory, 60 if long else 5))
        if part == BURST:
            return replace(found, burst=run_burst(laboratory, 10_000 if long else 200))
        return replace(found, fuzzed=run_fuzz(laboratory, 100_000 if long else 1_000))


def _tables(part: str, laboratory: Laboratory, long: bool) -> Iterator[tuple[str, Iterable[Trial]]]:
    if part == QUEUES:
        yield QUEUES, try_circumstances(laboratory)
    elif part == REQUESTS:
        yield REQUESTS, _try_all_requests(laboratory, long)
    else:
        faults = tuple(Fault) if long else _QUICK
        yield EFFECTS_PART, try_effects(laboratory, faults)
        yield ENDLESS, try_effects(laboratory, (Fault.ERROR, Fault.LOST) if long else (Fault.ERROR,), times=None)
        yield DELIVERIES, try_deliveries(laboratory, [fault for fault in faults if fault not in KILLS])


def _try_all_requests(laboratory: Laboratory, long: bool) -> Iterator[Trial]:
    for scenario in SCENARIOS if long else [MESSAGE]:
        yield from try_requests(laboratory, scenario, _QUICK if long else [Fault.KILL_AFTER])


def _collect(what: str, trials: Iterable[Trial], say: Say) -> tuple[Trial, ...]:
    found = []
    for trial in trials:
        found.append(trial)
        say(f"{what}: {len(found)}")
    return tuple(found)


def _describe_run(seconds: float) -> str:
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    return f"{date}, {machine}, in {seconds:.0f} s, load {os.getloadavg()[0]:.1f} at the end"
