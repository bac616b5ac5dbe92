"""The queue poller invokes a function with a queue's messages as Lambda's event source mapping does."""

import json
import threading
import uuid
from collections.abc import Iterator

import boto3
import pytest

from bot.sandbox.gateway import Function
from bot.sandbox.queue_poller import QueuePoller


@pytest.fixture
def sqs(ministack_url):
    return boto3.client(
        "sqs", endpoint_url=ministack_url, region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x"
    )


@pytest.fixture
def queue_url(sqs) -> Iterator[str]:
    url = sqs.create_queue(QueueName=f"poller-{uuid.uuid4()}", Attributes={"VisibilityTimeout": "300"})["QueueUrl"]
    yield url
    sqs.delete_queue(QueueUrl=url)


def remaining(sqs, queue_url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    attributes = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


def test_a_batch_reaches_the_function_as_one_sqs_event(sqs, queue_url):
    events = []
    for number in range(3):
        sqs.send_message(QueueUrl=queue_url, MessageBody=json.dumps({"number": number}))

    received = QueuePoller(sqs, queue_url, Function("worker", lambda event, context: events.append(event))).turn()

    bodies = sorted(json.loads(record["body"])["number"] for record in events[0]["Records"])
    assert (received, bodies) == (3, [0, 1, 2])
    assert {record["eventSource"] for record in events[0]["Records"]} == {"aws:sqs"}
    assert {record["eventSourceARN"].rpartition(":")[2] for record in events[0]["Records"]} == {
        queue_url.rpartition("/")[2]
    }


def test_handled_messages_leave_the_queue_and_failed_ones_stay(sqs, queue_url):
    def handler(event, context):
        failed = [record["messageId"] for record in event["Records"] if record["body"] == "bad"]
        return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

    for body in ("good", "bad", "good"):
        sqs.send_message(QueueUrl=queue_url, MessageBody=body)

    QueuePoller(sqs, queue_url, Function("worker", handler)).turn()

    assert remaining(sqs, queue_url) == 1


def test_a_function_that_raises_loses_nothing(sqs, queue_url):
    def handler(event, context):
        raise RuntimeError("crashed")

    sqs.send_message(QueueUrl=queue_url, MessageBody="precious")

    QueuePoller(sqs, queue_url, Function("worker", handler)).turn()

    assert remaining(sqs, queue_url) == 1


def test_an_empty_queue_does_not_invoke_the_function(sqs, queue_url):
    def handler(event, context):
        pytest.fail("invoked without a message")

    assert QueuePoller(sqs, queue_url, Function("worker", handler)).turn() == 0


def test_while_it_is_held_messages_gather_in_the_queue(sqs, queue_url):
    batches: list[int] = []
    handled = threading.Event()

    def handler(event, context):
        batches.append(len(event["Records"]))
        handled.set()

    queue_poller = QueuePoller(sqs, queue_url, Function("worker", handler))
    queue_poller.hold()
    queue_poller.start()
    for number in range(3):
        sqs.send_message(QueueUrl=queue_url, MessageBody=str(number))
    queue_poller.release()
    handled.wait(10)
    queue_poller.stop()

    assert batches == [3]
