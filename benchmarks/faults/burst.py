"""Send a burst of messages with every fault among them, and count how many are lost or doubled."""

import json
import re
import time
from collections import Counter
from dataclasses import dataclass

from benchmarks.faults.laboratory import Laboratory, resident_megabytes
from benchmarks.faults.rules import KILLS, Fault, Rule
from benchmarks.faults.scenarios import INTAKE, TEXT
from bot.pipeline.reconcile import SUMMARY
from bot.sandbox.slack.workspace import Message, Workspace

# Approximately the requests that the functions make for one message, and the events that Slack sends because of it.
_REQUESTS_A_MESSAGE = 27
_EVENTS_A_MESSAGE = 4

# The stand-in keeps its last thousand deliveries only, so a wave must be checked before they are dropped.
_WAVE = 500

_LINK = re.compile(r"/p(\d{10})(\d{6})")


@dataclass(frozen=True, slots=True)
class Burst:
    """The outcome of a burst. `memory`: process → MB after each wave.

    `given_up` messages could not be delivered by Slack, so the sweep found them. `notes` list what was visible of each
    message that was lost or doubled.
    """

    messages: int
    handled: int
    dead_lettered: int
    lost: int
    doubled: int
    given_up: int
    endpoint_calls: int
    seconds: float
    faults: dict[str, int]
    memory: dict[str, tuple[float, ...]]
    notes: tuple[str, ...] = ()


def rules_for_every(messages: int) -> tuple[Rule, ...]:
    """Return rules by which each fault strikes about once in `messages` messages.

    SIGKILL strikes one worker only, so that the others live long enough to measure their memory.
    """
    every = messages * _REQUESTS_A_MESSAGE
    breaks = [fault for fault in Fault if fault not in KILLS]
    inside = [
        Rule(fault, "*:[!/]*", skip=(number + 1) * every // (len(breaks) + 1), every=every, times=None)
        for number, fault in enumerate(breaks)
    ]
    deliveries = [
        Rule(fault, "front:/slack/events", skip=10 + 7 * number, every=messages * _EVENTS_A_MESSAGE, times=None)
        for number, fault in enumerate(breaks)
    ]
    kills = [
        Rule(fault, "*:[!/]*", source="worker-1", skip=(number + 1) * every // 6, every=every // 2, times=None)
        for number, fault in enumerate(KILLS)
    ]
    return (*inside, *deliveries, *kills)


def run_burst(laboratory: Laboratory, messages: int, one_in: int = 100, patience: float = 3_600.0) -> Burst:
    """Write `messages` messages in waves, faster than they are handled; each fault strikes about one in `one_in`.

    After each wave the sweep runs, as it does on a schedule in production. Raises NotDrained after `patience` seconds.
    """
    started, faults = time.monotonic(), laboratory.faults
    calls, struck = faults.seen["endpoint:InvokeEndpoint"], Counter(faults.struck)
    memory: dict[str, list[float]] = {}
    written: list[str] = []
    given_up = 0
    faults.set(*rules_for_every(one_in))
    while len(written) < messages:
        with laboratory.holding_back():
            wave = [laboratory.write(TEXT) for _ in range(min(_WAVE, messages - len(written)))]
        given_up += sum(laboratory.was_given_up(ts) for ts in wave)
        written += wave
        laboratory.drain(patience)
        if len(written) == messages:
            faults.set()
        laboratory.sweep()
        laboratory.drain(patience)
        _sample_memory(laboratory, memory)
    copies = count_copies(laboratory.installation.workspace)
    dead_letters = " ".join(message["Body"] for message in laboratory.take_dead_letters())
    verdicts = {ts: judge(copies.get(ts, Counter()), ts in dead_letters) for ts in written}
    found = Counter(verdicts.values())
    return Burst(
        messages=messages,
        handled=found["handled"],
        dead_lettered=found["dead-lettered"],
        lost=found["lost"],
        doubled=found["doubled"],
        given_up=given_up,
        endpoint_calls=faults.seen["endpoint:InvokeEndpoint"] - calls,
        seconds=time.monotonic() - started,
        faults=dict(faults.struck - struck),
        memory={name: tuple(samples) for name, samples in memory.items()},
        notes=tuple(
            f"{verdict} in the burst: {dict(copies.get(ts, Counter()))}"
            for ts, verdict in verdicts.items()
            if verdict in ("lost", "doubled")
        ),
    )


def judge(copies: Counter[str], is_dead_lettered: bool) -> str:
    """Classify a message by its visible copies (see `count_copies`): handled, doubled, dead-lettered or lost."""
    seen = (copies["reaction"], copies["reply"], copies["post"] + copies["in a summary"])
    if max(seen) > 1:
        return "doubled"
    if seen == (1, 1, 1):
        return "handled"
    return "dead-lettered" if is_dead_lettered else "lost"


def count_copies(workspace: Workspace) -> dict[str, Counter[str]]:
    """Return ts → counts of the reactions, replies, own posts and summaries for each message of the intake channel."""
    copies: dict[str, Counter[str]] = {}
    for message in workspace.channel(INTAKE).messages.values():
        copies.setdefault(message.ts, Counter())["reaction"] += sum(len(each.users) for each in message.reactions)
        if message.thread_ts:
            copies.setdefault(message.thread_ts, Counter())["reply"] += 1
    for channel in workspace.channels.values():
        for message in channel.messages.values():
            links = set(_LINK.findall(json.dumps([message.content.text, message.content.blocks])))
            kind = "in a summary" if _is_summary(message) else "post"
            for seconds, fraction in links:
                copies.setdefault(f"{seconds}.{fraction}", Counter())[kind] += 1
    return copies


def _is_summary(message: Message) -> bool:
    return bool(message.content.metadata and message.content.metadata["event_payload"].get("step") == SUMMARY)


def _sample_memory(laboratory: Laboratory, memory: dict[str, list[float]]) -> None:
    for name in ("front", "worker-2"):
        pid = laboratory.processes[name].pid if name in laboratory.processes else None
        if pid:
            memory.setdefault(name, []).append(resident_megabytes(pid))
