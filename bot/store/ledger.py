"""The ledger: everything that the bot knows of each message, in DynamoDB.

A case is one partition. Facts (a decision, a correction, an answer, a part, a deletion) each raise the case's counter
in the transaction that writes them; results of effects do not. `shown` is the counter's value when Slack was last
updated: it is written only while the counter is unchanged, so a fact that arrives in the meantime is never missed.

One lock per case lets one worker act on it at a time. Under the lock, each step that posts is claimed first: the
claim's `attempt` counts the tries whose outcome is unknown, so that the next try looks before it posts. The rows are
described in ledger_items.py.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from bot.queue.messages import MessageKey
from bot.store.errors import ConditionFailed, LedgerUnavailable, TransactionConflict, dynamodb_errors
from bot.store.ledger_items import (
    CASE,
    DECISION,
    SEEN,
    STEP,
    Row,
    answer_row,
    build_case,
    correction_row,
    decision_row,
    deletion_row,
    expiry,
    part_row,
    read_answer,
    read_decision,
    read_parts,
    read_result,
    row_key,
    seen_row,
)
from bot.store.stats_items import TRACE, board_partition, changes_to
from bot.triage.case import Case, Correction, Decision, FirstAnswer, StepResult
from bot.triage.stats import (
    StatsDelta,
    answer_delta,
    correction_delta,
    decision_delta,
    revision_delta,
    withdrawal_delta,
)

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

__all__ = ["Claim", "Ledger", "LedgerUnavailable", "Lock", "StepTaken", "VersionTaken", "build_ledger"]

# Longer than one step can take with every call of it running into its timeout (slack/client.py).
LEASE_SECONDS = 45

# What one worker may take to act on a case before another takes it over.
LOCK_SECONDS = 45

# Transactions that meet in one counter exclude each other.
_TRIES = 6

_BATCH = 100  # the most that DynamoDB reads in one call

_IS_NEW: Row = {"ConditionExpression": "attribute_not_exists(pk)"}


class StepTaken(Exception):
    """Another worker holds the case or the step, or died while holding it: try again after `after` seconds."""

    def __init__(self, what: str, after: float) -> None:
        super().__init__(f"{what} is being worked on")
        self.after = after


class VersionTaken(Exception):
    """Another fact was written first: load the case again."""


@dataclass(frozen=True, slots=True)
class Lock:
    """The right to act on a case until `until` (milliseconds since the epoch), which also identifies the lock."""

    key: MessageKey
    until: int


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to carry out a step until `until` (milliseconds since the epoch), which also identifies the claim.

    `attempt` is 1 for the first try. With a `result`, the step is done and there is nothing left to do. A post that
    was postponed has its `turn`, one that was to go into a summary has the time of that `summary` (both in seconds
    since the epoch).
    """

    key: MessageKey
    step: str
    until: int
    attempt: int
    result: StepResult | None = None
    turn: float | None = None
    summary: int | None = None


