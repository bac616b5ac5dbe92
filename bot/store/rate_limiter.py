"""Lines in which posts and messages wait their turn: one counter row per line, advanced by conditional writes.

A line is for everything that shares one pace: the posts to one channel, the messages of one workspace. A turn is a
point in time; no two turns of a line are closer together than its interval. A turn that is not used is lost.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.store.errors import ConditionFailed, LedgerUnavailable, dynamodb_errors
from bot.store.ledger_items import Row

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_SORT_KEY = "turns"

# A line that has been empty for a day is no different from a new one.
_KEPT_SECONDS = 24 * 3600

# Each lost race means that another caller has got a turn.
_RACES = 10


class RateLimitExceeded(Exception):
    """The next turn is later than the caller is willing to wait for."""


@dataclass(frozen=True, slots=True)
class RateLimiter:
    """Hands out turns. Methods raise LedgerUnavailable. Times are in seconds since the epoch, to the millisecond."""

    client: "DynamoDBClient"
    table: str

    def take(self, line: str, interval: float, now: float, longest: float | None = None) -> float:
        """Return the time of the next free turn, `now` at the earliest.

        Raises RateLimitExceeded, and takes no turn, if that is more than `longest` seconds away.
        """
        for _ in range(_RACES):
            if self._start(line, interval, now):
                return now
            turn = self._queue_up(line, interval, now, longest)
            if turn is not None:
                return turn
        raise LedgerUnavailable(f"the line {line} moves faster than a turn can be taken")

    def _start(self, line: str, interval: float, now: float) -> bool:
        """Take the turn at `now` if the line is empty, and report whether it was."""
        expression = "SET next_turn = :next, expires_at = :expires"
        values = {":next": _milliseconds(now + interval), ":now": _milliseconds(now)}
        condition = "attribute_not_exists(next_turn) OR next_turn <= :now"
        return "next_turn" in self._update(line, now, expression, condition, values)

    def _queue_up(self, line: str, interval: float, now: float, longest: float | None) -> float | None:
        """Take a turn behind others and return its time; None if the line is empty now. Raises RateLimitExceeded."""
        expression = "SET next_turn = next_turn + :interval, expires_at = :expires"
        values = {":interval": _milliseconds(interval), ":now": _milliseconds(now)}
        condition = "next_turn > :now"
        if longest is not None:
            values[":latest"] = _milliseconds(now + longest)
            condition += " AND next_turn <= :latest"
        row = self._update(line, now, expression, condition, values)
        if "next_turn" in row:
            return int(row["next_turn"]["N"]) / 1000 - interval
        if longest is not None and self._is_too_long(line, now + longest):
            raise RateLimitExceeded(line)
        return None

    def _is_too_long(self, line: str, latest: float) -> bool:
        with dynamodb_errors():
            answer = self.client.get_item(TableName=self.table, Key=_key(line), ConsistentRead=True)
        row: Row = answer.get("Item", {})
        return "next_turn" in row and int(row["next_turn"]["N"]) > round(latest * 1000)

    def _update(self, line: str, now: float, expression: str, condition: str, values: dict[str, Any]) -> Row:
        """Change the line's row and return its new values, or none if the condition does not hold."""
        try:
            with dynamodb_errors():
                answer = self.client.update_item(
                    TableName=self.table,
                    Key=_key(line),
                    UpdateExpression=expression,
                    ConditionExpression=condition,
                    ExpressionAttributeValues={**values, ":expires": {"N": str(int(now) + _KEPT_SECONDS)}},
                    ReturnValues="UPDATED_NEW",
                )
        except ConditionFailed:
            return {}
        return answer["Attributes"]


def _key(line: str) -> dict[str, Any]:
    return {"pk": {"S": f"line#{line}"}, "sk": {"S": _SORT_KEY}}


def _milliseconds(seconds: float) -> dict[str, str]:
    return {"N": str(round(seconds * 1000))}
