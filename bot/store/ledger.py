"""What the bot remembers of each message, in DynamoDB: the decision, the steps carried out, people's corrections.

Decisions and corrections are written together with what they change on the workspace's board (board_rows.py). A claim
is the promise that nobody else carries the step out until the lease ends; its `attempt` counts the tries whose outcome
is unknown, so that the next one looks before it posts. The rows: ledger_rows.py.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bot.queue.messages import MessageKey
from bot.store.ledger_items import (
    DECISION,
    STEP,
    Row,
    answer_row,
    build_case,
    correction_row,
    decision_row,
    expiry,
    part_row,
    read_answer,
    read_decision,
    read_parts,
    read_result,
    row_key,
)
from bot.store.stats_items import changes_to
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

# Longer than one step can take with every call of it running into its timeout (slack_actions.py).
LEASE_SECONDS = 45

# Transactions that meet in one counter of the board exclude each other.
_TRIES = 6

_BATCH = 100  # the most that DynamoDB reads in one call

_IS_NEW: Row = {"ConditionExpression": "attribute_not_exists(pk)"}


class LedgerUnavailable(Exception):
    """DynamoDB did not answer as it should: try again later. Its `__cause__` is what boto3 raised."""


class StepTaken(Exception):
    """Somebody else is carrying the step out, or died doing so: try again when the lease has ended."""


class VersionTaken(Exception):
    """Somebody else has corrected, answered or read the message anew meanwhile: load the case again."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to carry a step out until `until` (milliseconds since the epoch), which also identifies the claim.

    `attempt` is 1 for the first try. With a `result`, the step is done and there is nothing left to do. A post that
    was put off has the `turn` it got (seconds since the epoch), one that was to go into a summary has the time of that.
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

    def load(self, key: MessageKey, now: float) -> Case:
        """Give all that is known of a message, as it is at this moment."""
        rows = self._read_partition(key)
        return build_case([row for row in rows if int(row["expires_at"]["N"]) > now])

    def _read_partition(self, key: MessageKey) -> list[Row]:
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": str(key)}},
            ConsistentRead=True,
        )
        try:
            return [row for page in pages for row in page["Items"]]
        except (BotoCoreError, ClientError) as error:
            raise unavailable(error) from error

    def find_decided(self, keys: Iterable[MessageKey]) -> set[MessageKey]:
        """Tell which of these messages there is a decision about."""
        by_name = {str(key): key for key in keys}
        rows = [row_key(key, DECISION) for key in by_name.values()]
        found: set[MessageKey] = set()
        while rows:
            part, rows = rows[:_BATCH], rows[_BATCH:]
            request: Any = {self.table: {"Keys": part, "ProjectionExpression": "pk"}}
            try:
                answer = self.client.batch_get_item(RequestItems=request)
            except (BotoCoreError, ClientError) as error:
                raise unavailable(error) from error
            found |= {by_name[row["pk"]["S"]] for row in answer["Responses"].get(self.table, [])}
            left: Any = answer.get("UnprocessedKeys", {})
            rows += left.get(self.table, {}).get("Keys", [])
        return found

    def record_decision(self, key: MessageKey, decision: Decision, now: float) -> Decision:
        """Remember a decision and what it changes on the board, unless there is one; give the one that stands."""
        earlier = self._put(decision_row(key, decision, now), _IS_NEW, decision_delta(key, decision), key, now)
        return read_decision(earlier) if earlier else decision

    def revise_decision(self, key: MessageKey, before: Decision, after: Decision, now: float) -> None:
        """Let the next revision of a decision take its place. Raises VersionTaken."""
        condition = {
            "ConditionExpression": "revision = :before",
            "ExpressionAttributeValues": {":before": {"N": str(before.revision)}},
        }
        delta = revision_delta(key, before, after)
        if self._put(decision_row(key, after, now), condition, delta, key, now):
            raise VersionTaken(f"revision {after.revision} of {key} is taken")

    def record_correction(self, key: MessageKey, case: Case, correction: Correction, now: float) -> None:
        """Remember the next correction of a case, with what it changes on the board. Raises VersionTaken."""
        delta = correction_delta(case, correction)
        if self._put(correction_row(key, correction, now), _IS_NEW, delta, key, now):
            raise VersionTaken(f"correction {correction.version} of {key} is taken")

    def record_answer(self, key: MessageKey, case: Case, answer: FirstAnswer, now: float) -> None:
        """Remember who answered first, with what it changes on the board, in place of what the case knew of it.

        Raises VersionTaken where somebody else's answer has become known meanwhile.
        """
        condition = _IS_NEW
        if case.first_answer is not None:
            before = {":before": {"N": str(case.first_answer.answered_at)}}
            condition = {"ConditionExpression": "answered_at = :before", "ExpressionAttributeValues": before}
        existing = self._put(answer_row(key, answer, now), condition, answer_delta(key, case, answer), key, now)
        if existing and read_answer(existing) != answer:
            raise VersionTaken(f"another answer to {key} is known")

    def add_part(self, key: MessageKey, ts: str, now: float) -> None:
        """Remember that the message `ts` is read together with this one, unless they have been split."""
        self._put(part_row(key, ts, False, now), _IS_NEW, StatsDelta(), key, now)

    def split(self, key: MessageKey, now: float) -> tuple[str, ...]:
        """Let each message that was read together with this one stand for itself; give them, by their ts."""
        parts = tuple(ts for ts, _ in read_parts(self._read_partition(key)))
        for ts in parts:
            self._put(part_row(key, ts, True, now), {}, StatsDelta(), key, now)
        return parts

    def end_waiting(self, key: MessageKey, now: float) -> None:
        """Let nobody wait on the board for a word on a message that is gone."""
        writes: list[Any] = [*changes_to(self.table, key, withdrawal_delta(), now)]
        try:
            self.client.transact_write_items(TransactItems=writes)
        except (BotoCoreError, ClientError) as error:
            raise unavailable(error) from error

    def _put(self, row: Row, condition: Row, delta: StatsDelta, key: MessageKey, now: float) -> Row | None:
        """Write a row, with its changes of the board, if the condition holds; else give the row that is there."""
        put: Any = {
            "TableName": self.table,
            "Item": row,
            **condition,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        writes: list[Any] = [{"Put": put}, *changes_to(self.table, key, delta, now)]
        for tries_left in reversed(range(_TRIES)):
            try:
                self.client.transact_write_items(TransactItems=writes)
                return None
            except (BotoCoreError, ClientError) as error:
                reasons = _cancellation(error)
                if reasons and reasons[0].get("Code") == "ConditionalCheckFailed":
                    existing: Row = reasons[0]["Item"]
                    return existing
                # Somebody else is counting in the same row at this moment.
                if not tries_left or "TransactionConflict" not in {reason.get("Code") for reason in reasons}:
                    raise unavailable(error) from error
        raise AssertionError("the last try returns or raises")

    # --- Idempotency ----------------------------------------------------------------------------------------------

    def claim(self, key: MessageKey, step: str, now: float) -> Claim:
        """Claim a step, or learn its result. Raises StepTaken."""
        until = int((now + LEASE_SECONDS) * 1000)
        try:
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
        except (BotoCoreError, ClientError) as error:
            return _read_done(key, step, existing_row(error))
        return _read_claim(key, step, answer["Attributes"])

    def complete(self, claim: Claim, result: StepResult) -> StepResult:
        """Remember how a claimed step ended, and give the result that stands: the first."""
        try:
            self.client.update_item(
                TableName=self.table,
                Key=row_key(claim.key, STEP + claim.step),
                UpdateExpression="SET #result = :result",
                ConditionExpression="attribute_not_exists(#result)",
                ExpressionAttributeNames={"#result": "result"},
                ExpressionAttributeValues={":result": {"S": json.dumps(asdict(result))}},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except (BotoCoreError, ClientError) as error:
            return read_result(existing_row(error))
        return result

    def release(self, claim: Claim, turn: float | None = None) -> None:
        """Give a claim back after a try that surely left no trace, so that the next may begin at once.

        `turn` is what that next one need not take again.
        """
        values = {":past": {"N": "0"}, ":minus_one": {"N": "-1"}}
        if turn is None:
            return self._change(claim, "SET claimed_until = :past ADD attempt :minus_one", values)
        # Down, or a turn that is now would lie half a millisecond ahead of the next try.
        values[":turn"] = {"N": str(int(turn * 1000))}
        self._change(claim, "SET claimed_until = :past, turn = :turn ADD attempt :minus_one", values)

    def note_summary(self, claim: Claim, at: int) -> None:
        """Remember which summary a post goes into, so that whoever comes next looks there first."""
        self._change(claim, "SET summary_at = :at", {":at": {"N": str(at)}})

    def _change(self, claim: Claim, expression: str, values: dict[str, Any]) -> None:
        try:
            self.client.update_item(
                TableName=self.table,
                Key=row_key(claim.key, STEP + claim.step),
                UpdateExpression=expression,
                ConditionExpression="claimed_until = :until",
                ExpressionAttributeValues={**values, ":until": {"N": str(claim.until)}},
            )
        except (BotoCoreError, ClientError) as error:
            existing_row(error)  # somebody else's claim by now: nothing of ours to change


def build_ledger(table: str) -> Ledger:
    """Build the ledger on boto3, which takes region, credentials and another address from the environment."""
    config = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 3, "mode": "standard"})
    return Ledger(boto3.client("dynamodb", config=config), table)


