"""Inject faults into the running system and report the outcomes: `python -m benchmarks.faults`."""

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
from benchmarks.faults.fuzz import run_fuzz
from benchmarks.faults.laboratory import Laboratory
from benchmarks.faults.latency import measure_latency
from benchmarks.faults.report import Findings, load_findings, save_findings, write_report
from benchmarks.faults.rules import KILLS, Fault
from benchmarks.faults.scenarios import CHANGES, EDIT, MESSAGE, SCENARIOS, Scenario
from benchmarks.faults.trials import Trial, run_conditions, run_deliveries, run_effects, run_requests
from bot.sandbox.servers import ProcessError
from training.data.atomic_files import write_files

EFFECTS_PART, REQUESTS, CHANGED, QUEUES, FRONT, BURST, FUZZ = PARTS = (
    *("effects", "requests", "changes", "queues"),
    *("front", "burst", "fuzz"),
)
ENDLESS, DELIVERIES = "endless", "deliveries"

# Faults that do not wait for a client's time-out.
_QUICK = tuple(fault for fault in Fault if fault is not Fault.SLOW)

Progress = Callable[[str], None]


def run_part(part: str, findings: Findings, model: Path, long: bool, progress: Progress) -> Findings:
    """Run one part with the model folder `model` and return the findings with its results. Raises ProcessError."""
    started = time.monotonic()
    progress(part)
    if part in (FRONT, BURST, FUZZ):
        findings = _run_at_scale(part, findings, model, long)
    else:
        workers = 2 if part == QUEUES else 1
        with run_laboratory(model, workers) as laboratory:
            tables = {name: _collect(name, trials, progress) for name, trials in _tables(part, laboratory, long)}
        findings = replace(findings, trials={**findings.trials, **tables})
    return replace(findings, measured={**findings.measured, part: _describe_run(time.monotonic() - started)})


def _run_at_scale(part: str, findings: Findings, model: Path, long: bool) -> Findings:
    with run_laboratory(model, workers=2, redelivery_seconds=1) as laboratory:
        if part == FRONT:
            return replace(findings, front=measure_latency(laboratory, 60 if long else 5))
        if part == BURST:
            return replace(findings, burst=run_burst(laboratory, 10_000 if long else 200))
        return replace(findings, fuzzed=run_fuzz(laboratory, 100_000 if long else 1_000))


def _tables(part: str, laboratory: Laboratory, long: bool) -> Iterator[tuple[str, Iterable[Trial]]]:
    if part == QUEUES:
        yield QUEUES, run_conditions(laboratory)
    elif part == REQUESTS:
        others = [scenario for scenario in SCENARIOS if scenario not in CHANGES]
        yield REQUESTS, _run_all_requests(laboratory, others if long else [MESSAGE], long)
    elif part == CHANGED:
        yield CHANGED, _run_all_requests(laboratory, CHANGES if long else [EDIT], long)
    else:
        faults = tuple(Fault) if long else _QUICK
        yield EFFECTS_PART, run_effects(laboratory, faults)
        yield ENDLESS, run_effects(laboratory, (Fault.ERROR, Fault.LOST) if long else (Fault.ERROR,), times=None)
        yield DELIVERIES, run_deliveries(laboratory, [fault for fault in faults if fault not in KILLS])


def _run_all_requests(laboratory: Laboratory, scenarios: Iterable[Scenario], long: bool) -> Iterator[Trial]:
    for scenario in scenarios:
        yield from run_requests(laboratory, scenario, _QUICK if long else [Fault.KILL_AFTER])


def _collect(table: str, trials: Iterable[Trial], progress: Progress) -> tuple[Trial, ...]:
    collected = []
    for trial in trials:
        collected.append(trial)
        progress(f"{table}: {len(collected)}")
    return tuple(collected)


def _describe_run(seconds: float) -> str:
    date = datetime.datetime.now(datetime.UTC).date().isoformat()
    machine = f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}"
    return f"{date}, {machine}, in {seconds:.0f} s, load {os.getloadavg()[0]:.1f} at the end"


EPILOG = """examples:
  python -m benchmarks.faults               short form; prints the page
  python -m benchmarks.faults --long --out docs/reliability.md
  python -m benchmarks.faults --long --out docs/reliability.md --part burst

Without --part all parts are run. Findings are kept in build/reliability/, so a part can be rerun without the others.

The exit status is 1 if anything was lost, doubled, or answered with a 5xx.
"""

_KEPT = Path("build/reliability")


def main(arguments: list[str] | None = None) -> int:
    options = _build_parser().parse_args(arguments)
    # Functions are killed on purpose, so the gateway's errors about them are noise.
    logging.getLogger("bot.sandbox").setLevel(logging.CRITICAL)
    kept = _KEPT / ("long.json" if options.long else "short.json")
    try:
        for part in options.part or PARTS:
            save_findings(run_part(part, load_findings(kept), options.model, options.long, _show_progress), kept)
    except ProcessError as error:
        print(error, file=sys.stderr)
        return 2
    findings = load_findings(kept)
    if options.out:
        write_files({options.out: write_report(findings).encode()})
    else:
        print(write_report(findings))
    for line in findings.bad:
        print(line, file=sys.stderr)
    return 1 if findings.bad else 0


def _show_progress(progress: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{progress}", end="", file=sys.stderr, flush=True)


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.faults",
        description="Inject faults into the system, on this machine alone, and report the outcome for every message.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--model", type=Path, default=Path("build/models/starter"), metavar="MODEL_DIR",
        help="folder with model.tar.gz and manifest.json (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--long", action="store_true", help="all requests, 10,000 messages, 100,000 fuzzed requests")
    parser.add_argument("--part", choices=PARTS, action="append", help="run only this part; may be repeated")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the page to this file instead of printing it")
    return parser


if __name__ == "__main__":
    sys.exit(main())
