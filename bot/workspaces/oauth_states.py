"""OAuth states of installations in progress: each is valid once, for ten minutes, in one browser.

Rows hold only a digest of the state, so that reading the table does not allow anyone to finish an installation. They
outlast their states by an hour, so that a late or second attempt gets an accurate error page.
"""

import hashlib
import logging
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from slack_sdk.oauth.state_store.state_store import OAuthStateStore

from bot.workspaces.installations import installation_errors

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

GOOD_FOR_SECONDS = 600
_REMEMBERED_SECONDS = 3600

Reason: TypeAlias = Literal["unknown", "expired", "used"]


class StateRefused(Exception):
    """The state is not valid, or no longer."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


class DynamoStateStore(OAuthStateStore):
    """Slack's interface of such stores, on the table of installations. `now` returns seconds since the epoch.

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
        """Return a new random state."""
        state = secrets.token_urlsafe(32)
        good_until = int(self._now()) + GOOD_FOR_SECONDS
        row = {
            **_key(state),
            "good_until": {"N": str(good_until)},
            "expires_at": {"N": str(good_until + _REMEMBERED_SECONDS)},
        }
        with installation_errors():
            self._client.put_item(TableName=self._table, Item=row)
        return state

    def consume(self, state: str) -> bool:
        """Use a state up and return True; of concurrent calls all but one raise StateRefused."""
        now = int(self._now())
        with installation_errors():
            try:
                self._client.update_item(
                    TableName=self._table,
                    Key=_key(state),
                    UpdateExpression="SET used_at = :now",
                    ConditionExpression="good_until > :now AND attribute_not_exists(used_at)",
                    ExpressionAttributeValues={":now": {"N": str(now)}},
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except self._client.exceptions.ConditionalCheckFailedException as error:
                raise StateRefused(_reason(error.response.get("Item", {}))) from None
        return True


def _key(state: str) -> dict[str, Any]:
    return {"pk": {"S": f"state#{hashlib.sha256(state.encode('utf-8', 'replace')).hexdigest()}"}}


def _reason(row: Any) -> Reason:
    if not row:
        return "unknown"
    return "used" if "used_at" in row else "expired"
