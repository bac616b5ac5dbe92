"""Check a deployment before anything is created, and judge an installation's state. Pure, without AWS calls."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from classifier_infra.endpoint.requests import (
    Deployment,
    Hosted,
    NotOffered,
    RealTime,
    Serverless,
    Shape,
    blazingtext_image,
)
from classifier_infra.pricing.estimate import MAX_SERVERLESS_CONCURRENCY
from classifier_infra.pricing.prices import Prices

# Memory of the container, Python and the server without a model: our own generous estimate.
_CONTAINER_BYTES = 700_000_000
_GIB = 2**30
_SERVERLESS_MEMORY = range(1024, 6145, 1024)
# Disk of a serverless container, which holds the archive and the unpacked model.
_SERVERLESS_DISK_BYTES = 5_000_000_000


def find_problems(deployment: Deployment, prices: Prices) -> Iterator[str]:
    """Yield what prevents a deployment from working, and what to do about it."""
    shape = deployment.shape
    if isinstance(shape, Serverless):
        yield from _serverless_problems(shape, deployment)
    else:
        yield from _real_time_problems(shape, deployment.model.model_bytes, prices)
    if not deployment.model.url.startswith("s3://"):
        yield f"SageMaker takes models from S3 alone, not from {deployment.model.url}; use --store s3://bucket/prefix"


def _real_time_problems(shape: RealTime, model_bytes: int, prices: Prices) -> Iterator[str]:
    if shape.count < 1:
        yield f"{shape.count} instances serve nothing; use --instances 1 or more"
    known = prices.instances.get(shape.instance)
    if known is None or known.memory_gib * _GIB >= memory_needed(model_bytes, known.vcpus):
        return
    fitting = cheapest_instance(prices, model_bytes)
    advice = f"the cheapest that does is {fitting}" if fitting else "none in the price table does"
    yield (
        f"{shape.instance} has {known.memory_gib:g} GiB of memory, and a model of {model_bytes / 1e6:,.0f} MB may need "
        f"{memory_needed(model_bytes, known.vcpus) / _GIB:.1f} GiB (a copy for each processor); {advice}"
    )


def _serverless_problems(shape: Serverless, deployment: Deployment) -> Iterator[str]:
    model_bytes = deployment.model.model_bytes
    if shape.memory not in _SERVERLESS_MEMORY:
        yield f"a serverless endpoint has {', '.join(map(str, _SERVERLESS_MEMORY))} MB of memory, not {shape.memory}"
    elif shape.memory * 2**20 < memory_needed(model_bytes, workers=1):
        needed = memory_needed(model_bytes, workers=1) / 2**20
        fitting = next((size for size in _SERVERLESS_MEMORY if size >= needed), None)
        advice = f"use --memory {fitting}" if fitting else "use --instance"
        yield f"{shape.memory} MB of memory are too little for a model of {model_bytes / 1e6:,.0f} MB; {advice}"
    if not 1 <= shape.concurrency <= MAX_SERVERLESS_CONCURRENCY:
        yield f"a serverless endpoint takes 1 to {MAX_SERVERLESS_CONCURRENCY} calls at a time, not {shape.concurrency}"
    if model_bytes > _SERVERLESS_DISK_BYTES:
        yield "the model is larger than the 5 GB of disk that a serverless endpoint has; use --instance"
    if deployment.capture:
        yield "a serverless endpoint captures no data; leave --capture out, or use --instance"


def memory_needed(model_bytes: int, workers: int) -> int:
    """Return the bytes of memory that a container may need, with a copy of the model in each of its workers."""
    return _CONTAINER_BYTES + model_bytes * workers


def cheapest_instance(prices: Prices, model_bytes: int) -> str | None:
    """Return the cheapest instance type that has room for a model and can be scaled, None if there is none."""
    fitting = [
        (price.hour, name)
        for name, price in prices.instances.items()
        if can_scale(name) and price.memory_gib * _GIB >= memory_needed(model_bytes, price.vcpus)
    ]
    return min(fitting)[1] if fitting else None


def can_scale(instance: str) -> bool:
    """Report whether Application Auto Scaling accepts an instance type; it rejects burstable ones."""
    return not instance.startswith("ml.t2.")


def find_role_problem(role: Mapping[str, Any]) -> str | None:
    """Return what is wrong with a role that IAM describes, None if SageMaker may assume it."""
    statements = role["AssumeRolePolicyDocument"].get("Statement", [])
    statements = statements if isinstance(statements, list) else [statements]
    if any(_admits_sagemaker(statement) for statement in statements):
        return None
    return (
        f"SageMaker may not assume the role {role['Arn']}; add sagemaker.amazonaws.com to the services in "
        "its trust policy"
    )


def _admits_sagemaker(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal")
    services = principal.get("Service", []) if isinstance(principal, Mapping) else []
    services = [services] if isinstance(services, str) else services
    return statement.get("Effect") == "Allow" and "sagemaker.amazonaws.com" in services


def describe_shape(shape: Shape) -> str:
    if isinstance(shape, Serverless):
        return f"serverless, {shape.memory} MB of memory, {shape.concurrency} calls at a time"
    return f"{shape.count} × {shape.instance}"


State = Literal["ok", "wrong", "unknown"]

# The scopes that the bot's calls need; the app's manifest requests the same.
SLACK_SCOPES = frozenset(
    {
        "commands", "chat:write", "chat:write.public", "channels:history", "channels:join", "channels:read",
        "files:read", "groups:history", "groups:read", "reactions:read", "reactions:write", "usergroups:read",
        "users:read",
    }
)  # fmt: skip

# The keys that the secrets must have, with examples. Where workspaces install the bot through its page, each has its
# own token, and a second secret has the app's credentials.
ONE_WORKSPACE: Mapping[str, str] = {"signing_secret": "…", "bot_token": "xoxb-…"}
INSTALL_PAGE: Mapping[str, str] = {"signing_secret": "…"}
APP_CREDENTIALS: Mapping[str, str] = {"client_id": "…", "client_secret": "…"}


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of a check; `fix` is the command or action that corrects it."""

    subject: str
    state: State
    message: str
    fix: str = ""


