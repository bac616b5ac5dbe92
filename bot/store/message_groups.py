"""Group the messages that one author writes in quick succession: the first leads the request, the others are its parts.

One row per channel and author has the latest burst: its first message leads, and a message within the window of the
last one belongs to it. The row is updated by conditional writes, so that of two messages that are handled at the same
moment one leads and the other follows.
"""

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bot.queue.messages import MessageRecord
from bot.store.errors import ConditionFailed, LedgerUnavailable, dynamodb_errors
from bot.store.ledger_items import Row

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_SORT_KEY = "burst"
_KEPT_SECONDS = 24 * 3600

# Each lost race means that another message of the author has found its place.
_RACES = 10

# So many are read together; what follows begins anew. More would not fit into one post either.
MOST_PARTS = 20


@dataclass(frozen=True, slots=True)
class MessageGroup:
    """Messages (by their ts) of one author in one channel, the first of which leads."""

    leader: str
    parts: tuple[str, ...] = ()

    @property
    def times(self) -> list[float]:
        return [float(ts) for ts in (self.leader, *self.parts)]


def join(burst: MessageGroup | None, ts: str, window: float) -> MessageGroup | None:
    """Return the burst with a message added, or the new one that it begins; None if it stays on its own. Pure.

    A message that is older than the whole burst stays on its own: it is too late for it to lead.
    """
    if burst is None or float(ts) > max(burst.times) + window:
        return MessageGroup(ts)
    if ts == burst.leader or ts in burst.parts:
        return burst
    if float(ts) < float(burst.leader):
        return None
    return MessageGroup(ts) if len(burst.parts) >= MOST_PARTS else MessageGroup(burst.leader, (*burst.parts, ts))


@dataclass(frozen=True, slots=True)
class MessageGroups:
    """Finds the group of each message. Methods raise LedgerUnavailable. Times are in seconds."""

    client: "DynamoDBClient"
    table: str

    def find_root(self, record: MessageRecord, window: float, now: float) -> str:
        """Return the ts of the message that leads a message's burst: its own if it leads or is alone."""
        for _ in range(_RACES):
            before = self._read(record)
            after = join(before, record.ts, window)
            if after is None:
                return record.ts
            if after == before or self._write(record, before, after, now):
                return after.leader
        raise LedgerUnavailable("messages of one author come faster than their places can be found")

    def _read(self, record: MessageRecord) -> MessageGroup | None:
        with dynamodb_errors():
            answer = self.client.get_item(TableName=self.table, Key=_key(record), ConsistentRead=True)
        row: Row = answer.get("Item", {})
        return _from_json(row["document"]["S"]) if row else None

    def _write(self, record: MessageRecord, before: MessageGroup | None, after: MessageGroup, now: float) -> bool:
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if before is not None:
            values = {":before": {"S": _to_json(before)}}
            condition = {"ConditionExpression": "document = :before", "ExpressionAttributeValues": values}
        expiry = {"N": str(int(now) + _KEPT_SECONDS)}
        row = {**_key(record), "document": {"S": _to_json(after)}, "expires_at": expiry}
        try:
            with dynamodb_errors():
                self.client.put_item(TableName=self.table, Item=row, **condition)
        except ConditionFailed:
            return False
        return True


def _key(record: MessageRecord) -> dict[str, Any]:
    return {"pk": {"S": f"burst#{record.team}#{record.channel}#{record.author}"}, "sk": {"S": _SORT_KEY}}


def _to_json(burst: MessageGroup) -> str:
    return json.dumps(asdict(burst))


def _from_json(text: str) -> MessageGroup:
    document = json.loads(text)
    return MessageGroup(document["leader"], tuple(document["parts"]))
