"""`python -m classifier_infra doctor`: check an installation, and show how to fix what is wrong with it."""

import argparse
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from classifier_infra.cli.options import Commands, add_command, reported
from classifier_infra.cli.status import find_problem
from classifier_infra.endpoint.aws import (
    Clients,
    CloudError,
    aws_errors,
    caller_arn,
    connect,
    describe_endpoint,
    describe_role,
    none_if_missing,
)
from classifier_infra.endpoint.checks import (
    APP_CREDENTIALS,
    INSTALL_PAGE,
    ONE_WORKSPACE,
    Finding,
    describe,
    installs_by_page,
    judge_queue,
    judge_quota,
    judge_region,
    judge_role,
    judge_secret,
    judge_stack,
    judge_table,
    judge_token,
)
from classifier_infra.endpoint.console import Console
from classifier_infra.endpoint.executor import UNHEALTHY
from classifier_infra.endpoint.state import active_version, find_model
from classifier_infra.errors import CommandError
from classifier_infra.inference.model_store import NotStored, StoreError, open_store
from classifier_infra.model.artefact import ArtefactError

if TYPE_CHECKING:
    from types_boto3_cloudformation import CloudFormationClient
    from types_boto3_dynamodb import DynamoDBClient
    from types_boto3_secretsmanager import SecretsManagerClient
    from types_boto3_service_quotas import ServiceQuotasClient
    from types_boto3_sqs import SQSClient

_EXAMPLES = """
examples:
  python -m classifier_infra doctor --stage dev
  python -m classifier_infra doctor --stage prod --store s3://my-models/models --embedded

Checks the account, region, stack, tables, queues, model store, endpoint, its role, quotas, Slack's token and scopes,
and what the page needs where workspaces install the bot themselves. Changes nothing. What the caller may not read is
"unknown". Secrets are never printed.

exit codes: 0 nothing is wrong; 1 AWS is unavailable; 2 the command is invalid; 3 something is wrong
"""
_SERVICE = "blazing-triage"


def add_doctor(commands: Commands) -> None:
    """Add the command; the parsed options have `run`, a function of the options."""
    command = add_command(
        commands,
        "doctor",
        "check an installation, and show how to fix it",
        "Check everything that an installation needs; show what is wrong, and the command that fixes it.",
        _EXAMPLES,
    )
    command.add_argument("--stage", default="dev", help="as in serverless deploy --stage (default: %(default)s)")
    command.add_argument("--store", metavar="S3_URL", help="the model store (default: the bucket of the stack)")
    command.add_argument("--embedded", action="store_true", help="check no endpoint: the functions need none")
    command.add_argument("--slack-url", default="https://slack.com/api/", metavar="URL", help=argparse.SUPPRESS)
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    """Check the installation; raise CommandError if something is wrong."""
    with reported("Nothing can be checked"):
        doctor = _connect(options)
    console = Console(asks=False)
    findings = list(doctor.examine())
    for line in describe(findings):
        console.say(line)
    if any(finding.state == "wrong" for finding in findings):
        raise CommandError("Fix what is wrong from the top: some of it may follow from the rest.", UNHEALTHY)


def _connect(options: argparse.Namespace) -> "Doctor":
    import boto3  # late, as in connect()

    return Doctor(
        options,
        clients=connect(),
        cloudformation=boto3.client("cloudformation"),
        dynamodb=boto3.client("dynamodb"),
        sqs=boto3.client("sqs"),
        secrets=boto3.client("secretsmanager"),
        quotas=boto3.client("service-quotas"),
    )


