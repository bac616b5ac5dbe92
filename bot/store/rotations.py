"""Turns of rotas, in DynamoDB: one counter per rota, so that no two messages get the same turn."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.store.errors import dynamodb_errors

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class RoundRobin:
    """Counters in the ledger's table. They do not expire: a round continues where it stopped, however long ago."""

    client: "DynamoDBClient"
    table: str

    def next(self, team: str, rota: str) -> int:
        """Return the number of the next turn, from 0; no number is returned twice. Raises LedgerUnavailable.

        A call whose response is lost has still taken its turn: one person is then skipped once.
        """
        key: Any = {"pk": {"S": f"round#{team}"}, "sk": {"S": rota}}
        with dynamodb_errors():
            answer = self.client.update_item(
                TableName=self.table,
                Key=key,
                UpdateExpression="ADD turns :one",
                ExpressionAttributeValues={":one": {"N": "1"}},
                ReturnValues="UPDATED_NEW",
            )
        return int(answer["Attributes"]["turns"]["N"]) - 1
