"""Whose turn it is to be given something: one counter a rota, so that no two messages go to the same turn."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bot.store.errors import dynamodb_errors

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


@dataclass(frozen=True, slots=True)
class RoundRobin:
    """Counters in the ledger's table. They stay: a round goes on where it was, however long ago that is."""

    client: "DynamoDBClient"
    table: str

    def next(self, team: str, rota: str) -> int:
        """Return the number of the next turn, from 0; no number is given twice. Raises LedgerUnavailable.

        A call whose answer is lost has taken its turn: then one person is passed over once.
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
