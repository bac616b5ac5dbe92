"""Connect to AWS and read the state of endpoints, roles, scaling and metrics; nothing here changes anything."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from classifier_infra.endpoint.autoscaling import CurrentScaling, read_scaling, scalable
from classifier_infra.endpoint.history import Event
from classifier_infra.endpoint.requests import (
    ENDPOINT_TAG,
    SERVICE_TAG,
    VARIANT,
    VERSION_TAG,
    Deployment,
    Hosted,
    StoredModel,
    read_capture,
    read_shape,
)

if TYPE_CHECKING:
    from types_boto3_application_autoscaling import ApplicationAutoScalingClient
    from types_boto3_cloudwatch import CloudWatchClient
    from types_boto3_iam import IAMClient
    from types_boto3_sagemaker import SageMakerClient
    from types_boto3_sts import STSClient

T = TypeVar("T")

_ADVICE = {
    "AccessDeniedException": "Grant the caller the permission, or use a role that has it",
    "AccessDenied": "Grant the caller the permission, or use a role that has it",
    "ExpiredTokenException": "Log in again",
    "ExpiredToken": "Log in again",
    "ResourceLimitExceeded": "Request a larger quota in Service Quotas, or use another instance type",
    "UnrecognizedClientException": "Check the credentials",
    "InvalidClientTokenId": "Check the credentials",
}


class CloudError(Exception):
    """A call of AWS failed; the message says which, why, and what may help."""


@dataclass(frozen=True, slots=True)
class Clients:
    """boto3's clients."""

    region: str
    sagemaker: "SageMakerClient"
    cloudwatch: "CloudWatchClient"
    scaling: "ApplicationAutoScalingClient"
    iam: "IAMClient"
    sts: "STSClient"


def connect() -> Clients:
    """Build the clients from the environment's region, credentials and addresses. Raises CloudError."""
    import boto3  # late: the other commands need not wait for the import
    from botocore.config import Config

    config = Config(retries={"total_max_attempts": 5, "mode": "standard"}, connect_timeout=5, read_timeout=30)
    try:
        sagemaker = boto3.client("sagemaker", config=config)
        return Clients(
            region=sagemaker.meta.region_name,
            sagemaker=sagemaker,
            cloudwatch=boto3.client("cloudwatch", config=config),
            scaling=boto3.client("application-autoscaling", config=config),
            iam=boto3.client("iam", config=config),
            sts=boto3.client("sts", config=config),
        )
    except BotoCoreError as error:
        raise CloudError(f"AWS cannot be reached: {error}. Set AWS_REGION and credentials") from error


@contextmanager
def aws_errors(failure: str) -> Iterator[None]:
    """Turn boto3's errors into a CloudError whose message starts with `failure`."""
    try:
        yield
    except ClientError as error:
        code = error.response["Error"].get("Code", "?")
        advice = f". {_ADVICE[code]}" if code in _ADVICE else ""
        raise CloudError(f"{failure}: {code}: {error.response['Error'].get('Message', '')}{advice}") from error
    except BotoCoreError as error:
        raise CloudError(f"{failure}: {error}") from error


def none_if_missing(ask: Callable[[], T]) -> T | None:
    """Return the result of `ask`, None if AWS answers that the resource does not exist."""
    try:
        return ask()
    except ClientError as error:
        details = error.response["Error"]
        is_missing = details.get("Code") in {"ResourceNotFoundException", "NoSuchEntity"} or (
            details.get("Code") == "ValidationException" and "could not find" in details.get("Message", "").lower()
        )
        if is_missing:
            return None
        raise


def caller_arn(clients: Clients) -> str:
    """Return the ARN of the caller. Raises CloudError."""
    with aws_errors("The caller cannot be identified (sts:GetCallerIdentity)"):
        return clients.sts.get_caller_identity()["Arn"]


def describe_endpoint(clients: Clients, name: str) -> Hosted | None:
    """Return the state of an endpoint, None if there is none. Raises CloudError."""
    with aws_errors(f"The endpoint {name} cannot be described"):
        found = none_if_missing(lambda: clients.sagemaker.describe_endpoint(EndpointName=name))
        if found is None:
            return None
        return _hosted(clients, name, found)


def _hosted(clients: Clients, name: str, found: Mapping[str, Any]) -> Hosted:
    variants = found.get("ProductionVariants") or []
    count = variants[0].get("DesiredInstanceCount") if variants else None
    return Hosted(
        status=found["EndpointStatus"],
        config=found["EndpointConfigName"],
        pending=(found.get("PendingDeploymentSummary") or {}).get("EndpointConfigName"),
        count=count or None,
        variant_count=len(variants),
        deployment=_deployment(clients, name, found["EndpointConfigName"]),
        reason=found.get("FailureReason", ""),
    )


