"""The DynamoDB table of installations: the token of each workspace that installed the bot through OAuth.

It is separate from the ledger so that the function that writes tokens can read nothing else. It has no point-in-time
recovery, unlike the ledger, so that a removed token is gone. A workspace whose token is in the secret has no row.
"""

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from slack_sdk.oauth.installation_store.installation_store import InstallationStore
from slack_sdk.oauth.installation_store.models.bot import Bot
from slack_sdk.oauth.installation_store.models.installation import Installation

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


class InstallationsUnavailable(Exception):
    """DynamoDB failed; a retry may help. The message has its error code and no value."""


@contextmanager
def installation_errors() -> Iterator[None]:
    """Raise InstallationsUnavailable for DynamoDB's errors, without their traceback: the request can hold a token."""
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        code = error.response["Error"].get("Code") if isinstance(error, ClientError) else type(error).__name__
        raise InstallationsUnavailable(f"the table of installations failed ({code})") from None


class DynamoInstallationStore(InstallationStore):
    """Slack's interface of such stores, as far as one bot token per workspace needs it.

    Organisation-wide installations are not stored; see oauth_flow.py. Every method raises InstallationsUnavailable.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    @property
    def logger(self) -> logging.Logger:
        return logging.getLogger(__name__)

    def save(self, installation: Installation) -> None:
        """Store a workspace's token in place of an earlier one."""
        row = {
            **_key(str(installation.team_id)),
            "team_id": {"S": str(installation.team_id)},
            "bot_token": {"S": str(installation.bot_token)},
            "bot_id": {"S": str(installation.bot_id)},
            "bot_user_id": {"S": str(installation.bot_user_id)},
            "scopes": {"S": ",".join(installation.bot_scopes or ())},
            "installed_by": {"S": str(installation.user_id)},
            "installed_at": {"N": str(int(installation.installed_at))},
        }
        if installation.enterprise_id:
            row["enterprise_id"] = {"S": installation.enterprise_id}
        with installation_errors():
            self._client.put_item(TableName=self._table, Item=row)

    def find_bot(
        self, *, enterprise_id: str | None = None, team_id: str | None, is_enterprise_install: bool | None = False
    ) -> Bot | None:
        """Return the installation of a workspace by a consistent read, or None."""
        with installation_errors():
            answer = self._client.get_item(TableName=self._table, Key=_key(str(team_id)), ConsistentRead=True)
        return _read(answer["Item"]) if "Item" in answer else None

    def find_bots(self) -> Iterator[Bot]:
        """Yield the installations of all workspaces."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table, FilterExpression="attribute_exists(bot_token)", ConsistentRead=True
        )
        with installation_errors():
            for page in pages:
                yield from map(_read, page["Items"])

    def delete_bot(self, *, enterprise_id: str | None = None, team_id: str | None, until: float | None = None) -> None:
        """Remove a workspace's token, unless the bot was installed after `until` (seconds since the epoch).

        Slack's event about the removal can arrive late, after a new installation.
        """
        condition: dict[str, Any] = {}
        if until is not None:
            condition = {
                "ConditionExpression": "attribute_not_exists(pk) OR installed_at <= :until",
                "ExpressionAttributeValues": {":until": {"N": str(int(until))}},
            }
        with installation_errors(), suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.delete_item(TableName=self._table, Key=_key(str(team_id)), **condition)


def _key(team: str) -> dict[str, Any]:
    return {"pk": {"S": f"team#{team}"}}


def _read(row: Mapping[str, Any]) -> Bot:
    return Bot(
        enterprise_id=row["enterprise_id"]["S"] if "enterprise_id" in row else None,
        team_id=row["team_id"]["S"],
        bot_token=row["bot_token"]["S"],
        bot_id=row["bot_id"]["S"],
        bot_user_id=row["bot_user_id"]["S"],
        bot_scopes=row["scopes"]["S"],
        installed_at=float(row["installed_at"]["N"]),
    )
