"""Store the findings of fault runs, and write them as Markdown for docs/reliability.md."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from benchmarks.faults.burst import Burst
from benchmarks.faults.fuzz import Fuzzed
from benchmarks.faults.latency import Latencies
from benchmarks.faults.trials import EFFECTS, GOOD, Outcome, Trial
from training.data.atomic_files import write_files


@dataclass(frozen=True, slots=True)
class Findings:
    """Results of the parts that were run. `measured`: part → when and where; `trials`: table → rows."""

    measured: dict[str, str] = field(default_factory=dict)
    trials: dict[str, tuple[Trial, ...]] = field(default_factory=dict)
    burst: Burst | None = None
    front: Latencies | None = None
    fuzzed: Fuzzed | None = None

    @property
    def bad(self) -> list[str]:
        """Return one line for each thing that was lost, doubled or answered with a 5xx."""
        trials = [each for table in self.trials.values() for each in table]
        lines = [f"{each.fault} at {each.where}: {each.outcome}" for each in trials if each.outcome not in GOOD]
        if self.burst:
            lines += self.burst.notes
        return lines + list(self.fuzzed.faults if self.fuzzed else ())


_ADAPTER = TypeAdapter(Findings)


def load_findings(path: Path) -> Findings:
    """Read the findings of earlier runs; they are empty if the file does not exist."""
    return _ADAPTER.validate_json(path.read_bytes()) if path.exists() else Findings()


def save_findings(findings: Findings, path: Path) -> None:
    write_files({path: _ADAPTER.dump_json(findings, indent=1)})


# --- The page -----------------------------------------------------------------------------------------------

_NOT_RUN = "Not run."


def write_report(findings: Findings) -> str:
    """Return the whole page."""
    tables, measured = findings.trials, findings.measured
    sections = [
        _INTRODUCTION,
        "## Each fault on each effect",
        _EFFECTS_TEXT,
        _table_of_effects(tables.get("effects", ())),
        "The same, with a fault that never ends:",
        _table_of_effects(tables.get("endless", ())),
        "### Requests from Slack",
        "The fault strikes Slack's first attempt to reach the gateway.",
        _table_of_faults(tables.get("deliveries", ())),
        _source(measured, "effects"),
        "## Each fault on each request",
        _REQUESTS_TEXT,
        _table_of_faults(tables.get("requests", ())),
        _source(measured, "requests"),
        "The same for edits, deletions and stops:",
        _table_of_faults(tables.get("changes", ())),
        _source(measured, "changes"),
        "## Queues, tables and clocks",
        _QUEUES_TEXT,
        _table_of_faults(tables.get("queues", ())),
        _source(measured, "queues"),
        "## A burst",
        _describe_burst(findings.burst) if findings.burst else _NOT_RUN,
        _source(measured, "burst"),
        "## Latency of the events endpoint",
        _describe_front(findings.front) if findings.front else _NOT_RUN,
        _source(measured, "front"),
        "## Fuzzed requests",
        _describe_fuzz(findings.fuzzed) if findings.fuzzed else _NOT_RUN,
        _source(measured, "fuzz"),
        "## Failures",
        "\n".join(f"- {line[:200]}" for line in findings.bad) or "None.",
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _source(measured: dict[str, str], part: str) -> str:
    return f"Measured {measured[part]}." if part in measured else ""


_INTRODUCTION = """# Reliability, measured

Written by `make verify-long`; do not edit by hand. Every function runs as a process of its own on 127.0.0.1, with
ministack, the local endpoint and the stand-in Slack, and a proxy in front of every service that it calls. After each
fault the queues drain; then what is visible in Slack is compared with a run without faults.

| outcome | meaning |
| --- | --- |
| one visible copy | exactly what is visible without the fault |
| answered twice | responses to `/classify` and webhook calls are at least once by design |
| dead-lettered | in the dead-letter queue, with the reason |
| person notified | not accepted, and the person who asked for it was notified at once |
| never acknowledged | Slack gave up delivering it; the sweep finds it |

