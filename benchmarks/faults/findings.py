"""What runs of the laboratory found, part by part; kept in a file, so that one part can be run again by itself."""

from dataclasses import dataclass, field
from pathlib import Path

from pydantic import TypeAdapter

from benchmarks.faults.burst import Burst
from benchmarks.faults.front_door import Latencies
from benchmarks.faults.fuzz_run import Fuzzed
from benchmarks.faults.trials import GOOD, Trial


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


def save_findings(findings: Findings, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    partial.write_bytes(_ADAPTER.dump_json(findings, indent=1))
    partial.replace(path)