@dataclass(frozen=True, slots=True)
class Doctor:
    """Checks the installation that the options name, with boto3's clients; `outputs` are those of its stack."""

    options: argparse.Namespace
    clients: Clients
    cloudformation: "CloudFormationClient"
    dynamodb: "DynamoDBClient"
    sqs: "SQSClient"
    secrets: "SecretsManagerClient"
    quotas: "ServiceQuotasClient"
    outputs: dict[str, str] = field(default_factory=dict)

    def examine(self) -> Iterator[Finding]:
        """Check everything; a part that cannot be checked does not prevent the others."""
        yield from self._account()
        yield judge_region(self.clients.region)
        checks: dict[str, Callable[[], Iterator[Finding]]] = {
            "stack": self._stack,
            "models": self._models,
            "endpoint": self._endpoint,
            "slack": self._slack,
            "page": self._page,
        }
        for subject, check in checks.items():
            try:
                yield from check()
            except (CloudError, StoreError) as error:
                yield Finding(subject, "unknown", str(error))

    @property
    def _name(self) -> str:
        """The name that serverless.yml gives to the stack and to the endpoint."""
        return f"{_SERVICE}-{self.options.stage}"

    @property
    def _store(self) -> str | None:
        bucket = self.outputs.get("ModelBucketName")
        return self.options.store or (f"s3://{bucket}/models" if bucket else None)

    def _account(self) -> Iterator[Finding]:
        try:
            arn = caller_arn(self.clients)
            yield Finding("account", "ok", f"{arn.split(':')[4]}, as {arn}")
        except CloudError as error:
            yield Finding("account", "wrong", str(error), "aws configure sso, or set AWS_PROFILE")

    def _stack(self) -> Iterator[Finding]:
        name = self._name
        with aws_errors(f"The stack {name} cannot be described"):
            stack = self._find_stack(name)
            yield judge_stack(name, stack)
            if stack is None:
                return
            self.outputs.update({each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])})
            pages = self.cloudformation.get_paginator("list_stack_resources").paginate(StackName=name)
            for resource in (each for page in pages for each in page["StackResourceSummaries"]):
                yield from self._resource(resource)

    def _find_stack(self, name: str) -> Mapping[str, Any] | None:
        try:
            return self.cloudformation.describe_stacks(StackName=name)["Stacks"][0]
        except ClientError as error:
            if "does not exist" in error.response["Error"].get("Message", ""):
                return None
            raise

    def _resource(self, resource: Mapping[str, Any]) -> Iterator[Finding]:
        kind, logical, physical = (
            resource["ResourceType"], resource["LogicalResourceId"], resource.get("PhysicalResourceId", ""),
        )  # fmt: skip
        if kind == "AWS::DynamoDB::Table":
            yield judge_table(logical, self.dynamodb.describe_table(TableName=physical)["Table"])
        elif kind == "AWS::SQS::Queue":
            wanted: Any = ["ApproximateNumberOfMessages"]
            answer: Any = self.sqs.get_queue_attributes(QueueUrl=physical, AttributeNames=wanted)
            yield judge_queue(logical, answer["Attributes"])

    def _models(self) -> Iterator[Finding]:
        place = self._store
        if place is None:
            yield Finding("models", "unknown", "the stack names no ModelBucketName; name the model store with --store")
            return
        store = open_store(place)
        version = active_version(store)
        if version is None:
            yield Finding("models", "ok", f"{place} has no active.json: the functions' own model serves")
            return
        try:
            find_model(store, version)
            yield Finding("models", "ok", f"active.json names {version}, and the store has it")
        except (NotStored, ArtefactError) as error:
            fix = "python -m classifier_infra rollback --to a version that the store has"
            yield Finding("models", "wrong", f"active.json names {version}: {error}", fix)

    def _endpoint(self) -> Iterator[Finding]:
        if self.options.embedded:
            return
        name, clients = self._name, self.clients
        place = self._store
        hosted = describe_endpoint(clients, name)
        problem = find_problem(name, hosted, active_version(open_store(place)) if place else None)
        if problem:
            fix = "python -m classifier_infra " + ("deploy" if hosted is None else "status, then promote or rollback")
            yield Finding("endpoint", "wrong", problem, fix)
        else:
            yield Finding("endpoint", "ok", f"{name} is in service")
        if hosted and hosted.deployment:
            yield judge_role(hosted.deployment.role, describe_role(clients, hosted.deployment.role))
            yield judge_quota(hosted, self._quotas())

    def _quotas(self) -> dict[str, tuple[str, float]]:
        with aws_errors("The quotas cannot be listed"):
            pages = self.quotas.get_paginator("list_service_quotas").paginate(ServiceCode="sagemaker")
            quotas = [quota for page in pages for quota in page["Quotas"]]
        return {quota["QuotaName"]: (quota["QuotaCode"], quota["Value"]) for quota in quotas}

    def _slack(self) -> Iterator[Finding]:
        name, by_page = f"{_SERVICE}/{self.options.stage}/slack", installs_by_page(self.outputs)
        document = self._read_secret(name)
        problems = list(judge_secret("slack", name, document, INSTALL_PAGE if by_page else ONE_WORKSPACE))
        yield from problems
        if problems or not isinstance(document, dict):
            return
        if by_page and not document.get("bot_token"):
            yield Finding("slack", "ok", "the signing secret is set; workspaces install the bot through its page")
            return
        fix = "install the app again, and store its new token in the secret"
        if by_page:
            fix += "; or remove bot_token from it, if its workspace removed the bot or installed it through the page"
        yield _token(str(document["bot_token"]), self.options.slack_url, fix)

    def _page(self) -> Iterator[Finding]:
        if not installs_by_page(self.outputs):
            return
        name = f"{_SERVICE}/{self.options.stage}/slack-oauth"
        problems = list(judge_secret("page", name, self._read_secret(name), APP_CREDENTIALS))
        yield from problems or [Finding("page", "ok", f"{self.outputs['Workspaces']} may install the bot")]

    def _read_secret(self, name: str) -> object:
        with aws_errors(f"The secret {name} cannot be read"):
            found = none_if_missing(lambda: self.secrets.get_secret_value(SecretId=name))
        return _parse(found["SecretString"]) if found else None


def _parse(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _token(token: str, url: str, fix: str) -> Finding:
    from slack_sdk.errors import SlackApiError
    from slack_sdk.web import WebClient

    try:
        answer = WebClient(token, base_url=url, timeout=10).auth_test()
    except SlackApiError as error:
        return Finding("slack", "wrong", f"Slack refuses the token: {error.response['error']}", fix)
    except OSError as error:
        return Finding("slack", "unknown", f"Slack cannot be reached: {type(error).__name__}")
    granted = answer.headers.get("x-oauth-scopes", answer.headers.get("X-OAuth-Scopes", ""))
    return judge_token(answer["team"], [scope.strip() for scope in granted.split(",")])
