"""Local run of a BlazingText training job, with the original fastText.

BlazingText implements fastText's algorithms and file format. A local run cannot show its speed, the races of its
threads, or early stopping, which fastText lacks. It runs in a child process in its own environment, because fastText
and the library that serves its models are imported under the same name.
"""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.blazingtext.hyperparameters import SUPERVISED, Value

MODEL, VECTORS = "model.bin", "vectors.txt"

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv-fasttext" / "bin" / "python"
"""Python with fastText 0.9.2; `make` sets it up on Python 3.11 and 3.12, for which there are wheels."""

_CHILD = Path(__file__).with_name("local_run_child.py")
_LAST_LINES = 3


class LocalRunError(RuntimeError):
    """fastText is not installed or has failed; the message says what to do."""


@dataclass(frozen=True, slots=True)
class LocalRun:
    """A trained model; for word vectors, the vectors as text too.

    `words` is the number of known words, `seconds` the time of training alone, `version` that of fastText.
    """

    model: Path
    vectors: Path | None
    words: int
    seconds: float
    version: str


def run_locally(
    mode: str,
    text: Path,
    out: Path,
    values: Mapping[str, Value],
    python: Path = PYTHON,
    threads: int = 1,
    progress: bool = False,
) -> LocalRun:
    """Train on a prepared file and write `model.bin` (for word vectors also `vectors.txt`) into the folder `out`.

    `mode` is supervised, skipgram or cbow, and `values` are all its hyperparameters (`resolve`). With one thread, the
    same file gives the same bytes. fastText's `progress` goes to standard error. Raises LocalRunError; then no file in
    `out` has changed.
    """
    if not python.exists():
        what = f"there is no {python}, which has fastText 0.9.2 for local runs"
        raise LocalRunError(f"{what}; `make .venv-fasttext/.ready` sets it up, on Python 3.11 or 3.12")
    out.mkdir(parents=True, exist_ok=True)
    model, vectors = out / f".{MODEL}.part", out / f".{VECTORS}.part"
    is_supervised = mode == SUPERVISED
    question = {
        "train": "supervised" if is_supervised else "unsupervised",
        "input": str(text),
        "model": str(model),
        "vectors": None if is_supervised else str(vectors),
        "arguments": to_fasttext_arguments(mode, values) | {"thread": threads, "verbose": 2 * progress},
    }
    try:
        answer = _ask(python, question)
        model.replace(out / MODEL)
        if not is_supervised:
            vectors.replace(out / VECTORS)
    finally:
        model.unlink(missing_ok=True)
        vectors.unlink(missing_ok=True)
    return LocalRun(out / MODEL, None if is_supervised else out / VECTORS, **answer)


def to_fasttext_arguments(mode: str, values: Mapping[str, Value]) -> dict[str, Any]:
    """Translate BlazingText's hyperparameters to fastText's. Raises LocalRunError for a mode that fastText lacks."""
    common = {
        "lr": values["learning_rate"],
        "dim": values["vector_dim"],
        "epoch": values["epochs"],
        "minCount": values["min_count"],
        "bucket": values["buckets"],
    }
    if mode == SUPERVISED:
        return common | {"wordNgrams": values["word_ngrams"], "minn": 0, "maxn": 0, "loss": "softmax"}
    if mode not in ("skipgram", "cbow"):
        raise LocalRunError(f"fastText has no mode {mode}, which is skipgram spread over cores; use skipgram")
    return common | {
        "minn": values["min_char"] if values["subwords"] else 0,
        "maxn": values["max_char"] if values["subwords"] else 0,
        "model": mode,
        "ws": values["window_size"],
        "neg": values["negative_samples"],
        "t": values["sampling_threshold"],
        "loss": "ns",
    }


def _ask(python: Path, question: Mapping[str, Any]) -> Any:
    # -I: the child imports modules neither from this folder nor by the caller's PYTHONPATH.
    command = [str(python), "-I", str(_CHILD)]
    show = None if question["arguments"]["verbose"] else subprocess.PIPE
    done = subprocess.run(  # noqa: S603 (our script, run by the given Python)
        command, input=json.dumps(question), stdout=subprocess.PIPE, stderr=show, text=True, check=False
    )
    if done.returncode:
        reason = " ".join((done.stderr or "").strip().splitlines()[-_LAST_LINES:])
        raise LocalRunError(f"fastText ended with exit code {done.returncode}: {reason}".rstrip(": "))
    return json.loads(done.stdout)
