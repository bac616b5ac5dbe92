"""Changes to a workspace's statistics and queues by a decision, a correction or an answer. Pure.

A message counts on the day it was written (UTC), so a later correction or answer changes the counters of that day.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from bot.queue.messages import MessageKey
from bot.triage.case import Case, Correction, Decision, FirstAnswer
from classifier_infra.model.prediction import Score

# What waits for a person: their word on a message's main facet, or their answer to an urgent request.
Queue: TypeAlias = Literal["review", "urgent"]

# As many guesses as a person is offered.
_MOST_GUESSES = 4

_TO_REVIEW = frozenset({"ask", "suggest", "silent", "watch"})


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message in one of the queues: the labels of its main facet, most likely first."""

    key: MessageKey
    guesses: tuple[Score, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """The labels of a message by facet, for comparisons with other policies. `found` are those that the classifier is
    sure of, with the `main` facet; `said` those that people chose. None leaves what was known.
    """

    main: str | None = None
    found: Mapping[str, str] | None = None
    said: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Settled:
    """A message of the last days, with its settled labels."""

    key: MessageKey
    main: str
    labels: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class StatsDelta:
    """The changes: counters by name (of the message's day), the queues that the message enters (`begin`) and leaves
    (`end`), and a `trace` of what became known of it. `gone`: the message does not exist any more.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    begin: Mapping[Queue, Waiting] = field(default_factory=dict)
    end: frozenset[Queue] = frozenset()
    trace: Trace | None = None
    gone: bool = False


def decision_delta(key: MessageKey, decision: Decision) -> StatsDelta:
    """Count a new decision once, and put it into the queues of messages that wait for people."""
    if decision.outcome == "ignore":
        return StatsDelta({f"ignored#{decision.reason}": 1})
    main = decision.facet_results[0]
    waiting = Waiting(key, main.scores[:_MOST_GUESSES])
    queues: dict[Queue, Waiting] = {}
    if decision.outcome in _TO_REVIEW:
        queues["review"] = waiting
    if decision.urgent:
        queues["urgent"] = waiting
    trace = Trace(
        main.facet,
        {facet_result.facet: facet_result.label for facet_result in decision.facet_results if facet_result.sure},
    )
    return StatsDelta({f"outcome#{decision.outcome}": 1, f"label#{main.label}": 1}, queues, trace=trace)


def revision_delta(key: MessageKey, before: Decision, after: Decision) -> StatsDelta:
    """Count a decision that replaces another: the message is counted as what it is now."""
    first, now = decision_delta(key, before), decision_delta(key, after)
    names = first.counts.keys() | now.counts.keys()
    counts = {name: now.counts.get(name, 0) - first.counts.get(name, 0) for name in sorted(names)}
    ended = first.begin.keys() - now.begin.keys()
    changed = {name: count for name, count in counts.items() if count}
    return StatsDelta(changed, now.begin, frozenset(ended), now.trace)


def withdrawal_delta() -> StatsDelta:
    """Take a message that is gone out of all queues."""
    return StatsDelta(end=frozenset({"review", "urgent"}), gone=True)


def correction_delta(case: Case, correction: Correction) -> StatsDelta:
    """Count a correction, once for each message and facet: a later correction replaces the earlier one."""
    decision = case.decision
    assert decision is not None, "only what was decided can be corrected"
    said = [each.after for each in case.corrections if each.facet == correction.facet]
    found = decision.labels[correction.facet]
    counts: dict[str, int] = {}
    if said:
        counts[_verdict(correction.facet, said[-1] == found)] = -1
    name = _verdict(correction.facet, correction.after == found)
    counts[name] = counts.get(name, 0) + 1
    is_main = correction.facet == decision.facet_results[0].facet
    if is_main:
        _move(counts, said[-1] if said else found, correction.after)
    labels = {each.facet: each.after for each in (*case.corrections, correction)}
    ended: frozenset[Queue] = frozenset({"review"} if is_main else ())
    return StatsDelta({name: count for name, count in counts.items() if count}, end=ended, trace=Trace(said=labels))


# How long customers waited, in seconds: an answer is counted under the first of these that it came within.
ANSWERED_WITHIN = (60, 300, 900, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400, 604_800)


def answer_delta(key: MessageKey, case: Case, answer: FirstAnswer) -> StatsDelta:
    """Count how long the customer waited for a person; no answer is due any more.

    The count of an earlier known answer, which turned out not to be the first, is taken back.
    """
    if case.decision is None or case.decision.outcome == "ignore":
        return StatsDelta(end=frozenset({"urgent"}))
    counts = {_answered(key, answer): 1}
    if case.first_answer:
        before = _answered(key, case.first_answer)
        counts[before] = counts.get(before, 0) - 1
    return StatsDelta({name: count for name, count in counts.items() if count}, end=frozenset({"urgent"}))


def _answered(key: MessageKey, answer: FirstAnswer) -> str:
    waited = answer.answered_at - float(key.ts)
    return f"answered#{next((seconds for seconds in ANSWERED_WITHIN if waited <= seconds), ANSWERED_WITHIN[-1])}"


def _verdict(facet: str, is_right: bool) -> str:
    return f"{'right' if is_right else 'wrong'}#{facet}"


def _move(counts: dict[str, int], before: str, after: str) -> None:
    if before != after:
        counts[f"label#{before}"] = -1
        counts[f"label#{after}"] = 1


def day_of(ts: str) -> str:
    """Return the day (UTC, `2026-11-22`) of a Slack timestamp."""
    return datetime.fromtimestamp(min(float(ts), _LAST_SECOND), UTC).date().isoformat()


# Of the year 9999, after which there is no date; a timestamp can have more digits.
_LAST_SECOND = 253_402_300_799
