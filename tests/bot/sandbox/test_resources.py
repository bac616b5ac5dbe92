"""The tables and queues that boto3 creates are those of resources/*.yml; DynamoDB and SQS are ministack over HTTP."""

import json
import uuid
from typing import Any

import boto3
import pytest

from bot.sandbox.resources import CreatedResources, create_resources, queue_attributes, read_resources, table_arguments


@pytest.fixture(scope="module")
def clients(ministack_url: str) -> tuple[Any, Any]:
    session = boto3.Session("local", "local", region_name="eu-central-1")
    return session.client("dynamodb", endpoint_url=ministack_url), session.client("sqs", endpoint_url=ministack_url)


@pytest.fixture(scope="module")
def created(clients: tuple[Any, Any]) -> CreatedResources:
    return create_resources(*clients, prefix=f"blueprint-{uuid.uuid4()}")


def test_a_created_table_has_the_keys_and_the_expiry_of_the_template(clients, created):
    dynamodb, _ = clients
    name = created.tables["LedgerTable"]

    table = dynamodb.describe_table(TableName=name)["Table"]
    expiry = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]

    assert [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]] == [("pk", "HASH"), ("sk", "RANGE")]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "expires_at"}


def test_a_created_queue_keeps_the_template_s_times_and_hands_over_to_its_dead_letter_queue(clients, created):
    _, sqs = clients

    queue = _attributes(sqs, created.queues["TriageQueue"])
    dead_letters = _attributes(sqs, created.queues["TriageDeadLetterQueue"])

    assert queue["VisibilityTimeout"] == "360"
    assert json.loads(queue["RedrivePolicy"]) == {
        "deadLetterTargetArn": dead_letters["QueueArn"],
        "maxReceiveCount": 10,
    }
    assert dead_letters["MessageRetentionPeriod"] == "1209600"


def test_everything_created_carries_the_prefix(clients):
    created = create_resources(*clients, prefix="someone-else")

    assert created.tables["LedgerTable"] == "someone-else-LedgerTable"
    assert created.queues["TriageQueue"].endswith("/someone-else-TriageQueue")


def test_a_queue_cannot_name_a_dead_letter_queue_that_is_not_there():
    queue = read_resources("queues.yml")["TriageQueue"]

    with pytest.raises(KeyError, match="TriageDeadLetterQueue"):
        queue_attributes(queue, arns={})


def test_the_table_s_arguments_are_spelt_as_boto3_wants_them():
    table = read_resources("tables.yml")["LedgerTable"]

    arguments = table_arguments(table, "ledger")

    assert arguments["SSESpecification"] == {"Enabled": True}


def _attributes(sqs: Any, url: str) -> dict[str, str]:
    attributes: dict[str, str] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return attributes
