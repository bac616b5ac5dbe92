"""Requests that nobody should send, sent to every HTTP surface, and what came back."""

import random
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import httpx2

from benchmarks.faults.fuzz import FuzzedRequest, generate
from benchmarks.faults.laboratory import Laboratory
from benchmarks.faults.memory import resident_megabytes

HANG_SECONDS = 10.0

# What a request cannot be blamed for, and a person can do something about: come back later.
_FINE = frozenset({503})

_SENDERS = 3


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """What came back: status → how often, and a note of each request whose answer was a fault of ours.

    `slowest` is in seconds; `memory` has the MB of each process after a quarter of the requests and in the end.
    """

    requests: int
    statuses: dict[int, int]
    faults: tuple[str, ...]
    slowest: float
    memory: dict[str, tuple[float, float]] = field(default_factory=dict)


def run_fuzz(laboratory: Laboratory, requests: int, seed: int = 1) -> Fuzzed:
    """Send the requests, a few at a time, and see to it that the functions still live in the end."""
    # By a quarter of many everything that is made once has been made, also by those whom a queue feeds.
    first = _send_all(laboratory, requests // 4, seed)
    laboratory.drain(600)
    before = _memory(laboratory)
    rest = _send_all(laboratory, requests - requests // 4, seed + _SENDERS)
    after = _memory(laboratory)
    laboratory.drain(600)
    laboratory.take_set_aside()
    return Fuzzed(
        requests,
        dict(Counter(first.statuses) + Counter(rest.statuses)),
        first.faults + rest.faults,
        max(first.slowest, rest.slowest),
        {name: (megabytes, after[name]) for name, megabytes in before.items() if name in after},
    )


def _memory(laboratory: Laboratory) -> dict[str, float]:
    pids = {name: each.pid for name, each in laboratory.processes.items()} | {"local endpoint": laboratory.endpoint_pid}
    return {name: resident_megabytes(pid) for name, pid in pids.items() if pid}


def _send_all(laboratory: Laboratory, requests: int, seed: int) -> Fuzzed:
    shares = [requests // _SENDERS + (number < requests % _SENDERS) for number in range(_SENDERS)]
    with ThreadPoolExecutor(_SENDERS) as pool:
        sent = [*pool.map(partial(_send_some, laboratory), shares, range(seed, seed + _SENDERS))]
    return Fuzzed(
        requests,
        dict(sum((Counter(each.statuses) for each in sent), Counter())),
        tuple(fault for each in sent for fault in each.faults),
        max(each.slowest for each in sent),
    )


def _send_some(laboratory: Laboratory, requests: int, seed: int) -> Fuzzed:
    statuses: Counter[int] = Counter()
    faults: list[str] = []
    slowest = 0.0
    with httpx2.Client(trust_env=False, timeout=HANG_SECONDS) as client:
        for request in generate(laboratory, random.Random(seed), requests):
            started = time.monotonic()
            status = _send(client, request)
            slowest = max(slowest, time.monotonic() - started)
            statuses[status] += 1
            if status not in _FINE and not 200 <= status < 500:
                faults.append(_describe(request, status))
    return Fuzzed(requests, dict(statuses), tuple(faults), slowest)


def _send(client: httpx2.Client, request: FuzzedRequest) -> int:
    url = request.base + request.path
    try:
        answer = client.request(request.method, url, headers=request.headers, content=request.body)
    except httpx2.HTTPError:
        return 0
    return int(answer.status_code)


def _describe(request: FuzzedRequest, status: int) -> str:
    return f"{request.method} {request.path} → {status or 'no answer'}: {request.body[:300]!r}"
