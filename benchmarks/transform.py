"""Messages per second of `sagemaker transform --local`, compared with the same model in one bare process.

The messages are the starter messages, repeated, as JSON lines with ids; "bare" is `clean`, `normalise`, fastText and
decoding in one process without disk access. Memory is the peak of the process that runs `sagemaker transform`, and must
not grow with the number of messages. The bare process is measured before and after each run, and the share refers to
the mean of both, since other programs may be busy on the machine. The run has two processes, so with two free cores it
can be faster than one bare process.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import cycle, islice, pairwise
from pathlib import Path
from typing import Any

from benchmarks.results import BenchmarkError, save
from classifier_infra.inference.fallback import EmbeddedClassifier
from classifier_infra.model.model import load_model
from classifier_infra.model.text import clean
from training.starter import read_messages

ROOT = Path(__file__).parents[1]
MODEL = ROOT / "build" / "models" / "starter"
COUNTS = (100_000, 1_000_000)
BARE = 50_000

# Runs the command and prints, last, the peak memory of its process in KiB.
_CHILD = """
import resource, sys
from training.__main__ import main
status = main(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
sys.exit(status)
"""


def run() -> None:
    """Messages per second of `sagemaker transform --local`, and its memory."""
    if not (MODEL / "manifest.json").exists():
        raise BenchmarkError(f"there is no {MODEL}; train it with `make train-starter`")
    texts = [message.text for message in read_messages()]
    bare, runs = [_time_bare(texts)], []
    for count in COUNTS:
        runs.append(_time_transform(texts, count))
        bare.append(_time_bare(texts))
    bare_rates = [statistics.mean(pair) for pair in pairwise(bare)]
    rows = "\n".join(
        f"| {found['messages']:,} | {found['rate']:,.0f} | {rate:,.0f} | {found['rate'] / rate:.2f} "
        f"| {found['peak_mb']:.0f} MB |"
        for found, rate in zip(runs, bare_rates, strict=True)
    )
    head = (
        "| messages | `transform --local`, per second | bare, per second | share | peak memory |\n"
        "|---|---|---|---|---|\n"
    )
    text = f"{(__doc__ or '').strip()}\n\n{head}{rows}"
    figures = {"bare": bare, "transform": runs}
    save("transform", "Past messages over the local endpoint", text, figures, ("fasttext-predict", "boto3", "uvicorn"))


def _time_bare(texts: Sequence[str]) -> float:
    classifier = EmbeddedClassifier(load_model(MODEL, in_memory=True))
    messages = list(islice(cycle(texts), BARE))
    start = time.perf_counter()
    for first in range(0, BARE, 1_000):
        classifier.predict([clean(text) for text in messages[first : first + 1_000]])
    return BARE / (time.perf_counter() - start)


def _time_transform(texts: Sequence[str], count: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="transform-") as scratch:
        past, out = Path(scratch) / "past.jsonl", Path(scratch) / "out.jsonl"
        with past.open("w", encoding="utf-8") as file:
            file.writelines(_lines(texts, count))
        command = [sys.executable, "-c", _CHILD, "sagemaker", "transform", past, MODEL, "--out", out, "--local"]
        start = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        seconds = time.perf_counter() - start
        with out.open("rb") as file:
            written = sum(1 for _ in file)
    if written != count:
        raise BenchmarkError(f"{written:,} of {count:,} messages were classified: {done.stdout}")
    peak = int(done.stdout.split()[-1]) / 1024
    return {"messages": count, "seconds": seconds, "rate": count / seconds, "peak_mb": peak}


def _lines(texts: Sequence[str], count: int) -> Iterator[str]:
    for number, text in enumerate(islice(cycle(texts), count)):
        yield json.dumps({"id": number, "text": text}) + "\n"
