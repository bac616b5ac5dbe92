"""`python -m benchmarks.faults`: break the system on purpose, and write down what became of it."""

import argparse
import datetime
import logging
import os
import platform
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.faults.burst import run_burst
from benchmarks.faults.environment import run_laboratory
from benchmarks.faults.front_door import measure_front
from benchmarks.faults.fuzz import run_fuzz
from benchmarks.faults.laboratory import Laboratory
from benchmarks.faults.report import Findings, load_findings, save_findings, write_report
from benchmarks.faults.rules import KILLS, Fault
from benchmarks.faults.scenarios import MESSAGE, SCENARIOS
from benchmarks.faults.trials import Trial, try_circumstances, try_deliveries, try_effects, try_requests
from bot.sandbox.servers import ProcessError

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


EPILOG = """examples:
  python -m benchmarks.faults               the short form; prints the page
  python -m benchmarks.faults --long --out docs/reliability.md
  python -m benchmarks.faults --long --out docs/reliability.md --part burst

Without --part every part is run. What a run finds is kept in build/reliability/, so that a part that is run again
takes its place beside the others on the page.

The exit status is 1 where anything was lost, doubled, or answered with a 5xx.
"""

_KEPT = Path("build/reliability")


def main(arguments: list[str] | None = None) -> int:
    options = _build_parser().parse_args(arguments)
    # Functions that were killed have died: what the gateway says of that is no news here.
    logging.getLogger("bot.sandbox").setLevel(logging.CRITICAL)
    kept = _KEPT / ("long.json" if options.long else "short.json")
    try:
        for part in options.part or PARTS:
            save_findings(run_part(part, load_findings(kept), options.model, options.long, _say), kept)
    except ProcessError as error:
        print(error, file=sys.stderr)
        return 2
    facet_results = load_findings(kept)
    _put_out(write_report(facet_results), options.out)
    for line in facet_results.bad:
        print(line, file=sys.stderr)
    return 1 if facet_results.bad else 0


def _put_out(text: str, path: Path | None) -> None:
    if path is None:
        print(text)
        return
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _say(progress: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{progress}", end="", file=sys.stderr, flush=True)


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.faults",
        description="Break the system on purpose, on this machine alone, and tell what became of every message.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--model", type=Path, default=Path("build/models/starter"), metavar="MODEL_DIR",
        help="folder with model.tar.gz and manifest.json (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--long", action="store_true", help="every request, 10,000 messages, 100,000 fuzzed requests")
    parser.add_argument("--part", choices=PARTS, action="append", help="run this part; may be repeated")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the page there instead of printing it")
    return parser


if __name__ == "__main__":
    sys.exit(main())
