"""Translate DynamoDB's failures into the bot's own exceptions, in one place."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError


class LedgerUnavailable(Exception):
    """DynamoDB failed or could not be reached: try again later. Its `__cause__` is what boto3 raised."""


class ConditionFailed(Exception):
    """A conditional write was not made. `row` is the row in the way, empty unless the write asked for it."""

    def __init__(self, row: Mapping[str, Any]) -> None:
        super().__init__("the condition of a write does not hold")
        self.row = row


class TransactionConflict(LedgerUnavailable):
    """Another write to one of the rows was under way: nothing was written, and the next try may succeed."""


@contextmanager
def dynamodb_errors() -> Iterator[None]:
    """Raise ConditionFailed, TransactionConflict or LedgerUnavailable in place of what boto3 raises.

    In a transaction, ConditionFailed is raised for the first write only: the others have no conditions here.
    """
    try:
        yield
    except ClientError as error:
        response: Any = error.response
        code = str(response["Error"].get("Code"))
        if code == "ConditionalCheckFailedException":
            raise ConditionFailed(response.get("Item", {})) from error
        reasons = [reason.get("Code") for reason in response.get("CancellationReasons", ())]
        if "ConditionalCheckFailed" in reasons:
            failed = response["CancellationReasons"][reasons.index("ConditionalCheckFailed")]
            raise ConditionFailed(failed.get("Item", {})) from error
        kind = TransactionConflict if _CONFLICTS & {*reasons, code} else LedgerUnavailable
        raise kind(f"DynamoDB did not answer as it should ({code})") from error
    except BotoCoreError as error:
        raise LedgerUnavailable(f"DynamoDB did not answer as it should ({type(error).__name__})") from error


_CONFLICTS = frozenset({"TransactionConflict", "TransactionConflictException"})
