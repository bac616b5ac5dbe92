"""The queues, seen by those who put something in.

`triage` takes what comes from Slack; `effects` gives back later what has to wait: for its turn in a channel, for
Slack's Retry-After, for its share of the classifier. What waits there has not failed, and is not counted as if it had.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from bot.queue.messages import Record, to_json
from bot.settings import session

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient


DUE, SINCE = "due", "since"

# The longest that SQS holds a message back; what has to wait longer is sent on when it comes out.
LONGEST_DELAY = 900


class QueueUnavailable(Exception):
    """The record is not in the queue. Its `__cause__` is what botocore raised."""


class Queue(Protocol):
    def send(self, record: Record, delay: float = 0, due: float | None = None, since: float | None = None) -> None:
        """Put a record in, to come out after `delay` seconds (LONGEST_DELAY at most).

        `due` and `since` are for the worker, in seconds since the epoch: the record has a place from then on; it is put
        off since then. Raises QueueUnavailable.
        """
        ...


@dataclass(frozen=True, slots=True)
class SqsQueue:
    """An SQS queue."""

    client: "SQSClient"
    url: str

    def send(self, record: Record, delay: float = 0, due: float | None = None, since: float | None = None) -> None:
        """See Queue."""
        notes = {name: at for name, at in ((DUE, due), (SINCE, since)) if at is not None}
        sent: Any = {name: {"DataType": "Number", "StringValue": str(at)} for name, at in notes.items()}
        attributes: Any = {"MessageAttributes": sent} if sent else {}
        try:
            self.client.send_message(
                QueueUrl=self.url,
                MessageBody=to_json(record),
                DelaySeconds=min(LONGEST_DELAY, max(0, math.ceil(delay))),
                # In a standard queue this keeps nothing in order: it is how SQS knows whose messages are many, and
                # lets those of the others pass.
                MessageGroupId=f"{record.team}-{record.channel}",
                **attributes,
            )
        except (BotoCoreError, ClientError) as error:
            raise QueueUnavailable(f"SQS did not take the record ({type(error).__name__})") from error


def build_queue(url: str) -> SqsQueue:
    """Build the queue on botocore, which takes region, credentials and another address from the environment.

    Botocore alone, because boto3 around it lengthens every cold start of the front. Two tries of a second each still
    leave Slack its answer within three seconds.
    """
    config = Config(connect_timeout=0.5, read_timeout=1.0, retries={"total_max_attempts": 2, "mode": "standard"})
    client = session().create_client("sqs", config=config)
    return SqsQueue(cast("SQSClient", client), url)