def _read_done(key: MessageKey, step: str, row: Row) -> Claim:
    """Read the row that is not to be claimed: a result, or somebody else's claim. Raises StepTaken."""
    if "result" not in row:
        raise StepTaken(f"{step} of {key} is being carried out")
    return _read_claim(key, step, row)


def _read_claim(key: MessageKey, step: str, row: Row) -> Claim:
    return Claim(
        key,
        step,
        until=int(row["claimed_until"]["N"]),
        attempt=int(row["attempt"]["N"]),
        result=read_result(row) if "result" in row else None,
        turn=int(row["turn"]["N"]) / 1000 if "turn" in row else None,
        summary=int(row["summary_at"]["N"]) if "summary_at" in row else None,
    )


def existing_row(error: BotoCoreError | ClientError) -> Row:
    """Give the row that stood in the way of a conditional write. Raises LedgerUnavailable for any other failure."""
    if isinstance(error, ClientError) and error.response["Error"].get("Code") == "ConditionalCheckFailedException":
        row: Row = error.response.get("Item", {})  # type: ignore[assignment]
        return row
    raise unavailable(error) from error


def _cancellation(error: BotoCoreError | ClientError) -> list[Any]:
    """Give the reason for each write of a transaction that was cancelled; none for any other failure."""
    return list(error.response.get("CancellationReasons", [])) if isinstance(error, ClientError) else []


def unavailable(error: BotoCoreError | ClientError) -> LedgerUnavailable:
    return LedgerUnavailable(f"DynamoDB did not answer as it should ({_code(error)})")


def _code(error: BotoCoreError | ClientError) -> str:
    return str(error.response["Error"].get("Code")) if isinstance(error, ClientError) else type(error).__name__
