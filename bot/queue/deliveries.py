"""Read SQS deliveries, and dead-letter with a reason those that cannot be handled.

SQS moves a message to the dead-letter queue without a reason, which is all that is possible if the worker dies or runs
out of time. Where the worker knows the reason, it dead-letters the message itself, one try earlier.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from bot.queue.sender import DUE, SINCE, QueueUnavailable

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

log = logging.getLogger(__name__)

# One fewer than the queues' maxReceiveCount.
MOST_TRIES = 9

REASON = "reason"
TRIES = "tries"
FIRST_SENT = "first_sent"

_LONGEST_REASON = 200


@dataclass(frozen=True, slots=True)
class Delivery:
    """One SQS message as delivered. Times are in seconds since the epoch.

    `tries` counts the deliveries. `due` is when a message that had to wait may be read, `since` when it was first put
    off; see sender.py. `receipt` and `queue` (its name) are needed to hasten the next delivery.
    """

    id: str
    body: str = field(repr=False)
    tries: int = 1
    sent_at: float = 0.0
    due: float | None = None
    since: float | None = None
    receipt: str | None = field(default=None, repr=False)
    queue: str | None = None


def read_delivery(message: Mapping[str, Any]) -> Delivery:
    """Read a record of Lambda's SQS event."""
    attributes = message.get("attributes", {})
    sent = message.get("messageAttributes", {})
    return Delivery(
        message["messageId"],
        message["body"],
        tries=int(attributes.get("ApproximateReceiveCount", 1)),
        sent_at=int(attributes.get("SentTimestamp", 0)) / 1000,
        due=float(sent[DUE]["stringValue"]) if DUE in sent else None,
        since=float(sent[SINCE]["stringValue"]) if SINCE in sent else None,
        receipt=message.get("receiptHandle"),
        queue=str(message["eventSourceARN"]).rpartition(":")[2] if "eventSourceARN" in message else None,
    )


@dataclass(frozen=True, slots=True)
class Redelivery:
    """Shorten the visibility timeout of failed messages from minutes to seconds.

    `url` is that of any queue of the same account and region.
    """

    client: "SQSClient"
    url: str

    def hasten(self, delivery: Delivery, seconds: int) -> None:
        """Have a message delivered again after `seconds`; if that fails, the queue's visibility timeout holds."""
        if delivery.receipt is None or delivery.queue is None:
            return
        try:
            self.client.change_message_visibility(
                QueueUrl=f"{self.url.rpartition('/')[0]}/{delivery.queue}",
                ReceiptHandle=delivery.receipt,
                VisibilityTimeout=seconds,
            )
        except (BotoCoreError, ClientError) as error:
            log.warning("redelivery not hastened", extra={"error": type(error).__name__})


class DeadLetters(Protocol):
    def dead_letter(self, delivery: Delivery, reason: str) -> None:
        """Put a delivery in the dead-letter queue. Raises QueueUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class SqsDeadLetters:
    """The SQS dead-letter queue. Messages carry the reason, which must not quote any message text."""

    client: "SQSClient"
    url: str

    def dead_letter(self, delivery: Delivery, reason: str) -> None:
        """See DeadLetters."""
        safe = reason.encode("ascii", "replace").decode()[:_LONGEST_REASON]
        try:
            self.client.send_message(
                QueueUrl=self.url,
                MessageBody=delivery.body,
                MessageAttributes={
                    REASON: {"DataType": "String", "StringValue": safe},
                    TRIES: {"DataType": "Number", "StringValue": str(delivery.tries)},
                    FIRST_SENT: {"DataType": "Number", "StringValue": str(delivery.sent_at)},
                },
            )
        except (BotoCoreError, ClientError) as error:
            raise QueueUnavailable(f"SQS did not accept the dead letter ({type(error).__name__})") from error
