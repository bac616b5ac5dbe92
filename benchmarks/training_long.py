"""From CSV to artefact with as many rows as the whole of DBpedia-14 has, beside fastText's own training.

fastText trains with the sample notebook's parameters, 2 threads, on the file that `prepare` makes of the same rows;
only its training counts. Ours is the whole command: reading, cleaning, fitting, calibrating, exporting, measuring. Wall
time says what a person waits for; processor time is told too, because other programs do not change it much.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.resampled import resample
from benchmarks.results import BenchmarkError, save
from benchmarks.training import DATA, FASTTEXT, ROOT, SAMPLE, Line, table
from training.data.dataset import TEST, TRAIN
from training.data.prepare import prepare
from training.data.splits import MANY_ROWS

ROWS = (56_000, 560_000)
TIMES_FASTTEXT = 3
MOST_BYTES = 4 << 30
# Growth is linear or slower while a row costs no more than this, against a row of the smaller run.
LARGEST_GROWTH = 1.3


@dataclass(frozen=True)
class Cost:
    """Seconds of wall and processor time, and the bytes of memory at the peak, of one process."""

    seconds: float
    processor_seconds: float
    peak_bytes: int


def run() -> None:
    """The 560,000-row run: CSV to artefact beside fastText's own training (some ten minutes)."""
    if not DATA.exists() or not FASTTEXT.exists():
        raise BenchmarkError(f"the evaluation data ({DATA}) and .venv-fasttext are needed: `make bench` sets it up")
    costs = {}
    for rows in ROWS:
        with tempfile.TemporaryDirectory(prefix="bench-training-") as folder:
            costs[rows] = _measure(Path(folder), rows)
            print(f"{rows:,} rows: {costs[rows]}", file=sys.stderr)
    lines = _check(costs)
    figures = {
        "costs": {rows: {who: asdict(cost) for who, cost in found.items()} for rows, found in costs.items()},
        "targets": [asdict(line) for line in lines],
    }
    save("training-long", "Training on 560,000 rows", table(lines) + _costs(costs), figures, ("numpy", "scikit-learn"))


def _measure(folder: Path, rows: int) -> Mapping[str, Cost]:
    resample(DATA / "dbpedia14", folder / "data", rows)
    ours = _spend(
        [sys.executable, "-m", "training", "train", folder / "data", "--out", folder / "model", "--maxn", "0"]
    )
    prepared = prepare(folder / "data", folder / "prepared", validation=0)
    question = {
        "train": str(prepared.files[TRAIN]),
        "texts": str(prepared.files[TEST]),
        "arguments": {**SAMPLE, "thread": 2},
    }
    theirs = _spend([FASTTEXT, "-m", "benchmarks.fasttext_peer"], json.dumps(question))
    return {"this trainer": ours, "fastText": theirs}


def _spend(command: Sequence[str | Path], asked: str = "") -> Cost:
    """Run a command; where it tells of the seconds of a part of it, as fasttext_peer does, count those."""
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as question, tempfile.TemporaryFile("w+") as answer:
        question.write(asked)
        question.seek(0)
        child = subprocess.Popen([str(part) for part in command], cwd=ROOT, stdin=question, stdout=answer)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise BenchmarkError(f"{command[-1]} ended with exit code {child.returncode}")
        seconds = time.perf_counter() - start
        answer.seek(0)
        told: dict[str, Any] = json.load(answer) if asked else {}
    used = usage.ru_utime + usage.ru_stime
    return Cost(told.get("seconds", seconds), told.get("processor_seconds", used), usage.ru_maxrss * 1024)


def _check(costs: Mapping[int, Mapping[str, Cost]]) -> list[Line]:
    few, many = ROWS
    ours, theirs = costs[many]["this trainer"], costs[many]["fastText"]
    ratio, of_processor = ours.seconds / theirs.seconds, ours.processor_seconds / theirs.processor_seconds
    growth = (ours.processor_seconds / costs[few]["this trainer"].processor_seconds) / (many / few)
    return [
        Line(f"{many:,} rows, CSV to artefact", f"≤ {TIMES_FASTTEXT} × fastText",
             f"{ours.seconds:.0f} s ({ratio:.1f} ×; of processor time {of_processor:.1f} ×)", ratio <= TIMES_FASTTEXT,
             f"{theirs.seconds:.0f} s"),
        Line("… memory at the peak", "≤ 4 GiB", f"{ours.peak_bytes / 2**30:.1f} GiB", ours.peak_bytes <= MOST_BYTES),
        Line(f"… processor time of a row, against one of {few:,}", f"linear: ≤ {LARGEST_GROWTH} ×", f"{growth:.2f} ×",
             growth <= LARGEST_GROWTH),
    ]  # fmt: skip


def _costs(costs: Mapping[int, Mapping[str, Cost]]) -> str:
    text = "\n\n| rows | | wall time | processor time | memory at the peak |\n|--:|---|--:|--:|--:|\n"
    for rows, found in costs.items():
        for who, cost in found.items():
            text += f"| {rows:,} | {who} | {cost.seconds:.0f} s | {cost.processor_seconds:.0f} s |"
            text += f" {cost.peak_bytes / 2**30:.1f} GiB |\n"
    return text + (
        "\nRows are resampled from the sample's 18,792: the words of one text, every fifth of them from another of its "
        "class. fastText has the sample notebook's parameters (10 epochs) and two threads; only its training counts. "
        f"Fewer than {MANY_ROWS:,} rows are fitted to twice, which is why a row of the smaller run costs more."
    )