def _deployment(clients: Clients, name: str, config_name: str) -> Deployment | None:
    sagemaker = clients.sagemaker
    config = none_if_missing(lambda: sagemaker.describe_endpoint_config(EndpointConfigName=config_name))
    if config is None or len(config["ProductionVariants"]) != 1:
        return None
    variant = config["ProductionVariants"][0]
    model = none_if_missing(lambda: sagemaker.describe_model(ModelName=variant["ModelName"]))
    tags = read_tags(clients, config["EndpointConfigArn"])
    if model is None or VERSION_TAG not in tags:
        return None
    container = model["PrimaryContainer"]
    # Without the manifest's digest and size, which only the store has: names derived from this value would differ.
    stored = StoredModel(tags[VERSION_TAG], container["ModelDataUrl"], sha256="", model_bytes=0)
    own = {key: value for key, value in tags.items() if key not in (SERVICE_TAG, ENDPOINT_TAG, VERSION_TAG)}
    role, shape, capture = model["ExecutionRoleArn"], read_shape(variant), read_capture(config)
    return Deployment(name, stored, container["Image"], role, shape, capture, own)


def read_tags(clients: Clients, arn: str) -> dict[str, str]:
    pages = clients.sagemaker.get_paginator("list_tags").paginate(ResourceArn=arn)
    return {tag["Key"]: tag["Value"] for page in pages for tag in page["Tags"]}


def has_model(clients: Clients, name: str) -> bool:
    """Report whether SageMaker has a model of this name. Raises CloudError."""
    with aws_errors(f"The model {name} cannot be described"):
        return none_if_missing(lambda: clients.sagemaker.describe_model(ModelName=name)) is not None


def has_config(clients: Clients, name: str) -> bool:
    """Report whether SageMaker has an endpoint configuration of this name. Raises CloudError."""
    with aws_errors(f"The endpoint configuration {name} cannot be described"):
        found = none_if_missing(lambda: clients.sagemaker.describe_endpoint_config(EndpointConfigName=name))
        return found is not None


def describe_role(clients: Clients, arn: str) -> Mapping[str, Any] | None:
    """Return IAM's description of a role, None if there is none. Raises CloudError."""
    with aws_errors(f"The role {arn} cannot be described (iam:GetRole)"):
        found = none_if_missing(lambda: clients.iam.get_role(RoleName=arn.rpartition("/")[2]))
        return None if found is None else found["Role"]


def describe_scaling(clients: Clients, endpoint: str) -> CurrentScaling:
    """Return how an endpoint is scaled. Raises CloudError."""
    place = scalable(endpoint)
    namespace, resource = place["ServiceNamespace"], place["ResourceId"]
    with aws_errors("Auto scaling cannot be described"):
        targets = clients.scaling.describe_scalable_targets(ServiceNamespace=namespace, ResourceIds=[resource])
        policies = clients.scaling.describe_scaling_policies(ServiceNamespace=namespace, ResourceId=resource)
    return read_scaling(targets["ScalableTargets"], policies["ScalingPolicies"])


_NAMESPACE = "AWS/SageMaker"
# The longest that a deployment may take.
_WINDOW = timedelta(hours=8)


def measure_traffic(clients: Clients, endpoint: str, event: Event, now: datetime) -> dict[str, float]:
    """Return the recent metrics of the fleet that an event brought: see count_traffic. Raises CloudError."""
    if not event.config:
        return {}
    dimensions = {"EndpointName": endpoint, "VariantName": VARIANT, "EndpointConfigName": event.config}
    return count_traffic(clients, dimensions, now - _WINDOW, now)


def count_traffic(clients: Clients, dimensions: Mapping[str, str], start: datetime, end: datetime) -> dict[str, float]:
    """Return the invocations, shares of errors and mean latency in ms of a period, empty without invocations.

    Raises CloudError.
    """
    invocations = _sum(_points(clients, "Invocations", dimensions, start, end))
    if not invocations:
        return {}
    latency = _points(clients, "ModelLatency", dimensions, start, end)
    samples = sum(point["SampleCount"] for point in latency)
    return {
        "invocations": invocations,
        "errors_4xx": _sum(_points(clients, "Invocation4XXErrors", dimensions, start, end)) / invocations,
        "errors_5xx": _sum(_points(clients, "Invocation5XXErrors", dimensions, start, end)) / invocations,
        "latency_ms": _sum(latency) / samples / 1000 if samples else 0.0,
    }


def _points(
    clients: Clients, metric: str, dimensions: Mapping[str, str], start: datetime, end: datetime
) -> Sequence[Mapping[str, Any]]:
    with aws_errors(f"The metric {metric} cannot be read"):
        return clients.cloudwatch.get_metric_statistics(
            Namespace=_NAMESPACE,
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=start,
            EndTime=end,
            Period=3600,
            Statistics=["Sum", "SampleCount"],
        )["Datapoints"]


def _sum(points: Sequence[Mapping[str, Any]]) -> float:
    return float(sum(point["Sum"] for point in points))
