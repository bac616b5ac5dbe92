"""Whether a deployment can work, judged before anything is made. Pure: what was looked up is handed in."""

from collections.abc import Iterator, Mapping
from typing import Any

from classifier_infra.endpoint.requests import Deployment, RealTime, Serverless, Shape
from classifier_infra.pricing.estimate import MAX_SERVERLESS_CONCURRENCY
from classifier_infra.pricing.prices import Prices

# Of the container itself, Python and the server, before it has loaded a model. Ours, and generous.
_CONTAINER_BYTES = 700_000_000
_GIB = 2**30
_SERVERLESS_MEMORY = range(1024, 6145, 1024)
# Disk of a serverless container; the archive and what is unpacked of it lie there together.
_SERVERLESS_DISK_BYTES = 5_000_000_000


def find_problems(deployment: Deployment, prices: Prices) -> Iterator[str]:
    """Say what keeps a deployment from working, and what to do about it."""
    shape = deployment.shape
    if isinstance(shape, Serverless):
        yield from _serverless_problems(shape, deployment)
    else:
        yield from _real_time_problems(shape, deployment.model.model_bytes, prices)
    if not deployment.model.url.startswith("s3://"):
        yield f"SageMaker takes models from S3 alone, not from {deployment.model.url}; use --store s3://bucket/prefix"


def _real_time_problems(shape: RealTime, model_bytes: int, prices: Prices) -> Iterator[str]:
    if shape.count < 1:
        yield f"{shape.count} instances serve nobody; use --instances 1 or more"
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
    """Give the bytes of memory that a container may need, with a copy of the model in each of its workers."""
    return _CONTAINER_BYTES + model_bytes * workers


def cheapest_instance(prices: Prices, model_bytes: int) -> str | None:
    """Give the cheapest instance that a model fits into and that can be scaled, None where there is none."""
    fitting = [
        (price.hour, name)
        for name, price in prices.instances.items()
        if can_scale(name) and price.memory_gib * _GIB >= memory_needed(model_bytes, price.vcpus)
    ]
    return min(fitting)[1] if fitting else None


def can_scale(instance: str) -> bool:
    """Tell whether Auto Scaling takes an instance type; it does not take burstable ones."""
    return not instance.startswith("ml.t2.")


def find_role_problem(role: Mapping[str, Any]) -> str | None:
    """Judge a role as IAM describes it: SageMaker must be let into it."""
    statements = role["AssumeRolePolicyDocument"].get("Statement", [])
    statements = statements if isinstance(statements, list) else [statements]
    if any(_admits_sagemaker(statement) for statement in statements):
        return None
    return (
        f"SageMaker may not take the role {role['Arn']}; add sagemaker.amazonaws.com to the services that its trust "
        "policy lets assume it"
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