@dataclass(frozen=True, slots=True)
class Ledger:
    """Every method raises LedgerUnavailable. Times (`now`) are in seconds since the epoch."""

    client: "DynamoDBClient"
    table: str

    # --- Reading --------------------------------------------------------------------------------------------

    def load(self, key: MessageKey, now: float) -> Case:
        """Return everything that is known of a message at this moment."""
        rows = self._read_partition(key)
        return build_case([row for row in rows if int(row["expires_at"]["N"]) > now])

    def _read_partition(self, key: MessageKey) -> list[Row]:
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": str(key)}},
            ConsistentRead=True,
        )
        with dynamodb_errors():
            return [row for page in pages for row in page["Items"]]

    def find_known(self, keys: Iterable[MessageKey]) -> set[MessageKey]:
        """Return those of the messages that have a decision, or were seen and wait for one."""
        by_name = {str(key): key for key in keys}
        rows = [row_key(key, sk) for key in by_name.values() for sk in (DECISION, SEEN)]
        found: set[MessageKey] = set()
        while rows:
            part, rows = rows[:_BATCH], rows[_BATCH:]
            request: Any = {self.table: {"Keys": part, "ProjectionExpression": "pk"}}
            with dynamodb_errors():
                answer = self.client.batch_get_item(RequestItems=request)
            found |= {by_name[row["pk"]["S"]] for row in answer["Responses"].get(self.table, [])}
            left: Any = answer.get("UnprocessedKeys", {})
            rows += left.get(self.table, {}).get("Keys", [])
        return found

    def find_traced(self, team: str, channel: str, oldest: float, latest: float) -> set[str]:
        """Return the ts of a channel's requests between two times, except those known to be deleted."""
        # Like Slack's history, without those of exactly these times.
        between = {":first": {"S": f"{TRACE}#{oldest:.6f}~"}, ":last": {"S": f"{TRACE}#{latest:.6f}#"}}
        with dynamodb_errors():
            pages = self.client.get_paginator("query").paginate(
                TableName=self.table,
                KeyConditionExpression="pk = :pk AND sk BETWEEN :first AND :last",
                ExpressionAttributeValues={":pk": {"S": board_partition(team)}, **between},
                ProjectionExpression="sk",
            )
            names: list[Any] = [row["sk"]["S"].split("#") for page in pages for row in page["Items"]]
        return {ts for _, ts, of in names if of == channel}

    # --- Facts ----------------------------------------------------------------------------------------------

    def record_decision(self, key: MessageKey, decision: Decision, now: float) -> Decision:
        """Write a decision and its changes to the statistics, unless there is one; return the one that stands."""
        earlier = self._put(decision_row(key, decision, now), _IS_NEW, decision_delta(key, decision), key, now)
        return read_decision(earlier) if earlier else decision

    def revise_decision(self, key: MessageKey, before: Decision, after: Decision, now: float) -> None:
        """Replace a decision with its next revision. Raises VersionTaken."""
        condition = {
            "ConditionExpression": "revision = :before",
            "ExpressionAttributeValues": {":before": {"N": str(before.revision)}},
        }
        delta = revision_delta(key, before, after)
        if self._put(decision_row(key, after, now), condition, delta, key, now):
            raise VersionTaken(f"revision {after.revision} of {key} is taken")

    def record_correction(self, key: MessageKey, case: Case, correction: Correction, now: float) -> None:
        """Write the next correction of a case and its changes to the statistics. Raises VersionTaken."""
        delta = correction_delta(case, correction)
        if self._put(correction_row(key, correction, now), _IS_NEW, delta, key, now):
            raise VersionTaken(f"correction {correction.version} of {key} is taken")

    def record_answer(self, key: MessageKey, case: Case, answer: FirstAnswer, now: float) -> None:
        """Write the first answer, in place of the one that the case has, if any.

        Raises VersionTaken if another answer has become known in the meantime.
        """
        condition = _IS_NEW
        if case.first_answer is not None:
            before = {":before": {"N": str(case.first_answer.answered_at)}}
            condition = {"ConditionExpression": "answered_at = :before", "ExpressionAttributeValues": before}
        existing = self._put(answer_row(key, answer, now), condition, answer_delta(key, case, answer), key, now)
        if existing and read_answer(existing) != answer:
            raise VersionTaken(f"another answer to {key} is known")

    def record_deletion(self, key: MessageKey, now: float) -> None:
        """Write that the message was deleted, and take it out of all queues."""
        self._put(deletion_row(key, now), _IS_NEW, withdrawal_delta(), key, now)

    def add_part(self, key: MessageKey, ts: str, now: float) -> None:
        """Write that the message `ts` is read together with this one, unless they have been split."""
        self._put(part_row(key, ts, False, now), _IS_NEW, StatsDelta(), key, now)

    def split(self, key: MessageKey, now: float) -> tuple[str, ...]:
        """Separate the messages that were read together with this one, and return their ts."""
        parts = tuple(ts for ts, _ in read_parts(self._read_partition(key)))
        for ts in parts:
            self._put(part_row(key, ts, True, now), {}, StatsDelta(), key, now)
        return parts

    def note_change(self, key: MessageKey, now: float) -> None:
        """Write that the text of the message has changed: a fact that has no row of its own."""
        with dynamodb_errors():
            self.client.update_item(**self._raise_counter(key, now))

    def note_seen(self, key: MessageKey, now: float) -> None:
        """Write that the message has arrived and waits for a decision. Not a fact: it changes nothing in Slack."""
        with dynamodb_errors():
            self.client.put_item(TableName=self.table, Item=seen_row(key, now))

    def _put(self, row: Row, condition: Row, delta: StatsDelta, key: MessageKey, now: float) -> Row | None:
        """Write a fact, its changes to the statistics and the counter if the condition holds; else return the row."""
        put: Any = {
            "TableName": self.table,
            "Item": row,
            **condition,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        counter = self._raise_counter(key, now)
        writes: list[Any] = [{"Put": put}, {"Update": counter}, *changes_to(self.table, key, delta, now)]
        for tries_left in reversed(range(_TRIES)):
            try:
                with dynamodb_errors():
                    self.client.transact_write_items(TransactItems=writes)
                return None
            except ConditionFailed as failed:
                return failed.row
            except TransactionConflict:
                if not tries_left:
                    raise
        raise AssertionError("the last try returns or raises")

    def _raise_counter(self, key: MessageKey, now: float) -> Any:
        return {
            "TableName": self.table,
            "Key": row_key(key, CASE),
            "UpdateExpression": "SET expires_at = :expires ADD facts :one",
            "ExpressionAttributeValues": {":expires": expiry(now), ":one": {"N": "1"}},
        }

    # --- The lock of a case -----------------------------------------------------------------------------------

    def lock(self, key: MessageKey, now: float) -> Lock:
        """Take the lock of a case. Raises StepTaken while another worker holds it."""
        until = int((now + LOCK_SECONDS) * 1000)
        try:
            with dynamodb_errors():
                self.client.update_item(
                    TableName=self.table,
                    Key=row_key(key, CASE),
                    UpdateExpression="SET locked_until = :until, expires_at = :expires",
                    ConditionExpression="attribute_not_exists(locked_until) OR locked_until < :now",
                    ExpressionAttributeValues={
                        ":until": {"N": str(until)},
                        ":now": {"N": str(int(now * 1000))},
                        ":expires": expiry(now),
                    },
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ConditionFailed as failed:
            raise StepTaken(str(key), _seconds_until(failed.row, "locked_until", now)) from None
        except TransactionConflict:  # a fact is being written
            raise StepTaken(str(key), 1) from None
        return Lock(key, until)

    def finish(self, lock: Lock, facts: int) -> bool:
        """Note that Slack shows all `facts` facts, and release the lock; return False if there are more by now."""
        condition = "facts = :facts" if facts else "attribute_not_exists(facts)"
        return self._unlock(lock, "SET shown = :facts REMOVE locked_until", condition, {":facts": {"N": str(facts)}})

    def unlock(self, lock: Lock) -> None:
        """Release the lock with work left to do."""
        self._unlock(lock, "REMOVE locked_until", "attribute_exists(pk)", {})

    def _unlock(self, lock: Lock, expression: str, condition: str, values: dict[str, Any]) -> bool:
        try:
            with dynamodb_errors():
                self.client.update_item(
                    TableName=self.table,
                    Key=row_key(lock.key, CASE),
                    UpdateExpression=expression,
                    ConditionExpression=f"locked_until = :until AND {condition}",
                    ExpressionAttributeValues={":until": {"N": str(lock.until)}, **values},
                )
        except (ConditionFailed, TransactionConflict):  # a fact is being written, or the lock is another worker's
            return False
        return True

    # --- Steps ----------------------------------------------------------------------------------------------

    def claim(self, key: MessageKey, step: str, now: float) -> Claim:
        """Claim a step; if it is done, return a claim with its result. Raises StepTaken."""
        until = int((now + LEASE_SECONDS) * 1000)
        try:
            with dynamodb_errors():
                answer = self.client.update_item(
                    TableName=self.table,
                    Key=row_key(key, STEP + step),
                    UpdateExpression="SET claimed_until = :until, expires_at = :expires ADD attempt :one",
                    ConditionExpression="attribute_not_exists(#result) AND "
                    "(attribute_not_exists(claimed_until) OR claimed_until < :now)",
                    ExpressionAttributeNames={"#result": "result"},
                    ExpressionAttributeValues={
                        ":until": {"N": str(until)},
                        ":now": {"N": str(int(now * 1000))},
                        ":expires": expiry(now),
                        ":one": {"N": "1"},
                    },
                    ReturnValues="ALL_NEW",
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ConditionFailed as failed:
            if "result" not in failed.row:
                after = _seconds_until(failed.row, "claimed_until", now)
                raise StepTaken(f"{step} of {key}", after) from None
            return _read_claim(key, step, failed.row)
        return _read_claim(key, step, answer["Attributes"])

    def complete(self, claim: Claim, result: StepResult) -> StepResult:
        """Write the result of a claimed step, and return the result that stands: the first."""
        return self.adopt(claim.key, claim.step, result)

    def adopt(self, key: MessageKey, step: str, result: StepResult, before: StepResult | None = None) -> StepResult:
        """Write the result of a step, claimed or not, in place of `before`; return the result that stands.

        That is the first, unless it is `before`.
        """
        view = result.view
        values: dict[str, Any] = {":result": {"S": _to_json(result)}}
        if view:
            values[":view"] = {"S": view}
        is_open = "attribute_not_exists(#result)"
        if before:
            values[":before"] = {"S": _to_json(before)}
            is_open = "#result = :before"
        try:
            with dynamodb_errors():
                self.client.update_item(
                    TableName=self.table,
                    Key=row_key(key, STEP + step),
                    UpdateExpression="SET #result = :result" + (", #view = :view" if view else ""),
                    ConditionExpression=f"attribute_exists(pk) AND {is_open}",
                    ExpressionAttributeNames={"#result": "result", **({"#view": "view"} if view else {})},
                    ExpressionAttributeValues=values,
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ConditionFailed as failed:
            return read_result(failed.row) if failed.row else result
        return result

    def note_view(self, key: MessageKey, step: str, view: str) -> None:
        """Note the fingerprint of what a step's post shows now."""
        with dynamodb_errors():
            self.client.update_item(
                TableName=self.table,
                Key=row_key(key, STEP + step),
                UpdateExpression="SET #view = :view",
                ExpressionAttributeNames={"#view": "view"},
                ExpressionAttributeValues={":view": {"S": view}},
            )

    def release(self, claim: Claim, turn: float | None = None) -> None:
        """Release a claim after a try that certainly left no trace, so that the next one may begin at once.

        `turn` (seconds since the epoch) is the turn that it took, so that the next one need not take another.
        """
        values = {":past": {"N": "0"}, ":minus_one": {"N": "-1"}}
        if turn is None:
            return self._change(claim, "SET claimed_until = :past ADD attempt :minus_one", values)
        # Down, or a turn that is now would lie half a millisecond ahead of the next try.
        values[":turn"] = {"N": str(int(turn * 1000))}
        self._change(claim, "SET claimed_until = :past, turn = :turn ADD attempt :minus_one", values)

    def note_summary(self, claim: Claim, at: int) -> None:
        """Note which summary a post goes into, so that the next try looks there first."""
        self._change(claim, "SET summary_at = :at", {":at": {"N": str(at)}})

    def _change(self, claim: Claim, expression: str, values: dict[str, Any]) -> None:
        try:
            with dynamodb_errors():
                self.client.update_item(
                    TableName=self.table,
                    Key=row_key(claim.key, STEP + claim.step),
                    UpdateExpression=expression,
                    ConditionExpression="claimed_until = :until",
                    ExpressionAttributeValues={**values, ":until": {"N": str(claim.until)}},
                )
        except ConditionFailed:
            pass  # another worker's claim by now: nothing of ours to change


def build_ledger(table: str) -> Ledger:
    """Build the ledger on boto3, which takes the region, credentials and any other address from the environment."""
    config = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 3, "mode": "standard"})
    return Ledger(boto3.client("dynamodb", config=config), table)


def _to_json(result: StepResult) -> str:
    document = asdict(result)
    del document["view"]  # an attribute of its own, which the version before this one does not read
    return json.dumps(document)


def _seconds_until(row: Row, name: str, now: float) -> float:
    return max(0.0, int(row[name]["N"]) / 1000 - now) + 1 if name in row else 1.0


def _read_claim(key: MessageKey, step: str, row: Row) -> Claim:
    return Claim(
        key,
        step,
        until=int(row["claimed_until"]["N"]) if "claimed_until" in row else 0,
        attempt=int(row["attempt"]["N"]) if "attempt" in row else 1,
        result=read_result(row) if "result" in row else None,
        turn=int(row["turn"]["N"]) / 1000 if "turn" in row else None,
        summary=int(row["summary_at"]["N"]) if "summary_at" in row else None,
    )
