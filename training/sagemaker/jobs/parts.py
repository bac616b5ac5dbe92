"""The parts of a long run on disk: each there whole or not at all, so that a run that broke off goes on.

The folder is named after what is classified and by which model: other messages, or another model, start anew.
"""

import hashlib
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from training.data.atomic_files import whole_file, write_text
from training.sagemaker.jobs.batch import Shard, is_failure
from training.sagemaker.jobs.inputs import checksum


@dataclass(frozen=True, slots=True)
class Parts:
    """The folder of a run's finished parts, beside the file that they become."""

    out: Path
    folder: Path

    def has(self, shard: Shard) -> bool:
        return (self.folder / shard.name).exists()

    def put(self, shard: Shard, lines: str) -> None:
        with write_text(self.folder / shard.name) as file:
            file.write(lines)

    def join(self) -> tuple[int, int]:
        """Make one file of all parts, and one of the failures; give the numbers of both, and take the parts away."""
        with whole_file(self.out) as done, whole_file(self.failures) as failed:
            counts = _join(sorted(self.folder.glob("part-*.jsonl")), done, failed)
        if not counts[1]:
            self.failures.unlink()
        shutil.rmtree(self.folder, ignore_errors=True)
        return counts

    @property
    def failures(self) -> Path:
        return self.out.with_suffix(".failures.jsonl")


def _join(parts: Iterable[Path], done: Path, failed: Path) -> tuple[int, int]:
    counts = [0, 0]
    with done.open("w", encoding="utf-8") as results, failed.open("w", encoding="utf-8") as failures:
        for part in parts:
            with part.open(encoding="utf-8") as lines:
                for line in lines:
                    has_failed = is_failure(line)
                    (failures if has_failed else results).write(line)
                    counts[has_failed] += 1
    return counts[0], counts[1]


def open_parts(messages: Path, version: str, out: Path, size: int) -> Parts:
    """Open the parts of classifying `messages` by a model in shards of `size`."""
    digest = hashlib.sha256(f"{checksum(messages)} {version} {size}".encode()).hexdigest()[:12]
    return Parts(out, out.with_name(f"{out.name}.{digest}.parts"))
