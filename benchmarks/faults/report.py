"""What was found, as Markdown for docs/reliability.md. Pure."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from benchmarks.faults.burst import Burst
from benchmarks.faults.front_door import Latencies
from benchmarks.faults.fuzz import Fuzzed
from benchmarks.faults.trials import EFFECTS, GOOD, Outcome, Trial


@dataclass(frozen=True, slots=True)
class Findings:
    """`measured` says of each part when and on what; `trials` has those of each table. What was not run is missing."""

    measured: dict[str, str] = field(default_factory=dict)
    trials: dict[str, tuple[Trial, ...]] = field(default_factory=dict)
    burst: Burst | None = None
    front: Latencies | None = None
    fuzzed: Fuzzed | None = None

    @property
    def bad(self) -> list[str]:
        """What should not have been, one line each."""
        trials = [each for table in self.trials.values() for each in table]
        lines = [f"{each.fault} at {each.where}: {each.outcome}" for each in trials if each.outcome not in GOOD]
        if self.burst:
            lines += self.burst.notes
        return lines + list(self.fuzzed.faults if self.fuzzed else ())


_ADAPTER = TypeAdapter(Findings)


def load_findings(path: Path) -> Findings:
    """Read what earlier runs found; nothing where there was none."""
    return _ADAPTER.validate_json(path.read_bytes()) if path.exists() else Findings()


def save_findings(facet_results: Findings, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_bytes(_ADAPTER.dump_json(facet_results, indent=1))
    partial.replace(path)


_NOT_RUN = "Not run."


def write_report(facet_results: Findings) -> str:
    """Write the whole page."""
    tables, measured = facet_results.trials, facet_results.measured
    sections = [
        _INTRODUCTION,
        "## Each fault on each effect",
        _EFFECTS_TEXT,
        _table_of_effects(tables.get("effects", ())),
        "The same with a fault that never ends:",
        _table_of_effects(tables.get("endless", ())),
        "### What Slack delivers",
        "The fault befalls Slack's first try to reach the gateway.",
        _table_of_faults(tables.get("deliveries", ())),
        _source(measured, "effects"),
        "## Each fault on each request",
        _REQUESTS_TEXT,
        _table_of_faults(tables.get("requests", ())),
        _source(measured, "requests"),
        "## Queues, tables and clocks",
        _QUEUES_TEXT,
        _table_of_faults(tables.get("queues", ())),
        _source(measured, "queues"),
        "## A burst",
        _describe_burst(facet_results.burst) if facet_results.burst else _NOT_RUN,
        _source(measured, "burst"),
        "## The front door",
        _describe_front(facet_results.front) if facet_results.front else _NOT_RUN,
        _source(measured, "front"),
        "## Fuzzed requests",
        _describe_fuzz(facet_results.fuzzed) if facet_results.fuzzed else _NOT_RUN,
        _source(measured, "fuzz"),
        "## What was not as it should be",
        "\n".join(f"- {line[:200]}" for line in facet_results.bad) or "Nothing.",
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _source(measured: dict[str, str], part: str) -> str:
    return f"Measured {measured[part]}." if part in measured else ""


_INTRODUCTION = """# Reliability, measured

Written by `make verify-long`; do not edit by hand. Every function runs as a process of its own on 127.0.0.1, with
ministack, the local endpoint and the stand-in Slack, and a proxy before everything that it talks to. After each fault
the queues drain; then what is to be seen in Slack is compared with what is to be seen where nothing went wrong.

| outcome | meaning |
| --- | --- |
| one visible copy | exactly what is to be seen without the fault |
| answered twice | `/classify` answers and webhooks are at least once by design; a webhook's calls have one key |
| set aside | in the dead-letter queue, with the reason |
| person told | it was not taken, and who asked for it has been told so at once |
| never acknowledged | Slack knows that we do not have it, and sends it again; then the sweep finds it |

What Slack delivers to us comes again by itself; what a person presses or types does not, so there it is the person who
is told."""

_QUEUES_TEXT = """Nothing fails here, but queues hand out as SQS allows itself to, a table throttles, clocks differ. A
message is its reaction, its reply and its post together. A front door whose clock is ten minutes off takes no request
of Slack's, as it must not; what was written meanwhile is found by the sweep once the clock is right again."""

_EFFECTS_TEXT = "Each cell counts what became of the trials."

_REQUESTS_TEXT = """Each request that any function makes in a scenario meets each of these faults in turn; none is left
out. SIGKILL after each request is SIGKILL at every step boundary, because between two requests nothing changes but the
memory of the process. The short form kills along a message; `--long` takes every fault along every scenario."""


def _table_of_effects(trials: Sequence[Trial]) -> str:
    return _cross(trials, [effect.name for effect in EFFECTS], lambda trial: trial.where)


def _table_of_faults(trials: Sequence[Trial]) -> str:
    return _cross(trials, sorted({each.scenario for each in trials}), lambda trial: trial.scenario)


def _cross(trials: Sequence[Trial], columns: Sequence[str], column_of: Callable[[Trial], str]) -> str:
    """Give a table of faults by columns, with the outcomes counted."""
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
            f"""{burst.messages:,} messages in waves, each written faster than handled, with faults among them:
**{burst.lost} lost, {burst.doubled} doubled**; {burst.handled:,} handled with one visible copy,
{burst.dead_lettered} set aside, in {burst.seconds:.0f} s.
Slack gave up delivering {burst.given_up:,} of them; the sweep found these.
The endpoint was called {burst.endpoint_calls:,} times, once for
{burst.messages / max(1, burst.endpoint_calls):.1f} messages.""",
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
    return f"""{fuzzed.requests:,} requests to every route, wrong in every way and most of them rightly signed:
{len(fuzzed.faults)} answered with a 5xx or not at all; the slowest took {fuzzed.slowest:.1f} s. Statuses: {statuses}.
Memory in MB after a quarter of them and at the end: {memory}."""