Slack retries events, but not what a person presses or types: there the person is notified."""

_QUEUES_TEXT = """No request fails here, but queues deliver as SQS may, a table throttles, or clocks differ. The outcome
covers a message's reaction, reply and post together. A Slack endpoint whose clock is ten minutes off refuses Slack's
requests, as it must; the sweep finds what was written, edited and deleted meanwhile once the clock is right again:
edits and deletions up to an hour after their message was written."""

_EFFECTS_TEXT = "Each cell counts the outcomes of the trials."

_REQUESTS_TEXT = """Each request that any function makes in a scenario meets each of these faults in turn. SIGKILL after
each request covers every step boundary, because between two requests only the process's memory changes. The short form
kills during a message and an edit only; `--long` tries every fault in every scenario."""


def _table_of_effects(trials: Sequence[Trial]) -> str:
    return _cross(trials, [effect.name for effect in EFFECTS], lambda trial: trial.where)


def _table_of_faults(trials: Sequence[Trial]) -> str:
    return _cross(trials, sorted({each.scenario for each in trials}), lambda trial: trial.scenario)


def _cross(trials: Sequence[Trial], columns: Sequence[str], column_of: Callable[[Trial], str]) -> str:
    """Return a table of faults by columns, whose cells count the outcomes."""
    if not trials:
        return _NOT_RUN
    cells: dict[tuple[str, str], Counter[Outcome]] = {}
    for trial in trials:
        if trial.struck:
            cells.setdefault((trial.fault, column_of(trial)), Counter())[trial.outcome] += 1
    faults = dict.fromkeys(str(trial.fault) for trial in trials)
    rows = [[fault, *(_counts(cells.get((fault, column), Counter())) for column in columns)] for fault in faults]
    return _table(["fault", *columns], rows)


def _counts(counted: Counter[Outcome]) -> str:
    return ", ".join(f"{number} × {outcome}" for outcome, number in counted.items()) or "–"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _describe_burst(burst: Burst) -> str:
    faults = [[name, str(number)] for name, number in burst.faults.items()]
    memory = [[name, ", ".join(f"{each:.0f}" for each in samples)] for name, samples in burst.memory.items()]
    return "\n\n".join(
        [
            f"""{burst.messages:,} messages in waves, written faster than they are handled, with faults among them:
**{burst.lost} lost, {burst.doubled} doubled**; {burst.handled:,} handled with one visible copy,
{burst.dead_lettered} dead-lettered, in {burst.seconds:.0f} s.
Slack gave up delivering {burst.given_up:,} of them; the sweep found these.
The endpoint was called {burst.endpoint_calls:,} times, that is
{burst.messages / max(1, burst.endpoint_calls):.1f} messages per call.""",
            _table(["fault", "times"], faults),
            _table(["process", "memory in MB after each wave"], memory),
        ]
    )


def _describe_front(front: Latencies) -> str:
    return f"""{len(front.milliseconds):,} signed events at {front.rate} a second, through gateway, function and queue:
median {front.percentile(50):.0f} ms, 99th percentile {front.percentile(99):.0f} ms, longest
{front.percentile(100):.0f} ms; statuses {front.statuses}."""


def _describe_fuzz(fuzzed: Fuzzed) -> str:
    memory = "; ".join(f"{name} {before:.0f} → {after:.0f}" for name, (before, after) in fuzzed.memory.items())
    statuses = ", ".join(f"{status}: {number:,}" for status, number in sorted(fuzzed.statuses.items()))
    return f"""{fuzzed.requests:,} malformed requests to every route, most of them correctly signed:
{len(fuzzed.faults)} answered with a 5xx or not at all; the slowest took {fuzzed.slowest:.1f} s. Statuses: {statuses}.
Memory in MB after a quarter of them and at the end: {memory}."""
