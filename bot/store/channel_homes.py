"""The workspace that handles a channel's messages, in DynamoDB: decided once for a channel that several share."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.store.errors import ConditionFailed, dynamodb_errors

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class ChannelHomes:
    """Methods raise LedgerUnavailable."""

    client: "DynamoDBClient"
    table: str

    def find(self, channel: str) -> str | None:
        """Return the workspace of a channel, or None if none has been decided on."""
        with dynamodb_errors():
            answer = self.client.get_item(TableName=self.table, Key=_key(channel), ConsistentRead=True)
        row: Any = answer.get("Item", {})
        return str(row["team"]["S"]) if row else None

    def settle(self, channel: str, team: str, instead_of: str | None = None) -> str:
        """Decide on a workspace, if there is none yet or in place of `instead_of`; return the one that stands."""
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
        if instead_of:
            values = {":before": {"S": instead_of}}
            condition = {"ConditionExpression": "team = :before", "ExpressionAttributeValues": values}
        try:
            with dynamodb_errors():
                self.client.put_item(TableName=self.table, Item={**_key(channel), "team": {"S": team}}, **condition)
        except ConditionFailed:
            return self.find(channel) or team
        return team


def _key(channel: str) -> Any:
    return {"pk": {"S": f"channel#{channel}"}, "sk": {"S": "home"}}
