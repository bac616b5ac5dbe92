"""Properties that the compiled template must keep."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.queue.deliveries import MOST_TRIES
from bot.sandbox.gateway import read_functions
from bot.sandbox.resources import read_resources
from classifier_infra.api.openapi import DOCUMENT
from classifier_infra.packaging.runtime import PLATFORMS, PYTHON_VERSION

ROOT = Path(__file__).parents[2]
BILLING = ROOT / "classifier_infra" / "account" / "billing.yml"

# Compiling takes seconds, so one worker does it for all tests.
pytestmark = pytest.mark.node

# Actions on resources that are not ours, each with the reason.
RESOURCE_NOT_OURS = {
    "cloudwatch:DescribeAlarms": "alarms are made with each promotion, under names that begin with the endpoint's",
    "cloudwatch:PutMetricData": "AWS knows no narrower resource; a condition names the namespace",
    "ecr:GetAuthorizationToken": "AWS knows no narrower resource",
    "ecr:BatchCheckLayerAvailability": "containers are in accounts of AWS, one for each region",
    "ecr:GetDownloadUrlForLayer": "containers are in accounts of AWS, one for each region",
    "ecr:BatchGetImage": "containers are in accounts of AWS, one for each region",
}

# Roles with a policy managed by AWS. API Gateway refuses a role for access logs with fewer permissions.
POLICIES_OF_AWS = {"ApiGatewayLogsRole": ["service-role/AmazonAPIGatewayPushToCloudWatchLogs"]}


def test_the_api_has_exactly_these_routes(template):
    assert _routes(template) == {
        ("POST", "/slack/events"): "FrontLambdaFunction",
        ("POST", "/slack/commands"): "FrontLambdaFunction",
        ("POST", "/slack/interactive"): "InteractiveLambdaFunction",
        ("GET", "/slack/install"): "OauthLambdaFunction",
        ("GET", "/slack/oauth_redirect"): "OauthLambdaFunction",
        ("PUT", "/blazingtext"): "ClassifyLambdaFunction",
        ("OPTIONS", "/blazingtext"): "ClassifyLambdaFunction",
        ("POST", "/explain"): "ClassifyLambdaFunction",
        ("OPTIONS", "/explain"): "ClassifyLambdaFunction",
        ("GET", "/labels"): "ClassifyLambdaFunction",
        ("GET", "/health"): "ClassifyLambdaFunction",
        ("GET", "/openapi.json"): "ClassifyLambdaFunction",
    }


def test_all_that_the_api_documents_is_deployed(template):
    deployed = {route for route, function in _routes(template).items() if function.startswith("Classify")}
    documented = {(method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item}

    assert {(method, path) for method, path in deployed if method != "OPTIONS"} == documented


def test_the_sandbox_serves_the_routes_that_are_deployed(template):
    handlers = {name: function["Handler"] for name, function in template.of_type("AWS::Lambda::Function").items()}
    deployed = {(*route, handlers[function]) for route, function in _routes(template).items()}

    sandbox = read_functions(ROOT / "serverless.yml")
    assert {(each.method, each.path, sandbox.handlers[each.function]) for each in sandbox.routes} == deployed


def test_the_archives_are_built_for_the_python_and_the_processor_of_the_functions(template):
    for function in template.of_type("AWS::Lambda::Function").values():
        assert function["Runtime"] == f"python{PYTHON_VERSION}"
        assert set(function["Architectures"]) <= PLATFORMS.keys()


def test_the_function_behind_buttons_starts_from_a_snapshot_and_is_only_reached_so(template):
    starting = template.resources["InteractiveLambdaFunction"]["Properties"]["SnapStart"]
    (alias,) = template.of_type("AWS::Lambda::Alias").values()

    assert starting == {"ApplyOn": "PublishedVersions"}
    assert alias["FunctionName"] == {"Ref": "InteractiveLambdaFunction"}
    route = template.resources["ApiGatewayMethodSlackInteractivePost"]["Properties"]
    assert alias["Name"] in route["Integration"]["Uri"]["Fn::Join"][1]


def test_each_function_keeps_its_logs_for_a_stated_time(template):
    groups = {group["LogGroupName"]: group for group in template.of_type("AWS::Logs::LogGroup").values()}

    for function in template.of_type("AWS::Lambda::Function").values():
        assert groups[f"/aws/lambda/{function['FunctionName']}"]["RetentionInDays"] <= 90


def test_no_secret_is_in_the_template(template):
    assert not list(_find(template.resources, "SLACK_BOT_TOKEN"))
    assert not list(_find(template.resources, "SLACK_SIGNING_SECRET"))
    assert not list(_find(template.resources, "SecretString"))


def test_the_stack_says_which_workspaces_its_functions_let_in(template):
    functions = template.of_type("AWS::Lambda::Function").values()
    told = {each["Environment"]["Variables"].get("SLACK_WORKSPACES") for each in functions} - {None}

    assert told == {template.outputs["Workspaces"]["Value"]}


# --- Messages are not lost -----------------------------------------------------------------------------------------


def test_each_queue_sets_failures_aside_in_a_queue_that_keeps_them_longer(template):
    queues = template.of_type("AWS::SQS::Queue")
    dead_letter = {name: _target(queue["RedrivePolicy"]) for name, queue in queues.items() if "RedrivePolicy" in queue}

    assert dead_letter
    assert dead_letter.keys() | set(dead_letter.values()) == queues.keys()
    for name, dead_letters in dead_letter.items():
        assert queues[dead_letters]["MessageRetentionPeriod"] > queues[name]["MessageRetentionPeriod"]


def test_a_queue_does_not_hand_a_message_out_again_while_it_is_being_handled(template):
    for source in template.of_type("AWS::Lambda::EventSourceMapping").values():
        queue = template.resources[source["EventSourceArn"]["Fn::GetAtt"][0]]["Properties"]
        function = template.resources[source["FunctionName"]["Fn::GetAtt"][0]]["Properties"]

        assert queue["VisibilityTimeout"] >= 6 * function["Timeout"]


def test_one_failed_message_does_not_bring_back_its_batch(template):
    sources = template.of_type("AWS::Lambda::EventSourceMapping").values()

    assert {each["EventSourceArn"]["Fn::GetAtt"][0] for each in sources} == {
        "TriageQueue",
        "EffectsQueue",
        "SwitchesQueue",
    }
    for source in sources:
        assert source["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
        assert source["ScalingConfig"]["MaximumConcurrency"] >= 2


def test_the_worker_sets_aside_what_it_can_name_before_sqs_does_so_without_a_reason(template):
    for queue in template.of_type("AWS::SQS::Queue").values():
        if "RedrivePolicy" in queue:
            assert queue["RedrivePolicy"]["maxReceiveCount"] == MOST_TRIES + 1


def test_what_the_sandbox_creates_is_what_is_deployed(template):
    in_files = read_resources("tables.yml") | read_resources("queues.yml")
    deployed = {
        name: resource
        for name, resource in template.resources.items()
        if resource["Type"] in ("AWS::DynamoDB::Table", "AWS::SQS::Queue")
    }

    assert in_files == deployed


def test_only_the_ledger_is_copied_every_second_and_every_table_forgets_by_itself(template):
    tables = template.of_type("AWS::DynamoDB::Table")
    copied = {name for name, each in tables.items() if "PointInTimeRecoverySpecification" in each}

    assert copied == {"LedgerTable"}
    for table in tables.values():
        assert table["BillingMode"] == "PAY_PER_REQUEST"
        assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_the_ledger_outlives_the_stack_and_can_be_put_back_to_any_second(template):
    ledger = template.resources["LedgerTable"]

    assert ledger["DeletionPolicy"] == "Retain"
    assert ledger["Properties"]["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}


# --- Access --------------------------------------------------------------------------------------------------------


def test_everything_stored_is_encrypted(template):
    assert all(each["SSESpecification"]["SSEEnabled"] for each in template.of_type("AWS::DynamoDB::Table").values())
    assert all(each["SqsManagedSseEnabled"] for each in template.of_type("AWS::SQS::Queue").values())
    assert all("BucketEncryption" in each for each in template.of_type("AWS::S3::Bucket").values())


def test_no_bucket_can_be_made_public(template):
    for bucket in template.of_type("AWS::S3::Bucket").values():
        assert bucket["PublicAccessBlockConfiguration"] == {
            "BlockPublicAcls": True,
            "BlockPublicPolicy": True,
            "IgnorePublicAcls": True,
            "RestrictPublicBuckets": True,
        }


def test_no_bucket_of_ours_is_spoken_to_without_encryption(template):
    buckets = template.of_type("AWS::S3::Bucket").keys()
    policies = template.of_type("AWS::S3::BucketPolicy").values()
    refusing = {
        policy["Bucket"]["Ref"]
        for policy in policies
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and "SecureTransport" in str(statement["Condition"])
    }

    assert refusing == buckets


def test_raw_data_is_archived_and_what_jobs_leave_expires(template):
    (rules,) = [template.resources["DataBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]]
    archived = {
        rule["Prefix"]: [each["StorageClass"] for each in rule["Transitions"]]
        for rule in rules
        if "Transitions" in rule
    }
    expiring = {rule["Prefix"]: rule["ExpirationInDays"] for rule in rules if "ExpirationInDays" in rule}

    assert archived == {"raw/": ["GLACIER_IR", "DEEP_ARCHIVE"]}
    assert expiring == dict.fromkeys(("training/jobs/", "training/processing/", "training/transform/", "capture/"), 30)


def test_what_is_kept_when_the_stack_goes_cannot_be_made_again(template):
    kept = {name for name, each in template.resources.items() if each.get("DeletionPolicy") == "Retain"}

    assert kept >= {"LedgerTable", "DataBucket", "ModelBucket"}


def test_sagemaker_writes_where_jobs_write_and_never_a_model_in_use(template):
    (policy,) = template.resources["SageMakerRole"]["Properties"]["Policies"]
    written = [
        each["Resource"] for each in policy["PolicyDocument"]["Statement"] if "s3:PutObject" in _as_list(each["Action"])
    ]

    assert written == [[{"Fn::Sub": "${DataBucket.Arn}/training/*"}, {"Fn::Sub": "${DataBucket.Arn}/capture/*"}]]


def test_only_our_own_distribution_reads_the_site(template):
    allowed = [
        statement
        for policy in template.of_type("AWS::S3::BucketPolicy").values()
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]

    (site,) = allowed
    assert site["Principal"] == {"Service": "cloudfront.amazonaws.com"}
    assert site["Action"] == "s3:GetObject"
    assert "${SiteDistribution}" in site["Condition"]["StringEquals"]["AWS:SourceArn"]["Fn::Sub"]


def test_functions_are_reached_through_our_api_our_queues_and_our_clock_only(template):
    assert not template.of_type("AWS::Lambda::Url")
    clocks = template.of_type("AWS::Events::Rule")
    for permission in template.of_type("AWS::Lambda::Permission").values():
        if permission["Principal"] == "events.amazonaws.com":
            assert permission["SourceArn"]["Fn::GetAtt"][0] in clocks
        else:
            assert permission["Principal"] == "apigateway.amazonaws.com"
            assert list(_find(permission["SourceArn"], "ApiGatewayRestApi"))


def test_each_function_has_a_role_of_its_own_that_only_lambda_takes_on(template):
    functions = template.of_type("AWS::Lambda::Function")
    roles = [function["Role"]["Fn::GetAtt"][0] for function in functions.values()]

    assert len(set(roles)) == len(functions)
    for role in roles:
        (trust,) = template.resources[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}


def test_each_permission_names_its_actions_and_its_resources(template):
    for role, statement in _allowed(template):
        actions = _as_list(statement["Action"])
        resources = _as_list(statement["Resource"])

        assert not [action for action in actions if "*" in action], role
        if not set(actions) <= RESOURCE_NOT_OURS.keys():
            assert not [text for text in _texts(resources) if "*" in text.removesuffix("/*")], role


def test_no_permission_comes_from_outside_the_roles_that_are_read_here(template):
    assert not template.of_type("AWS::IAM::Policy") | template.of_type("AWS::IAM::ManagedPolicy")
    of_aws = {
        name: [arn["Fn::Sub"].partition(":policy/")[2] for arn in role["ManagedPolicyArns"]]
        for name, role in template.of_type("AWS::IAM::Role").items()
        if "ManagedPolicyArns" in role
    }

    assert of_aws == POLICIES_OF_AWS


# --- CloudFormation will take it -----------------------------------------------------------------------------------


def test_cfn_lint_finds_nothing(template):
    # W3005 is about a DependsOn that the Serverless Framework adds.
    command = [Path(sys.executable).with_name("cfn-lint"), "--ignore-checks", "W3005", "--", template.path, BILLING]
    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout


def _routes(template) -> dict[tuple[str, str], str]:
    methods = template.of_type("AWS::ApiGateway::Method").values()
    return {(each["HttpMethod"], _path(template, each["ResourceId"])): _function(each) for each in methods}


def _path(template, resource: dict[str, Any]) -> str:
    if "Ref" not in resource:
        return ""
    part = template.resources[resource["Ref"]]["Properties"]
    return f"{_path(template, part['ParentId'])}/{part['PathPart']}"


def _function(method: dict[str, Any]) -> str:
    (name,) = (each["Fn::GetAtt"][0] for each in method["Integration"]["Uri"]["Fn::Join"][1] if "Fn::GetAtt" in each)
    return name


def _target(redrive: dict[str, Any]) -> str:
    return redrive["deadLetterTargetArn"]["Fn::GetAtt"][0]


def _allowed(template) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, role in template.of_type("AWS::IAM::Role").items():
        for policy in role.get("Policies", []):
            for statement in policy["PolicyDocument"]["Statement"]:
                assert statement["Effect"] == "Allow"
                yield name, statement


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _texts(value: Any) -> Iterator[str]:
    """Yield every string in a JSON document, keys included."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts([key, inner])
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


def _find(document: Any, text: str) -> Iterator[str]:
    return (each for each in _texts(document) if each == text)
