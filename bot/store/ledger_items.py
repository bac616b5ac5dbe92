"""A message's rows in the ledger's table: how they are named, written and read.

One message is one partition (`pk` = team#channel#ts); its rows are told apart by `sk`:

    decision            written once, and anew where the message was changed; whoever comes later gets what stands
    step#react:…        a claim with a lease, then the step's result
    correction#00001    one row a correction, never changed
    answer              who answered first, and when
    part#…              a later message (its ts) that is read together with this one, until somebody splits them

No row has the message's text.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, TypeAlias

from bot.queue.messages import MessageKey
from bot.triage.case import Case, Correction, Decision, FirstAnswer, StepResult, decision_from_document

# Longer than anybody corrects a message, and than SQS keeps one (14 days).
KEPT_SECONDS = 90 * 24 * 3600

DECISION = "decision"
STEP = "step#"
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


# --- LabelView ------------------------------------------------------------------------------------------------


def build_case(rows: Iterable[Row]) -> Case:
    """Build a case from its rows, which DynamoDB gives in the order of `sk`: corrections by their version."""
    named = {row["sk"]["S"]: row for row in rows}
    return Case(
        decision=read_decision(named[DECISION]) if DECISION in named else None,
        corrections=tuple(_read_correction(row) for sk, row in named.items() if sk.startswith(_CORRECTION)),
        steps={
            sk.removeprefix(STEP): read_result(row)
            for sk, row in named.items()
            if sk.startswith(STEP) and "result" in row
        },
        first_answer=read_answer(named[_ANSWER]) if _ANSWER in named else None,
        parts=tuple(ts for ts, is_split in read_parts(named.values()) if not is_split),
    )


def read_parts(rows: Iterable[Row]) -> list[tuple[str, bool]]:
    """Give the messages (by their ts) that were read together with one, and whether they have been split."""
    names = ((row["sk"]["S"], row) for row in rows)
    return [(sk.removeprefix(_PART), row["is_split"]["BOOL"]) for sk, row in names if sk.startswith(_PART)]


def read_decision(row: Row) -> Decision:
    return decision_from_document(json.loads(row["document"]["S"]))


def read_result(row: Row) -> StepResult:
    return StepResult(**json.loads(row["result"]["S"]))


def _read_correction(row: Row) -> Correction:
    return Correction(**json.loads(row["document"]["S"]))


def read_answer(row: Row) -> FirstAnswer:
    team = row["team"]["S"] if "team" in row else None
    return FirstAnswer(row["user"]["S"], float(row["answered_at"]["N"]), team)
