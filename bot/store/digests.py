"""Digests in DynamoDB: messages that came faster than a channel may be posted to, gathered into one post.

A summary is one row, so joining and closing it exclude each other: every entry that joined is in the post. Joining
twice is the same as joining once. The row has links, but no texts.
"""

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from bot.queue.messages import SummaryRecord
from bot.store.errors import ConditionFailed, dynamodb_errors
from bot.store.ledger_items import Row

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_SORT_KEY = "summary"
_KEPT_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Entry:
    """One message in a summary: the channel it was written in, its label as displayed, and its link."""

    channel: str
    display: str
    permalink: str


@dataclass(frozen=True, slots=True)
class Digests:
    """Every method raises LedgerUnavailable."""

    client: "DynamoDBClient"
    table: str

    def exists(self, summary: SummaryRecord) -> bool:
        with dynamodb_errors():
            return "Item" in self.client.get_item(TableName=self.table, Key=_key(summary), ConsistentRead=True)

    def join(self, summary: SummaryRecord, entry: Entry) -> bool:
        """Add an entry; return False if the summary was closed without it."""
        text = json.dumps(asdict(entry))
        try:
            with dynamodb_errors():
                self.client.update_item(
                    TableName=self.table,
                    Key=_key(summary),
                    UpdateExpression="SET expires_at = :expires ADD entries :one",
                    ConditionExpression="attribute_not_exists(closed)",
                    ExpressionAttributeValues={":one": {"SS": [text]}, ":expires": _expiry(summary)},
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
        except ConditionFailed as failed:
            return text in _entries(failed.row)
        return True

    def close(self, summary: SummaryRecord) -> tuple[Entry, ...]:
        """Close the summary to further entries, and return those in it, in the order of their links."""
        with dynamodb_errors():
            answer = self.client.update_item(
                TableName=self.table,
                Key=_key(summary),
                UpdateExpression="SET closed = :true, expires_at = :expires",
                ExpressionAttributeValues={":true": {"BOOL": True}, ":expires": _expiry(summary)},
                ReturnValues="ALL_NEW",
            )
        entries = (Entry(**json.loads(text)) for text in _entries(answer["Attributes"]))
        return tuple(sorted(entries, key=lambda entry: entry.permalink))


def _key(summary: SummaryRecord) -> dict[str, Any]:
    return {"pk": {"S": str(summary.key)}, "sk": {"S": _SORT_KEY}}


def _expiry(summary: SummaryRecord) -> dict[str, str]:
    return {"N": str(summary.at + _KEPT_SECONDS)}


def _entries(row: Row) -> list[str]:
    return list(row["entries"]["SS"]) if "entries" in row else []
