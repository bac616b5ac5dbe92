"""The states of installations under way: each is good once, for ten minutes, in the browser that was given it.

A row says that a state was issued, by its digest alone, so that nobody who can read the table can finish an
installation that somebody else began. Rows outlast their states by an hour: whoever comes too late, or twice, is told
so, and not that nothing is known of them.
"""

import hashlib
import logging
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from botocore.exceptions import BotoCoreError, ClientError
from slack_sdk.oauth.state_store.state_store import OAuthStateStore

from bot.workspaces.installations import code_of, unavailable

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

GOOD_FOR_SECONDS = 600
_REMEMBERED_SECONDS = 3600

Reason: TypeAlias = Literal["unknown", "expired", "used"]


class StateRefused(Exception):
    """The state does not let anybody install anything (any more)."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class DynamoStateStore(OAuthStateStore):
    """Slack's interface of such stores, on the table of installations. `now` gives seconds since the epoch.

    Every method raises InstallationsUnavailable.
    """

    def __init__(self, client: "DynamoDBClient", table: str, now: Callable[[], float]) -> None:
        self._client = client
        self._table = table
        self._now = now

    @property
    def logger(self) -> logging.Logger:
        return logging.getLogger(__name__)

    def issue(self, *args: Any, **kwargs: Any) -> str:
        """Give a state that nobody can guess."""
        state = secrets.token_urlsafe(32)
        good_until = int(self._now()) + GOOD_FOR_SECONDS
        row = {
            **_key(state),
            "good_until": {"N": str(good_until)},
            "expires_at": {"N": str(good_until + _REMEMBERED_SECONDS)},
        }
        try:
            self._client.put_item(TableName=self._table, Item=row)
        except (BotoCoreError, ClientError) as error:
            raise unavailable(error) from None
        return state

    def consume(self, state: str) -> bool:
        """Use a state up, however many ask at once: one of them gets True, the others StateRefused."""
        now = int(self._now())
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(state),
                UpdateExpression="SET used_at = :now",
                ConditionExpression="good_until > :now AND attribute_not_exists(used_at)",
                ExpressionAttributeValues={":now": {"N": str(now)}},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except (BotoCoreError, ClientError) as error:
            if not isinstance(error, ClientError) or code_of(error) != "ConditionalCheckFailedException":
                raise unavailable(error) from None
            raise StateRefused(_reason(error.response.get("Item", {}))) from None
        return True


def _key(state: str) -> dict[str, Any]:
    return {"pk": {"S": f"state#{hashlib.sha256(state.encode('utf-8', 'replace')).hexdigest()}"}}


def _reason(row: Any) -> Reason:
    if not row:
        return "unknown"
    return "used" if "used_at" in row else "expired"