def judge_region(region: str) -> Finding:
    try:
        return Finding("region", "ok", f"{region}; BlazingText is at {blazingtext_image(region)}")
    except NotOffered as error:
        return Finding("region", "wrong", str(error), "export AWS_REGION=us-east-1, or use CLASSIFIER=embedded")


def judge_role(arn: str, role: Mapping[str, Any] | None) -> Finding:
    if role is None:
        fix = "deploy the stack, and the endpoint again with its SageMakerRoleArn"
        return Finding("role", "wrong", f"there is no role {arn}", fix)
    if problem := find_role_problem(role):
        fix = f"aws iam update-assume-role-policy --role-name {arn.rpartition('/')[2]} --policy-document file://trust.json"
        return Finding("role", "wrong", problem, fix)
    return Finding("role", "ok", f"SageMaker may assume {arn}")


def judge_quota(hosted: Hosted, quotas: Mapping[str, tuple[str, float]]) -> Finding:
    """Judge the quota of the endpoint's instance type, which a promotion needs twice: it runs two fleets at a time.

    `quotas` are SageMaker's, by name: code and value.
    """
    shape = hosted.deployment.shape if hosted.deployment else None
    if not isinstance(shape, RealTime):
        return Finding("quotas", "ok", "the endpoint has no instances")
    name = f"{shape.instance} for endpoint usage"
    needed = 2 * (hosted.count or shape.count)
    if name not in quotas:
        return Finding("quotas", "unknown", f"Service Quotas knows no {name!r}")
    code, value = quotas[name]
    if value >= needed:
        return Finding("quotas", "ok", f"{name}: {value:g}, and a promotion takes {needed}")
    fix = (
        "aws service-quotas request-service-quota-increase --service-code sagemaker "
        f"--quota-code {code} --desired-value {needed}"
    )
    return Finding("quotas", "wrong", f"{name}: {value:g}, and a promotion takes {needed}: two fleets at a time", fix)


def judge_table(name: str, description: Mapping[str, Any]) -> Finding:
    status = description["TableStatus"]
    fix = "" if status == "ACTIVE" else "wait; if the status remains, deploy the stack again"
    return Finding("table", "ok" if status == "ACTIVE" else "wrong", f"{name} is {status}", fix)


def judge_queue(logical_id: str, attributes: Mapping[str, str]) -> Finding:
    waiting = int(attributes["ApproximateNumberOfMessages"])
    if "DeadLetter" in logical_id and waiting:
        fix = "python -m bot inspect, then python -m bot redrive --all"
        return Finding("queue", "wrong", f"{logical_id}: {waiting} dead letters", fix)
    return Finding("queue", "ok", f"{logical_id}: {waiting} messages")


def judge_stack(name: str, stack: Mapping[str, Any] | None) -> Finding:
    stage = name.rpartition("-")[2]
    if stack is None:
        return Finding("stack", "wrong", f"there is no stack {name}", f"npx serverless deploy --stage {stage}")
    status = stack["StackStatus"]
    if status.endswith("_COMPLETE") and "ROLLBACK" not in status:
        return Finding("stack", "ok", f"{name} is {status}")
    fix = f"aws cloudformation describe-stack-events --stack-name {name}, then npx serverless deploy --stage {stage}"
    return Finding("stack", "wrong", f"{name} is {status}", fix)


def installs_by_page(outputs: Mapping[str, str]) -> bool:
    """Report whether the stack's outputs say that workspaces install the bot themselves; older stacks lack this."""
    return outputs.get("Workspaces", "none") != "none"


def judge_secret(subject: str, name: str, document: object, wanted: Mapping[str, str]) -> Iterator[Finding]:
    """Yield what a secret lacks of the `wanted` keys, which have examples. Its values are never shown."""
    fix = f"aws secretsmanager put-secret-value --secret-id {name} --secret-string '{_as_json(wanted)}'"
    if not isinstance(document, dict):
        yield Finding(subject, "wrong", f"the secret {name} is empty or not a JSON object", fix)
        return
    for key in wanted:
        if not (isinstance(document.get(key), str) and document[key]):
            yield Finding(subject, "wrong", f"the secret {name} has no {key}", fix)


def _as_json(examples: Mapping[str, str]) -> str:
    return json.dumps(dict(examples), ensure_ascii=False)


def judge_token(team: str, granted: Collection[str]) -> Finding:
    missing = sorted(SLACK_SCOPES.difference(granted))
    if not missing:
        return Finding("slack", "ok", f"the token belongs to {team} and has all scopes")
    fix = "add them under OAuth & Permissions at api.slack.com/apps, install the app again, and store the new token"
    return Finding("slack", "wrong", f"the token of {team} lacks {', '.join(missing)}", fix)


def describe(findings: Collection[Finding]) -> Iterator[str]:
    """Describe findings, a line each, with the fix below."""
    for finding in findings:
        state = "WRONG" if finding.state == "wrong" else finding.state
        yield f"{state:<8} {finding.subject:<9} {finding.message}"
        if finding.fix:
            yield f"{'':<18} fix: {finding.fix}"
    wrong = sum(finding.state == "wrong" for finding in findings)
    yield f"{wrong} of {len(findings)} are wrong." if wrong else "Nothing that was checked is wrong."
