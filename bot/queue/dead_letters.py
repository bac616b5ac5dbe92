"""List the dead-letter queue's messages and send them back to the triage queue.

SQS cannot list a queue: messages are received, which hides them from other receivers until they are made visible again.
No SQS emulator has SQS's own redrive task; receive, send and delete work the same everywhere.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from bot.queue.deliveries import FIRST_SENT, REASON, TRIES
from bot.queue.messages import InvalidRecord, from_json

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

# Visibility timeout in seconds: longer than it takes to receive all messages.
_HIDDEN = 120
_BATCH = 10
# Long polling: without a wait, SQS asks only some of its servers and can return nothing from a queue that is not empty.
_WAIT_SECONDS = 1

NO_REASON = "the worker died or ran out of time each time"


class QueueFailure(Exception):
    """A request to SQS failed. The message has the error code."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message of the dead-letter queue, printable without its text.

    `place` is team#channel#ts of the message in Slack, or as much of it as the record has; `first_sent` is in seconds
    since the epoch. `tries` is None if SQS moved the message itself.
    """

    id: str
    kind: str
    place: str
    tries: int | None
    first_sent: float
    reason: str
    handle: str = field(repr=False)
    body: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class DeadLetterQueue:
    """The URLs of the dead-letter queue and of the triage queue that feeds it. Methods raise QueueFailure."""

    client: "SQSClient"
    dead_letters: str
    triage: str

    def inspect(self) -> list[DeadLetter]:
        """Return all messages, oldest first, and leave them in the queue."""
        found = self._receive()
        self._make_visible(found)
        return found

    def redrive(self, wanted: Callable[[DeadLetter], bool]) -> list[DeadLetter]:
        """Send the `wanted` messages back to the triage queue and return them.

        Each is sent before it is deleted, so that none is lost.
        """
        found = self._receive()
        redriven = [each for each in found if wanted(each)]
        try:
            for each in redriven:
                self._redrive(each)
        finally:
            self._make_visible([each for each in found if each not in redriven])
        return redriven

    def _receive(self) -> list[DeadLetter]:
        found: dict[str, DeadLetter] = {}
        while batch := self._receive_batch():
            found |= {each.id: each for each in batch}
        return sorted(found.values(), key=lambda each: each.first_sent)

    def _receive_batch(self) -> list[DeadLetter]:
        with _sqs_errors():
            answer = self.client.receive_message(
                QueueUrl=self.dead_letters,
                MaxNumberOfMessages=_BATCH,
                VisibilityTimeout=_HIDDEN,
                WaitTimeSeconds=_WAIT_SECONDS,
                MessageSystemAttributeNames=["SentTimestamp"],
                MessageAttributeNames=["All"],
            )
        return [_read(message) for message in answer.get("Messages", [])]

    def _redrive(self, each: DeadLetter) -> None:
        with _sqs_errors():
            self.client.send_message(QueueUrl=self.triage, MessageBody=each.body)
            self.client.delete_message(QueueUrl=self.dead_letters, ReceiptHandle=each.handle)

    def _make_visible(self, found: Sequence[DeadLetter]) -> None:
        for batch in _batches(found):
            entries: Any = [
                {"Id": str(number), "ReceiptHandle": each.handle, "VisibilityTimeout": 0}
                for number, each in enumerate(batch)
            ]
            with _sqs_errors():
                self.client.change_message_visibility_batch(QueueUrl=self.dead_letters, Entries=entries)


def _batches(found: Sequence[DeadLetter]) -> Iterator[Sequence[DeadLetter]]:
    return (found[first : first + _BATCH] for first in range(0, len(found), _BATCH))


def _read(message: Any) -> DeadLetter:
    values = {name: each.get("StringValue", "") for name, each in message.get("MessageAttributes", {}).items()}
    kind, place = _describe(message["Body"])
    return DeadLetter(
        id=message["MessageId"],
        kind=kind,
        place=place,
        tries=int(values[TRIES]) if TRIES in values else None,
        first_sent=float(values.get(FIRST_SENT) or int(message["Attributes"]["SentTimestamp"]) / 1000),
        reason=values.get(REASON, NO_REASON),
        handle=message["ReceiptHandle"],
        body=message["Body"],
    )


def _describe(body: str) -> tuple[str, str]:
    try:
        record = from_json(body)
    except InvalidRecord:
        return "unreadable", ""
    kind = type(record).__name__.removesuffix("Record").lower()
    return kind, "#".join([record.team, record.channel, *([record.ts] if hasattr(record, "ts") else [])])


@contextmanager
def _sqs_errors() -> Iterator[None]:
    try:
        yield
    except (BotoCoreError, ClientError) as error:
        code = error.response["Error"].get("Code") if isinstance(error, ClientError) else type(error).__name__
        raise QueueFailure(f"the request to SQS failed ({code})") from error
