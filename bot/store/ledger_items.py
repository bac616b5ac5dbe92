"""A case's rows in the ledger's table: their keys, and functions that write and read them.

One message is one partition (`pk` = team#channel#ts); its rows are told apart by `sk`:

    case                counters: facts written, facts shown; the lock
    decision            the decision that stands, replaced when the message is changed
    correction#00001    one row for each correction, never changed
    answer              who answered first, and when
    part#…              a later message (its ts) that is read together with this one, until they are split
    deleted             the message is gone
    seen                the message arrived and waits for a decision
    step#react:…        a claim with a lease, then the step's result and what its post shows

No row has the message's text.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, fields
from typing import Any, TypeAlias

from bot.queue.messages import MessageKey
from bot.triage.case import WITHDRAW, Case, Correction, Decision, FirstAnswer, StepResult, decision_from_document

# Longer than people correct a message, and than SQS keeps one (14 days).
KEPT_SECONDS = 90 * 24 * 3600

CASE = "case"
DECISION = "decision"
SEEN = "seen"
STEP = "step#"
_DELETED = "deleted"
_CORRECTION = "correction#"
_ANSWER = "answer"
_PART = "part#"

Row: TypeAlias = Mapping[str, Any]


def row_key(key: MessageKey, sk: str) -> dict[str, Any]:
    return {"pk": {"S": str(key)}, "sk": {"S": sk}}


def expiry(now: float) -> dict[str, str]:
    return {"N": str(int(now) + KEPT_SECONDS)}


# --- Writing ------------------------------------------------------------------------------------------------


def decision_row(key: MessageKey, decision: Decision, now: float) -> Row:
    return {
        **row_key(key, DECISION),
        "outcome": {"S": decision.outcome},
        "reason": {"S": decision.reason},
        "model_version": {"S": decision.model_version},
        "decided_at": {"N": str(int(now))},
        "revision": {"N": str(decision.revision)},
        "document": {"S": json.dumps(decision.to_document())},
        "expires_at": expiry(now),
    }


def correction_row(key: MessageKey, correction: Correction, now: float) -> Row:
    return {
        **row_key(key, f"{_CORRECTION}{correction.version:05}"),
        "document": {"S": json.dumps(asdict(correction))},
        "expires_at": expiry(now),
    }


def answer_row(key: MessageKey, answer: FirstAnswer, now: float) -> Row:
    return {
        **row_key(key, _ANSWER),
        "user": {"S": answer.user},
        "answered_at": {"N": str(answer.answered_at)},
        **({"team": {"S": answer.team}} if answer.team else {}),
        "expires_at": expiry(now),
    }


def part_row(key: MessageKey, ts: str, is_split: bool, now: float) -> Row:
    return {**row_key(key, f"{_PART}{ts}"), "is_split": {"BOOL": is_split}, "expires_at": expiry(now)}


def deletion_row(key: MessageKey, now: float) -> Row:
    return {**row_key(key, _DELETED), "expires_at": expiry(now)}


def seen_row(key: MessageKey, now: float) -> Row:
    return {**row_key(key, SEEN), "expires_at": expiry(now)}


# --- Reading --------------------------------------------------------------------------------------------------


def build_case(rows: Iterable[Row]) -> Case:
    """Build a case from its rows, which DynamoDB returns in the order of `sk`: corrections by their version."""
    named = {row["sk"]["S"]: row for row in rows}
    counters = named.get(CASE, {})
    steps = {sk.removeprefix(STEP): row for sk, row in named.items() if sk.startswith(STEP)}
    return Case(
        decision=read_decision(named[DECISION]) if DECISION in named else None,
        corrections=tuple(_read_correction(row) for sk, row in named.items() if sk.startswith(_CORRECTION)),
        steps={step: read_result(row) for step, row in steps.items() if "result" in row},
        first_answer=read_answer(named[_ANSWER]) if _ANSWER in named else None,
        parts=tuple(ts for ts, is_split in read_parts(named.values()) if not is_split),
        is_deleted=_DELETED in named or f"{STEP}{WITHDRAW}" in named,
        uncertain=frozenset(step for step, row in steps.items() if "result" not in row and _was_tried(row)),
        facts=int(counters["facts"]["N"]) if "facts" in counters else 0,
        shown=int(counters["shown"]["N"]) if "shown" in counters else None,
    )


def _was_tried(row: Row) -> bool:
    """Report whether a try of the step may have left something in Slack."""
    return int(row.get("attempt", {}).get("N", 0)) > 0


def read_parts(rows: Iterable[Row]) -> list[tuple[str, bool]]:
    """Return the ts of each message that was read together with this one, and whether they have been split."""
    names = ((row["sk"]["S"], row) for row in rows)
    return [(sk.removeprefix(_PART), row["is_split"]["BOOL"]) for sk, row in names if sk.startswith(_PART)]


def read_decision(row: Row) -> Decision:
    return decision_from_document(json.loads(row["document"]["S"]))


def read_result(row: Row) -> StepResult:
    view = row["view"]["S"] if "view" in row else None
    return StepResult(**_known(StepResult, row["result"]["S"]) | {"view": view})


def _read_correction(row: Row) -> Correction:
    return Correction(**_known(Correction, row["document"]["S"]))


def _known(kind: type[Any], document: str) -> dict[str, Any]:
    """Read the fields that this version of the program knows: the next version may write more."""
    names = {field.name for field in fields(kind)}
    return {name: value for name, value in json.loads(document).items() if name in names}


def read_answer(row: Row) -> FirstAnswer:
    team = row["team"]["S"] if "team" in row else None
    return FirstAnswer(row["user"]["S"], float(row["answered_at"]["N"]), team)
