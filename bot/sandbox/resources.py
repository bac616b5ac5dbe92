"""Create the tables and queues of `resources/*.yml` through boto3, where there is no CloudFormation.

So the sandbox and the tests run with the keys, time-outs and redrive policies that are deployed.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_sqs import SQSClient

Resource = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class CreatedResources:
    """Logical id in the template → table name, and → queue URL."""

    tables: Mapping[str, str]
    queues: Mapping[str, str]


def create_resources(dynamodb: "DynamoDBClient", sqs: "SQSClient", prefix: str) -> CreatedResources:
    """Create every table and queue of the templates, each named `<prefix>-<logical id>`, and wait for the tables."""
    return CreatedResources(create_tables(dynamodb, prefix), create_queues(sqs, prefix))


def create_tables(dynamodb: "DynamoDBClient", prefix: str) -> dict[str, str]:
    names = {}
    for logical_id, table in read_resources("tables.yml").items():
        name = f"{prefix}-{logical_id}"
        dynamodb.create_table(**table_arguments(table, name))
        dynamodb.get_waiter("table_exists").wait(TableName=name)
        dynamodb.update_time_to_live(**time_to_live_arguments(table, name))
        names[logical_id] = name
    return names


def create_queues(sqs: "SQSClient", prefix: str) -> dict[str, str]:
    queues = read_resources("queues.yml")
    urls: dict[str, str] = {}
    arns: dict[str, str] = {}
    # Dead-letter queues first: a redrive policy can only name a queue that exists.
    for logical_id in sorted(queues, key=lambda each: "RedrivePolicy" in queues[each]["Properties"]):
        attributes = queue_attributes(queues[logical_id], arns)
        url = sqs.create_queue(QueueName=f"{prefix}-{logical_id}", Attributes=attributes)["QueueUrl"]  # type: ignore[arg-type]
        urls[logical_id] = url
        arns[logical_id] = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return urls


def table_arguments(table: Resource, name: str) -> dict[str, Any]:
    """Return the arguments of DynamoDB's `create_table`."""
    properties = table["Properties"]
    shared = ("BillingMode", "AttributeDefinitions", "KeySchema", "GlobalSecondaryIndexes")
    return {
        "TableName": name,
        **{key: properties[key] for key in shared if key in properties},
        "SSESpecification": {"Enabled": properties["SSESpecification"]["SSEEnabled"]},
    }


def time_to_live_arguments(table: Resource, name: str) -> dict[str, Any]:
    """Return the arguments of DynamoDB's `update_time_to_live`; `create_table` does not take them."""
    return {"TableName": name, "TimeToLiveSpecification": table["Properties"]["TimeToLiveSpecification"]}


def queue_attributes(queue: Resource, arns: Mapping[str, str]) -> dict[str, str]:
    """Return the `Attributes` of SQS's `create_queue`. `arns`: logical id → ARN of the queues that exist.

    Raises KeyError with the logical id of a dead-letter queue that is missing there.
    """
    return {name: _attribute(value, arns) for name, value in queue["Properties"].items()}


def _attribute(value: Any, arns: Mapping[str, str]) -> str:
    resolved = _resolve(value, arns)
    return resolved if isinstance(resolved, str) else json.dumps(resolved)


def _resolve(value: Any, arns: Mapping[str, str]) -> Any:
    if isinstance(value, dict) and "Fn::GetAtt" in value:
        return arns[value["Fn::GetAtt"][0]]
    if isinstance(value, dict):
        return {key: _resolve(inner, arns) for key, inner in value.items()}
    return value


def read_resources(file_name: str) -> dict[str, Resource]:
    """Read one file of `resources/`: logical id → CloudFormation resource."""
    text = resources.files("classifier_infra").joinpath("resources", file_name).read_text(encoding="utf-8")
    template: dict[str, dict[str, Resource]] = yaml.load(text, Loader=_TemplateLoader)  # noqa: S506, it is a SafeLoader
    return template["Resources"]


class _TemplateLoader(yaml.SafeLoader):
    """Read CloudFormation's short forms (`!GetAtt A.Arn`) as their long forms (`{"Fn::GetAtt": ["A", "Arn"]}`)."""


def _construct_intrinsic(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
        value = value.split(".", 1) if suffix == "GetAtt" else value
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {name: value}


_TemplateLoader.add_multi_constructor("!", _construct_intrinsic)
