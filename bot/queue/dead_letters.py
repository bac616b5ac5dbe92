"""What was set aside: look at it without taking it away, and give it back to be tried again.

SQS has no way to look into a queue: messages are received, and hidden from others until they are let go. Its own
redrive task is one that no stand-in has; receive, send and delete do the same everywhere.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from bot.queue.deliveries import FIRST_SENT, REASON, TRIES
from bot.queue.messages import InvalidRecord, from_json

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

# Seconds that messages stay hidden while they are being looked at: longer than it takes to receive all of them.
_HIDDEN = 120
_BATCH = 10
# A receive that comes back empty is no proof: SQS asks some of its servers only, unless it may wait.
_WAIT_SECONDS = 1

NO_REASON = "the worker died or ran out of time each time"


class QueueFailure(Exception):
    """SQS did not do what it was asked. The message has its error code."""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One message of the dead-letter queue, without its text.

    `place` is team#channel#ts of the message in Slack, or as much of it as the record has; `first_sent` is in seconds
    since the epoch. `tries` is None where SQS moved the message itself.
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
    """The dead-letter queue, and where its messages go back to. Methods raise QueueFailure."""

    client: "SQSClient"
    dead_letters: str
    triage: str

    def inspect(self) -> list[DeadLetter]:
        """Give all that is there, oldest first, and leave it there."""
        found = self._receive()
        self._let_go(found)
        return found

    def redrive(self, wanted: Callable[[DeadLetter], bool]) -> list[DeadLetter]:
        """Give back what is `wanted`, and give what that was; sent first and deleted then, so that nothing is lost."""
        found = self._receive()
        given_back = [each for each in found if wanted(each)]
        try:
            for each in given_back:
                self._give_back(each)
        finally:
            self._let_go([each for each in found if each not in given_back])
        return given_back

    def _receive(self) -> list[DeadLetter]:
        found: dict[str, DeadLetter] = {}
        while batch := self._receive_batch():
            found |= {each.id: each for each in batch}
        return sorted(found.values(), key=lambda each: each.first_sent)

    def _receive_batch(self) -> list[DeadLetter]:
        try:
            answer = self.client.receive_message(
                QueueUrl=self.dead_letters,
                MaxNumberOfMessages=_BATCH,
                VisibilityTimeout=_HIDDEN,
                WaitTimeSeconds=_WAIT_SECONDS,
                MessageSystemAttributeNames=["SentTimestamp"],
                MessageAttributeNames=["All"],
            )
        except (BotoCoreError, ClientError) as error:
            raise _failure(error) from error
        return [_read(message) for message in answer.get("Messages", [])]

    def _give_back(self, each: DeadLetter) -> None:
        try:
            self.client.send_message(QueueUrl=self.triage, MessageBody=each.body)
            self.client.delete_message(QueueUrl=self.dead_letters, ReceiptHandle=each.handle)
        except (BotoCoreError, ClientError) as error:
            raise _failure(error) from error

    def _let_go(self, found: Sequence[DeadLetter]) -> None:
        for batch in _batches(found):
            entries: Any = [
                {"Id": str(number), "ReceiptHandle": each.handle, "VisibilityTimeout": 0}
                for number, each in enumerate(batch)
            ]
            try:
                self.client.change_message_visibility_batch(QueueUrl=self.dead_letters, Entries=entries)
            except (BotoCoreError, ClientError) as error:
                raise _failure(error) from error


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


def _failure(error: BotoCoreError | ClientError) -> QueueFailure:
    code = error.response["Error"].get("Code") if isinstance(error, ClientError) else type(error).__name__
    return QueueFailure(f"SQS did not do what it was asked ({code})")
