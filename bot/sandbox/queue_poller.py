"""Feed a queue to a function in batches and honour `batchItemFailures`, as Lambda's event source mapping does."""

import hashlib
import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from bot.sandbox.gateway import Function

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import MessageTypeDef

_LOGGER = logging.getLogger(__name__)

BATCH_SIZE = 10
# Lambda leaves a failed message to the queue's visibility timeout, which is minutes: too long to wait for here.
LONGEST_RETRY_SECONDS = 10


def back_off(receives: int) -> int:
    """Return the seconds until a failed message becomes visible again: exponential, with a cap."""
    return min(1 << receives, LONGEST_RETRY_SECONDS)


class QueuePoller:
    """Polls on a thread of its own until it is stopped. `retry_seconds`: receive count → delay; see `back_off`."""

    def __init__(
        self, sqs: "SQSClient", queue_url: str, function: Function, retry_seconds: Callable[[int], int] = back_off
    ) -> None:
        self._sqs = sqs
        self._queue_url = queue_url
        self._function = function
        self._retry_seconds = retry_seconds
        self._stopping = threading.Event()
        self._open = threading.Event()
        self._open.set()
        self._thread = threading.Thread(target=self._run, name="queue-poller", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def hold(self) -> None:
        """Pause receiving; batches that were received are still handled."""
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    def stop(self) -> None:
        self._stopping.set()
        self._open.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._open.wait()
            try:
                self.turn(wait_seconds=1)
            except (BotoCoreError, ClientError):
                if not self._stopping.is_set():
                    _LOGGER.warning("The queue %s does not answer; trying again in a second", self._queue_url)
                    self._stopping.wait(1)

    def turn(self, wait_seconds: int = 0) -> int:
        """Receive one batch, invoke the function with it and delete what it handled; return the number received."""
        received = self._sqs.receive_message(
            QueueUrl=self._queue_url,
            MaxNumberOfMessages=BATCH_SIZE,
            WaitTimeSeconds=wait_seconds,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        messages = received.get("Messages", [])
        if messages:
            self._settle(messages, self._failures(messages))
        return len(messages)

    def _failures(self, messages: "list[MessageTypeDef]") -> set[str]:
        queue = self._queue_url.rpartition("/")[2]
        try:
            answer = self._function.invoke({"Records": [build_record(message, queue) for message in messages]})
        except Exception:  # a failed invocation returns its whole batch to the queue
            _LOGGER.exception("The function %s raised", self._function.name)
            return {message["MessageId"] for message in messages}
        return {failure["itemIdentifier"] for failure in (answer or {}).get("batchItemFailures", [])}

    def _settle(self, messages: "list[MessageTypeDef]", failures: set[str]) -> None:
        for message in messages:
            handle = message["ReceiptHandle"]
            if message["MessageId"] in failures:
                delay = self._retry_seconds(int(message["Attributes"]["ApproximateReceiveCount"]))
                self._sqs.change_message_visibility(
                    QueueUrl=self._queue_url, ReceiptHandle=handle, VisibilityTimeout=delay
                )
            else:
                self._sqs.delete_message(QueueUrl=self._queue_url, ReceiptHandle=handle)


def build_record(message: "MessageTypeDef", queue: str = "sandbox") -> dict[str, Any]:
    """Build one record of Lambda's SQS event from a message received from the queue of that name."""
    body = message["Body"]
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": body,
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {
            name: {"stringValue": value.get("StringValue"), "dataType": value["DataType"]}
            for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": hashlib.md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:eu-central-1:123456789012:{queue}",
        "awsRegion": "eu-central-1",
    }
