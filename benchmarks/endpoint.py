"""How many requests a second the local endpoint serves, beside FastAPI on uvicorn with the same model.

The load comes from a process of its own on the same machine. RoundRobin take turns between the servers, so that a busy
moment of the machine hits all of them; figures are medians over rounds, ratios medians of the rounds' own ratios.
Processor time is what a server's processes used, which other programs on the machine disturb least.
"""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.load import HOST
from benchmarks.results import BenchmarkError, save
from benchmarks.servers import LOCAL_ENDPOINT, ROOT, Running, Server, running

BODY = json.dumps(
    {
        "instances": ["hello , i was charged twice for the march invoice and nobody has answered my mail yet !"],
        "configuration": {"k": 9},
    }
).encode()
WORKERS = (1, 2)
ROUNDS = 7
REQUESTS = 8_000
WARM_UP = 500
CONNECTIONS = 16
TARGET = 2.0

UVICORN = ("-m", "uvicorn", "--factory", "--host", HOST, "--no-access-log", "--log-level", "warning")
GRANIAN = (
    "-m",
    "granian",
    "--factory",
    "--interface",
    "asgi",
    "--host",
    HOST,
    "--no-access-log",
    "--log-level",
    "error",
)


OURS = LOCAL_ENDPOINT
FASTAPI = Server("FastAPI on uvicorn", (*UVICORN, "benchmarks.endpoint_peers:create_fastapi"))
SERVERS = (
    OURS,
    FASTAPI,
    Server("bare ASGI on uvicorn", (*UVICORN, "benchmarks.endpoint_peers:create_asgi")),
    Server("bare ASGI on granian", (*GRANIAN, "benchmarks.endpoint_peers:create_asgi")),
)
PACKAGES = ("fastapi", "uvicorn", "granian", "httptools", "uvloop", "pydantic", "fasttext-predict")


@dataclass(frozen=True)
class Round:
    """What one round measured: requests a second, latencies in ms, processor time a request in µs."""

    rate: float
    p50: float
    p99: float
    processor: float


def run() -> None:
    """MessageHandler a second and p99 of the local endpoint, beside FastAPI on uvicorn with the same model."""
    with ExitStack() as stack:
        servers = [stack.enter_context(running(server, workers)) for workers in WORKERS for server in SERVERS]
        _check_that_all_answer_alike(servers)
        rounds: dict[tuple[str, int], list[Round]] = {(each.server.name, each.workers): [] for each in servers}
        for _ in range(ROUNDS):
            for each in servers:
                rounds[each.server.name, each.workers].append(_measure(each))
    rows = [_row(name, workers, rounds) for name, workers in rounds]
    save("endpoint", "MessageHandler a second on one machine", _text(rows), {"target": TARGET, "rows": rows}, PACKAGES)


# --- Measuring ------------------------------------------------------------------------------------------------


def _check_that_all_answer_alike(servers: Sequence[Running]) -> None:
    answers = [json.loads(_load(each, WARM_UP)["answer"]) for each in servers]
    for each, answer in zip(servers, answers, strict=True):
        if answer != answers[0]:
            raise BenchmarkError(f"{each.server.name} gives another answer than {servers[0].server.name}")


def _measure(running: Running) -> Round:
    before = _processor_seconds(running.pid)
    figures = _load(running, REQUESTS)
    used = _processor_seconds(running.pid) - before
    rate = figures["requests"] / figures["seconds"]
    return Round(rate, figures["p50"], figures["p99"], used / figures["requests"] * 1e6)


def _load(running: Running, count: int) -> dict[str, Any]:
    options = ("--count", str(count), "--connections", str(CONNECTIONS))
    command = [sys.executable, "-m", "benchmarks.load", str(running.port), running.server.path, *options]
    done = subprocess.run(command, cwd=ROOT, input=BODY, stdout=subprocess.PIPE, timeout=60, check=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    if figures["wrong"] or not figures["requests"]:
        raise BenchmarkError(f"{running.server.name} gave {figures['wrong']} wrong of {figures['requests']} answers")
    return figures


def _processor_seconds(pid: int) -> float:
    """Give what a process and those it started have used; 0 where there is no /proc."""
    folder = Path(f"/proc/{pid}")
    try:
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        children = (folder / "task" / str(pid) / "children").read_text().split()
    except OSError:
        return 0.0
    ticks = int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK") + sum(_processor_seconds(int(child)) for child in children)


# --- Reporting ------------------------------------------------------------------------------------------------


def _row(name: str, workers: int, rounds: dict[tuple[str, int], list[Round]]) -> dict[str, Any]:
    own, peer = rounds[name, workers], rounds[FASTAPI.name, workers]
    medians = {
        field: statistics.median(getattr(each, field) for each in own) for field in ("rate", "p50", "p99", "processor")
    }
    ratios = [mine.rate / theirs.rate for mine, theirs in zip(own, peer, strict=True)]
    rates = [each.rate for each in own]
    return {
        "server": name,
        "workers": workers,
        **medians,
        "rates": rates,
        "ratio": statistics.median(ratios),
        "ratio_least": min(ratios),
    }


def _text(rows: Sequence[dict[str, Any]]) -> str:
    lines = [
        f"One message a request, all labels in the answer, {CONNECTIONS} connections, {ROUNDS} rounds of {REQUESTS:,} "
        "requests that take turns\nbetween the servers; the load runs on the same cores. Medians over the rounds; "
        "each round's ratio is to FastAPI's rate\nwith as many workers in the same round.",
        "",
        "| server | workers | requests/s | × FastAPI | (least round) | p50 ms | p99 ms | processor µs a request |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['server']} | {row['workers']} | {row['rate']:,.0f} | {row['ratio']:.2f} | {row['ratio_least']:.2f} "
        f"| {row['p50']:.2f} | {row['p99']:.2f} | {row['processor']:.0f} |"
        for row in rows
    ]
    reached = min(row["ratio"] for row in rows if row["server"] == OURS.name)
    verdict = "held" if reached >= TARGET else "missed"
    lines += ["", f"Target, at least {TARGET:g} × FastAPI on uvicorn: {verdict} ({reached:.2f})."]
    return "\n".join(lines)
