"""Measure the latency of the events endpoint at a steady rate of requests."""

import asyncio
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import count

import httpx2

from benchmarks.faults.laboratory import Laboratory
from benchmarks.faults.scenarios import TEXT
from bot.sandbox.slack.delivery import sign


@dataclass(frozen=True, slots=True)
class Latencies:
    """The latencies in milliseconds, counted from when each request was due, and the HTTP statuses."""

    rate: int
    milliseconds: tuple[float, ...] = field(repr=False)
    statuses: dict[int, int]

    def percentile(self, percent: float) -> float:
        ordered = sorted(self.milliseconds)
        return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def measure_latency(laboratory: Laboratory, seconds: int, rate: int = 50) -> Latencies:
    """Send signed events at a steady rate, whether or not the earlier ones are answered (open loop)."""
    return asyncio.run(_measure(laboratory, seconds * rate, rate))


async def _measure(laboratory: Laboratory, requests: int, rate: int) -> Latencies:
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as client:
        started = time.monotonic()

        async def send(number: int) -> tuple[float, int]:
            due = started + number / rate
            await asyncio.sleep(due - time.monotonic())
            body = build_event(laboratory, number)
            headers = sign(laboratory.signing_secret, body, int(laboratory.clock()))
            answer = await client.post(
                f"{laboratory.gateway}/slack/events",
                content=body,
                headers={"Content-Type": "application/json", **headers},
            )
            return (time.monotonic() - due) * 1000, answer.status_code

        results = await asyncio.gather(*(send(number) for number in range(requests)))
    return Latencies(rate, tuple(took for took, _ in results), dict(Counter(status for _, status in results)))


_numbers = count()


def build_event(laboratory: Laboratory, number: int = 0) -> bytes:
    """Build an event that is queued and then ignored: a message in a channel where the bot is off."""
    ts = f"{laboratory.clock():.0f}.{next(_numbers):06d}"
    message = {"type": "message", "channel": "C0LEADS", "user": "U0MAYA", "ts": ts, "text": f"{TEXT} {number}"}
    workspace = laboratory.installation.workspace
    authorization = {"team_id": workspace.team.id, "user_id": workspace.bot.user_id, "is_bot": True}
    envelope = {"type": "event_callback", "team_id": workspace.team.id, "authorizations": [authorization]}
    return json.dumps({**envelope, "event_id": f"Ev{ts}", "event": message}).encode()
