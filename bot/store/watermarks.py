"""The time up to which each channel has been swept, in DynamoDB: one row per workspace, one attribute per channel."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.store.errors import dynamodb_errors

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

_UNTIL = "until#"


@dataclass(frozen=True, slots=True)
class Watermarks:
    """Methods raise LedgerUnavailable. Times are in seconds since the epoch."""

    client: "DynamoDBClient"
    table: str

    def load(self, team: str) -> dict[str, float]:
        """Return, by channel, the time up to which its messages have been looked at."""
        with dynamodb_errors():
            answer = self.client.get_item(TableName=self.table, Key=_key(team), ConsistentRead=True)
        row: Any = answer.get("Item", {})
        return {name.removeprefix(_UNTIL): float(row[name]["N"]) for name in row if name.startswith(_UNTIL)}

    def save(self, team: str, channel: str, until: float) -> None:
        """Write that all messages of a channel up to `until` have been looked at."""
        with dynamodb_errors():
            self.client.update_item(
                TableName=self.table,
                Key=_key(team),
                UpdateExpression="SET #until = :until",
                ExpressionAttributeNames={"#until": f"{_UNTIL}{channel}"},
                ExpressionAttributeValues={":until": {"N": f"{until:.6f}"}},
            )


def _key(team: str) -> Any:
    return {"pk": {"S": f"sweep#{team}"}, "sk": {"S": "watermarks"}}
