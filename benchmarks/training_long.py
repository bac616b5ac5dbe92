"""Training on as many rows as the full DBpedia-14, from CSV to artefact, compared with fastText's own training.

fastText trains with the sample notebook's parameters and two threads on the output of `prepare` for the same rows; only
its training is timed. Ours is the whole command: reading, cleaning, fitting, calibrating, exporting, measuring. Wall
time is what a user waits for; processor time depends less on other programs.
"""

import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.results import BenchmarkError, save
from benchmarks.training import DATA, FASTTEXT, ROOT, SAMPLE, Line, table
from training.data.dataset import CLASSES, TEST, TRAIN
from training.data.prepare import prepare
from training.data.splits import MANY_ROWS

ROWS = (56_000, 560_000)
TIMES_FASTTEXT = 3
MOST_BYTES = 4 << 30
# Growth counts as linear while a row costs at most this many times a row of the smaller run.
LARGEST_GROWTH = 1.3
# Share of a resampled text's words that come from another text, so that no two rows are nearly the same.
REPLACED = 0.2


@dataclass(frozen=True)
class Cost:
    """Wall and processor time in seconds, and peak memory in bytes, of one process."""

    seconds: float
    processor_seconds: float
    peak_bytes: int


def run() -> None:
    """Training on 560,000 rows from CSV to artefact, against fastText's own training (about ten minutes)."""
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
    _resample(DATA / "dbpedia14", folder / "data", rows)
    ours = _measure_command(
        [sys.executable, "-m", "training", "train", folder / "data", "--out", folder / "model", "--maxn", "0"]
    )
    prepared = prepare(folder / "data", folder / "prepared", validation=0)
    question = {
        "train": str(prepared.files[TRAIN]),
        "texts": str(prepared.files[TEST]),
        "arguments": {**SAMPLE, "thread": 2},
    }
    theirs = _measure_command([FASTTEXT, "-m", "benchmarks.fasttext_peer"], json.dumps(question))
    return {"this trainer": ours, "fastText": theirs}


# --- Data -------------------------------------------------------------------------------------------------------


def _resample(source: Path, target: Path, rows: int) -> None:
    """Write a data folder with `rows` mixed rows in `train.csv`, the same class and word shares, and `test.csv`.

    A row has the words of one text, a fifth of them replaced with words of another text of its class.
    """
    target.mkdir(parents=True)
    for name in (CLASSES, TEST):
        (target / name).write_bytes((source / name).read_bytes())
    texts = _read(source / TRAIN)
    chance = random.Random(0)
    labels = [label for label, of_class in texts.items() for _ in of_class]
    with (target / TRAIN).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        for _ in range(rows):
            label = chance.choice(labels)
            writer.writerow([label, "", _mix(*chance.choices(texts[label], k=2), chance)])


def _read(path: Path) -> dict[str, list[list[str]]]:
    texts: defaultdict[str, list[list[str]]] = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as file:
        for label, *parts in csv.reader(file):
            texts[label].append(" ".join(parts).split())
    return dict(texts)


def _mix(words: list[str], others: list[str], chance: random.Random) -> str:
    return " ".join(chance.choice(others) if chance.random() < REPLACED else word for word in words)


# --- Costs ------------------------------------------------------------------------------------------------------


def _measure_command(command: Sequence[str | Path], standard_input: str = "") -> Cost:
    """Run a command and return its costs; times that its answer reports (fasttext_peer) replace those measured."""
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as question, tempfile.TemporaryFile("w+") as answer:
        question.write(standard_input)
        question.seek(0)
        child = subprocess.Popen([str(part) for part in command], cwd=ROOT, stdin=question, stdout=answer)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise BenchmarkError(f"{command[-1]} ended with exit code {child.returncode}")
        seconds = time.perf_counter() - start
        answer.seek(0)
        reported: dict[str, Any] = json.load(answer) if standard_input else {}
    used = usage.ru_utime + usage.ru_stime
    return Cost(reported.get("seconds", seconds), reported.get("processor_seconds", used), usage.ru_maxrss * 1024)


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
        "\nRows are resampled from the sample's 18,792: the words of one text, a fifth of them replaced with words of "
        "another of its class. fastText has the sample notebook's parameters (10 epochs) and two threads; only its "
        f"training is timed. Below {MANY_ROWS:,} rows, heads are fitted twice, so a row of the smaller run costs more."
    )
