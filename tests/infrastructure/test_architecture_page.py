"""The diagrams of docs/architecture.md show what the compiled template deploys."""

import json
import re
from collections.abc import Iterator
from itertools import pairwise, product
from pathlib import Path

import pytest

from bot.sandbox.gateway import read_functions

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
DIAGRAMS = re.findall(r"^```mermaid\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)

NODE = re.compile(r'\b(\w+)[\[({]+"([^"]+)"[\])}]+')
ARROW = re.compile(r"-->|-\.->")
DRAWN_TYPES = (
    "AWS::Lambda::Function",
    "AWS::SQS::Queue",
    "AWS::DynamoDB::Table",
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
    "AWS::Events::Rule",
    "AWS::CloudFront::Distribution",
    "AWS::SNS::Topic",
)
# The Serverless Framework's own.
NOT_DRAWN = {"ServerlessDeploymentBucket"}

pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def nodes() -> dict[str, str]:
    """Every node of the diagrams: id → label."""
    found = [pair for diagram in DIAGRAMS for pair in NODE.findall(diagram)]
    labels = dict(found)
    assert {*found} == {*labels.items()}, "a node has two labels"
    return labels


@pytest.fixture(scope="module")
def arrows() -> set[tuple[str, str]]:
    return {arrow for diagram in DIAGRAMS for line in diagram.splitlines() for arrow in arrows_of(line)}


def arrows_of(line: str) -> Iterator[tuple[str, str]]:
    ends = [part.split("&") for part in ARROW.split(NODE.sub(r"\1", line))]
    for sources, targets in pairwise(ends):
        yield from ((source.strip(), target.strip()) for source, target in product(sources, targets))


def deployed(template) -> set[str]:
    return {name for kind in DRAWN_TYPES for name in template.of_type(kind)} - NOT_DRAWN


def test_a_line_may_have_several_sources_targets_and_arrows():
    assert {*arrows_of('  a & b["B, b"] --> c -.-> d(["D"])')} == {("a", "c"), ("b", "c"), ("c", "d")}
    assert [*arrows_of('  subgraph queues["SQS"]')] == []


def test_every_function_queue_table_bucket_and_secret_is_a_node(template, nodes):
    assert deployed(template) - {*nodes} == set()


def test_a_node_with_the_name_of_a_resource_is_deployed(template, nodes):
    named_like_a_resource = {name for name in nodes if name[0].isupper()}

    assert named_like_a_resource - {*template.resources} == set()


def test_every_arrow_begins_and_ends_at_a_node(nodes, arrows):
    assert arrows
    assert {end for arrow in arrows for end in arrow} - {*nodes} == set()


def test_every_route_leads_to_its_function(nodes, arrows):
    drawn = {
        (method, path, target)
        for source, target in arrows
        for methods, path in re.findall(r"^([A-Z, ]+) (/\S+)$", nodes[source])
        for method in methods.split(", ")
    }

    routes = read_functions(ROOT / "serverless.yml").routes
    assert drawn == {(route.method, route.path, f"{route.function.title()}LambdaFunction") for route in routes}


def test_memory_time_limits_and_the_number_of_alarms_are_those_of_the_template(template, nodes):
    for name, function in template.of_type("AWS::Lambda::Function").items():
        assert nodes[name].endswith(f"<br/>{function['MemorySize']} MB, {function['Timeout']} s")
    for name, rule in template.of_type("AWS::Events::Rule").items():
        assert nodes[name] == f"EventBridge: {rule['ScheduleExpression']}"
    assert nodes["alarms"] == f"{len(template.of_type('AWS::CloudWatch::Alarm'))} CloudWatch alarms"


def test_the_arrows_between_resources_are_the_permissions_event_sources_and_redrives(template, nodes, arrows):
    ends = deployed(template) | {"endpoint"}
    expected = {*calls(template), *event_sources(template), *redrives(template), ("SiteDistribution", "SiteBucket")}

    assert {arrow for arrow in arrows if {*arrow} <= ends} == expected


def calls(template) -> Iterator[tuple[str, str]]:
    """Yield what each function's role allows it to use, apart from its log and the queues that Lambda reads for it."""
    for name, function in template.of_type("AWS::Lambda::Function").items():
        role = template.resources[function["Role"]["Fn::GetAtt"][0]]["Properties"]
        for statement in (each for policy in role["Policies"] for each in policy["PolicyDocument"]["Statement"]):
            action = statement["Action"] if isinstance(statement["Action"], str) else statement["Action"][0]
            if action == "sagemaker:InvokeEndpoint":
                yield name, "endpoint"
            elif not action.startswith(("logs:", "sqs:ReceiveMessage")):
                yield from ((name, target) for target in references(statement["Resource"]))


def event_sources(template) -> Iterator[tuple[str, str]]:
    for mapping in template.of_type("AWS::Lambda::EventSourceMapping").values():
        yield mapping["EventSourceArn"]["Fn::GetAtt"][0], mapping["FunctionName"]["Fn::GetAtt"][0]
    for name, rule in template.of_type("AWS::Events::Rule").items():
        yield from ((name, function) for function in references(rule["Targets"]))


def redrives(template) -> Iterator[tuple[str, str]]:
    for name, queue in template.of_type("AWS::SQS::Queue").items():
        if "RedrivePolicy" in queue:
            yield name, queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]


def references(value: object) -> set[str]:
    """Return the logical ids that a CloudFormation value refers to."""
    found = re.findall(r'"(?:Ref|Fn::GetAtt)": \[?"(\w+)"|\$\{(\w+)\.', json.dumps(value))
    return {first or second for first, second in found}
