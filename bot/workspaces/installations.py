"""Workspaces that installed the bot through Slack's OAuth, in a DynamoDB table of their own: the token of each.

The table is apart from the ledger so that whoever writes tokens reads nothing else, and is not copied every second as
the ledger is: a token that was removed is gone. The workspace whose token is in the secret has no row here.
"""

import logging
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from slack_sdk.oauth.installation_store.installation_store import InstallationStore
from slack_sdk.oauth.installation_store.models.bot import Bot
from slack_sdk.oauth.installation_store.models.installation import Installation

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


class InstallationsUnavailable(Exception):
    """DynamoDB did not answer as it should: try again later. The message has its code and no value."""


class DynamoInstallationStore(InstallationStore):
    """Slack's interface of such stores, as far as a bot token per workspace takes it.

    Every method raises InstallationsUnavailable. An organisation's one installation for all its workspaces is not kept
    here; see installing/flow.py.
    """

    def __init__(self, client: "DynamoDBClient", table: str) -> None:
        self._client = client
        self._table = table

    @property
    def logger(self) -> logging.Logger:
        return logging.getLogger(__name__)

    def save(self, installation: Installation) -> None:
        """Keep a workspace's token, in place of an earlier one."""
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
        try:
            self._client.put_item(TableName=self._table, Item=row)
        except (BotoCoreError, ClientError) as error:
            raise unavailable(error) from None  # the request, with the token in it, stays out of every traceback

    def find_bot(
        self, *, enterprise_id: str | None = None, team_id: str | None, is_enterprise_install: bool | None = False
    ) -> Bot | None:
        """Give the installation of a workspace as it is at this moment, or None where there is none."""
        try:
            answer = self._client.get_item(TableName=self._table, Key=_key(str(team_id)), ConsistentRead=True)
        except (BotoCoreError, ClientError) as error:
            raise unavailable(error) from None
        return _read(answer["Item"]) if "Item" in answer else None

    def find_bots(self) -> Iterator[Bot]:
        """Give the installations of all workspaces."""
        pages = self._client.get_paginator("scan").paginate(
            TableName=self._table,
            FilterExpression="attribute_exists(bot_token)",
            ConsistentRead=True,
        )
        try:
            for page in pages:
                yield from map(_read, page["Items"])
        except (BotoCoreError, ClientError) as error:
            raise unavailable(error) from None

    def delete_bot(self, *, enterprise_id: str | None = None, team_id: str | None, until: float | None = None) -> None:
        """Remove a workspace's token, unless it was installed after `until` (seconds since the epoch).

        Slack's word that the bot is gone can come late, when it has been installed again.
        """
        condition: dict[str, Any] = {}
        if until is not None:
            condition = {
                "ConditionExpression": "attribute_not_exists(pk) OR installed_at <= :until",
                "ExpressionAttributeValues": {":until": {"N": str(int(until))}},
            }
        try:
            self._client.delete_item(TableName=self._table, Key=_key(str(team_id)), **condition)
        except (BotoCoreError, ClientError) as error:
            if code_of(error) != "ConditionalCheckFailedException":
                raise unavailable(error) from None


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


def unavailable(error: BotoCoreError | ClientError) -> InstallationsUnavailable:
    return InstallationsUnavailable(f"the table of installations did not answer as it should ({code_of(error)})")


def code_of(error: BotoCoreError | ClientError) -> str:
    return str(error.response["Error"].get("Code")) if isinstance(error, ClientError) else type(error).__name__
