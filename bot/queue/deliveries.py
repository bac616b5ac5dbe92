"""What SQS delivers, and where a delivery goes that cannot be handled: aside, with the reason.

Left to itself SQS moves a message to the dead-letter queue without a word why, as it must for a worker that dies or
runs out of time. What the worker can name, it sets aside itself, one try earlier.
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
    """One message as it was delivered: the count of deliveries, and when it was sent (seconds since the epoch).

    `due` is set where the message has waited for its place already, `since` where it was put off before: when it was
    for the first time; see sender.py. `receipt` and `queue` (its name) are what it takes to have the message delivered
    again sooner.
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
    """Has failed messages delivered again in seconds, where the queue would take its visibility timeout of minutes.

    `url` is that of any queue beside theirs.
    """

    client: "SQSClient"
    url: str

    def hasten(self, delivery: Delivery, seconds: int) -> None:
        """Let a message be delivered again after so many seconds; where that fails, it comes when the queue has it."""
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
        """Put a delivery where a person finds it. Raises QueueUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class SqsDeadLetters:
    """The dead-letter queue. Its messages say why they are there; the reason has no text of anybody's in it."""

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
            raise QueueUnavailable(f"SQS did not take the message to be set aside ({type(error).__name__})") from error
