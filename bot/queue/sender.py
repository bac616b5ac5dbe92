"""Send records to the queues.

`triage` takes what comes from Slack; `effects` delays what has to wait: for its turn in a channel, for Slack's
Retry-After, for its share of the classifier. Waiting there does not count as a failed try.
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

# SQS's longest delay, in seconds. A record that has to wait longer is sent again when it comes out.
LONGEST_DELAY = 900


class QueueUnavailable(Exception):
    """The record was not queued. `__cause__` is botocore's error."""


class Queue(Protocol):
    def send(self, record: Record, delay: float = 0, due: float | None = None, since: float | None = None) -> None:
        """Queue a record, to be delivered after `delay` seconds (LONGEST_DELAY at most).

        `due` and `since` (seconds since the epoch) tell the worker from when on the record may be read, and when it was
        first put off. Raises QueueUnavailable.
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
                # For SQS fair queues: one busy channel does not delay the others. A standard queue keeps no order.
                MessageGroupId=f"{record.team}-{record.channel}",
                **attributes,
            )
        except (BotoCoreError, ClientError) as error:
            raise QueueUnavailable(f"SQS did not accept the record ({type(error).__name__})") from error


def build_queue(url: str) -> SqsQueue:
    """Build a queue client; botocore reads region, credentials and endpoint URL from the environment.

    boto3 is not used because it lengthens every cold start of the front. Two tries of a second each leave time to
    answer Slack within its three seconds.
    """
    config = Config(connect_timeout=0.5, read_timeout=1.0, retries={"total_max_attempts": 2, "mode": "standard"})
    client = session().create_client("sqs", config=config)
    return SqsQueue(cast("SQSClient", client), url)
