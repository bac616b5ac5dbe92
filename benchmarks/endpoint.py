"""Measure the local endpoint's requests a second, latencies and processor time, with the load on the same machine."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.results import BenchmarkError, save
from bot.sandbox.servers import ProcessError, create_local_endpoint, free_port

ROOT = Path(__file__).parents[1]
MODEL = ROOT / "build" / "models" / "starter"
ENDPOINT_NAME = "blazing-triage"
BODY = json.dumps(
    {
        "instances": ["hello , i was charged twice for the march invoice and nobody has answered my mail yet !"],
        "configuration": {"k": 9},
    }
).encode()
ROUNDS = 7
REQUESTS = 8_000
WARM_UP = 500
CONNECTIONS = 16
PACKAGES = ("starlette", "uvicorn", "httptools", "uvloop", "fasttext-predict")


@dataclass(frozen=True)
class Running:
    """A local endpoint that was started."""

    port: int
    pid: int


@dataclass(frozen=True)
class Round:
    """The figures of a round: requests a second, latencies in ms, processor time per request in µs."""

    rate: float
    p50: float
    p99: float
    processor: float


def run() -> None:
    """Requests a second of the local endpoint, with p99 and processor time."""
    with running() as endpoint:
        _load(endpoint, WARM_UP)
        rounds = [_measure(endpoint) for _ in range(ROUNDS)]
    save("endpoint", "Requests a second of the local endpoint", _text(rounds), {"rounds": _rows(rounds)}, PACKAGES)


@contextmanager
def running() -> Iterator[Running]:
    """Serve the starter model for the length of the `with` block, on a free port. Raises BenchmarkError."""
    if not (MODEL / "manifest.json").exists():
        raise BenchmarkError(f"{MODEL} is missing: make train-starter")
    port = free_port()
    with closing(create_local_endpoint(MODEL, port, ENDPOINT_NAME)) as server:
        server.start()
        try:
            server.wait()
        except ProcessError as error:
            raise BenchmarkError(str(error)) from error
        assert server.pid is not None
        yield Running(port, server.pid)


def _measure(endpoint: Running) -> Round:
    before = _processor_seconds(endpoint.pid)
    figures = _load(endpoint, REQUESTS)
    used = _processor_seconds(endpoint.pid) - before
    rate = figures["requests"] / figures["seconds"]
    return Round(rate, figures["p50"], figures["p99"], used / figures["requests"] * 1e6)


def _load(endpoint: Running, count: int) -> dict[str, Any]:
    path = f"/endpoints/{ENDPOINT_NAME}/invocations"
    options = ("--count", str(count), "--connections", str(CONNECTIONS))
    command = [sys.executable, "-m", "benchmarks.load", str(endpoint.port), path, *options]
    done = subprocess.run(command, cwd=ROOT, input=BODY, stdout=subprocess.PIPE, timeout=60, check=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    if figures["wrong"] or not figures["requests"]:
        raise BenchmarkError(f"{figures['wrong']} of {figures['requests']} answers were wrong")
    return figures


def _processor_seconds(pid: int) -> float:
    """Return the processor time that a process has used, 0 where there is no /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rows(rounds: Sequence[Round]) -> list[dict[str, float]]:
    return [asdict(each) for each in rounds]


def _text(rounds: Sequence[Round]) -> str:
    median = {name: statistics.median(row[name] for row in _rows(rounds)) for name in asdict(rounds[0])}
    return (
        f"One message per request, all labels in the answer, {CONNECTIONS} connections; medians of {ROUNDS} rounds of "
        f"{REQUESTS:,}\nrequests. The load runs on the same cores.\n\n"
        "| requests/s | p50 ms | p99 ms | processor µs per request |\n|---|---|---|---|\n"
        f"| {median['rate']:,.0f} | {median['p50']:.2f} | {median['p99']:.2f} | {median['processor']:.0f} |"
    )
