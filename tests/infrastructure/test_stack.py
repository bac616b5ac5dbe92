"""The compiled template can be deployed to moto's CloudFormation, and removed again."""

import io
import json
import re
import urllib.request
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

# Resources that moto cannot create. They are left out here; the other tests and cfn-lint check them.
NOT_IN_MOTO = {
    "AWS::ApiGateway::Account",
    "AWS::ApiGateway::GatewayResponse",
    "AWS::CloudFront::Distribution",
    "AWS::CloudFront::OriginAccessControl",
    "AWS::CloudFront::ResponseHeadersPolicy",
    "AWS::CloudWatch::Alarm",
    "AWS::Lambda::Alias",
    "AWS::Logs::MetricFilter",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SecretsManager::Secret",
}
REGION = "us-east-1"
STACK = "blazing-triage-dev"

pytestmark = pytest.mark.node


class Aws:
    """moto over HTTP."""

    def __init__(self, url: str) -> None:
        self._session = boto3.Session("local", "local", region_name=REGION)
        self._url = url

    def __call__(self, service: str) -> Any:
        return self._session.client(service, endpoint_url=self._url)


@pytest.fixture
def aws() -> Iterator[Aws]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    # All moto servers of a process share one account.
    urllib.request.urlopen(urllib.request.Request(f"http://{host}:{port}/moto-api/reset", method="POST"))
    yield Aws(f"http://{host}:{port}")
    server.stop()


def _for_moto(template, version: int = 1) -> dict[str, Any]:
    """Return the template without what moto lacks and without what the Serverless Framework adds for uploads."""
    left_out = {name for name, each in template.resources.items() if each["Type"] in NOT_IN_MOTO}
    resources = {name: each for name, each in template.resources.items() if name not in left_out}
    trimmed: dict[str, Any] = _without(resources, left_out)
    for resource in trimmed.values():
        resource["DependsOn"] = [each for each in _as_list(resource.get("DependsOn", [])) if each not in left_out]
        if resource["Type"] == "AWS::Lambda::Function":
            resource["Properties"]["Code"] = {"S3Bucket": "archives", "S3Key": f"{version}.zip"}
            resource["Properties"]["Description"] = f"version {version}"
    return {"Resources": trimmed}


def _without(value: Any, left_out: set[str]) -> Any:
    """Replace each reference to a removed resource with a text."""
    match value:
        case {"Ref": str(name)} if name in left_out:
            return name
        case {"Fn::GetAtt": [str(name), str(attribute)]} if name in left_out:
            return f"{name}.{attribute}"
        case {"Fn::Join": [":", [function, "snapstart"]]}:  # without its alias
            return function
        case {"Fn::Sub": str(text)}:
            return {"Fn::Sub": re.sub(rf"\$\{{({'|'.join(left_out)})(\.\w+)?\}}", r"\1\2", text)}
        case dict():
            return {key: _without(inner, left_out) for key, inner in value.items()}
        case list():
            return [_without(inner, left_out) for inner in value]
    return value


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _put(aws: Aws, template: Mapping[str, Any], version: int = 1) -> str:
    """Upload what a deployment uploads, and return the template's URL."""
    if version == 1:
        aws("s3").create_bucket(Bucket="archives")
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("code.py", f"version = {version}")
    aws("s3").put_object(Bucket="archives", Key=f"{version}.zip", Body=content.getvalue())
    aws("s3").put_object(Bucket="archives", Key=f"{version}.json", Body=json.dumps(template))
    return _address(version)


def _address(version: int) -> str:
    return f"https://s3.amazonaws.com/archives/{version}.json"


@pytest.fixture
def created(aws: Aws, template) -> dict[str, Any]:
    deployed = _for_moto(template)
    aws("cloudformation").create_stack(
        StackName=STACK, TemplateURL=_put(aws, deployed), Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    return deployed


def test_what_moto_cannot_make_is_listed_here_and_nothing_else_is(template):
    # Imported here: it reads the regions of every AWS service, which takes a second in each process that collects.
    from moto.cloudformation.parsing import resource_class_from_type

    types = {each["Type"] for each in template.resources.values()}

    assert {each for each in types if resource_class_from_type(each) is None} == NOT_IN_MOTO


def test_the_stack_is_created_with_everything_that_moto_can_make(aws, created):
    (stack,) = aws("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    made = aws("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]

    assert stack["StackStatus"] == "CREATE_COMPLETE"
    assert {each["LogicalResourceId"] for each in made} == created["Resources"].keys()


def test_what_the_stack_consists_of_is_as_the_template_says(aws, created):
    functions = {each["FunctionName"]: each for each in aws("lambda").list_functions()["Functions"]}
    groups = {each["logGroupName"]: each for each in aws("logs").describe_log_groups()["logGroups"]}
    table = _ledger(aws)
    queues = {url.rpartition("/")[2] for url in aws("sqs").list_queues()["QueueUrls"]}
    front = functions[f"{STACK}-front"]["Environment"]["Variables"]

    assert len(queues) == 4
    assert functions.keys() == {
        f"{STACK}-{name}" for name in ("front", "interactive", "oauth", "worker", "scheduled", "classify")
    }
    assert front["TRIAGE_QUEUE_URL"].rpartition("/")[2] in queues
    assert all(groups[f"/aws/lambda/{name}"]["retentionInDays"] == 30 for name in functions)
    keys = aws("dynamodb").describe_table(TableName=table)["Table"]["KeySchema"]
    assert [each["AttributeName"] for each in keys] == ["pk", "sk"]


def _ledger(aws: Aws) -> str:
    (table,) = (name for name in aws("dynamodb").list_tables()["TableNames"] if "LedgerTable" in name)
    return table


def _update(aws: Aws, url: str) -> None:
    aws("cloudformation").update_stack(StackName=STACK, TemplateURL=url, Capabilities=["CAPABILITY_NAMED_IAM"])


def _running(aws: Aws) -> tuple[str, str]:
    worker = aws("lambda").get_function(FunctionName=f"{STACK}-worker")["Configuration"]
    return worker["Description"], worker["CodeSha256"]


def test_a_rollback_brings_back_the_code_and_touches_neither_what_is_remembered_nor_the_model(aws, created, template):
    table = _ledger(aws)
    row = {"pk": {"S": "T1#C1#1.0"}, "sk": {"S": "decision"}}
    before = _running(aws)
    _update(aws, _put(aws, _for_moto(template, version=2), version=2))
    broken = _running(aws)
    aws("dynamodb").put_item(TableName=table, Item=row)
    model_bucket = _bucket(aws, "ModelBucket")
    aws("s3").put_object(Bucket=model_bucket, Key="models/active.json", Body=b"{}")

    _update(aws, _address(version=1))

    assert (before, broken[0]) == (_running(aws), "version 2")
    assert broken[1] != before[1]
    assert aws("dynamodb").get_item(TableName=table, Key=row)["Item"] == row
    assert aws("s3").get_object(Bucket=model_bucket, Key="models/active.json")["Body"].read() == b"{}"


def _bucket(aws: Aws, logical: str) -> str:
    resources = aws("cloudformation").describe_stack_resources(StackName=STACK)["StackResources"]
    return next(each["PhysicalResourceId"] for each in resources if each["LogicalResourceId"] == logical)
