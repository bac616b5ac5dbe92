"""Auto scaling of an endpoint: how many instances, by what measure, and what it is not possible for. Pure.

Target tracking on SageMakerVariantInvocationsPerInstance: the mean of invocations a minute for each instance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from classifier_infra.endpoint.checks import can_scale, cheapest_instance
from classifier_infra.endpoint.requests import VARIANT, Hosted, Request, Serverless
from classifier_infra.pricing.prices import Prices

METRIC = "SageMakerVariantInvocationsPerInstance"


class ScalingError(ValueError):
    """An endpoint cannot be scaled so; the message says why, and what can be done."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """From `least` to `most` instances, each with so many invocations a minute; seconds to wait after a change."""

    least: int
    most: int
    invocations: float
    in_cooldown: int = 300
    out_cooldown: int = 60


@dataclass(frozen=True, slots=True)
class CurrentScaling:
    """What Application Auto Scaling knows of an endpoint; `scaling` where it is a target tracking as ours."""

    is_target: bool = False
    policies: tuple[str, ...] = ()
    scaling: Scaling | None = None


def scalable(endpoint: str) -> Request:
    """Name what is scaled, as every call of Application Auto Scaling wants it named."""
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/{VARIANT}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }


def target_request(endpoint: str, scaling: Scaling) -> Request:
    """Give the arguments of RegisterScalableTarget."""
    return scalable(endpoint) | {"MinCapacity": scaling.least, "MaxCapacity": scaling.most}


def policy_request(endpoint: str, scaling: Scaling) -> Request:
    """Give the arguments of PutScalingPolicy."""
    tracking = {
        "TargetValue": scaling.invocations,
        "PredefinedMetricSpecification": {"PredefinedMetricType": METRIC},
        "ScaleInCooldown": scaling.in_cooldown,
        "ScaleOutCooldown": scaling.out_cooldown,
    }
    return scalable(endpoint) | {
        "PolicyName": f"{endpoint}-invocations",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": tracking,
    }


def read_in_force(targets: Sequence[Mapping[str, Any]], policies: Sequence[Mapping[str, Any]]) -> CurrentScaling:
    """Read what the service describes of one endpoint."""
    names = tuple(policy["PolicyName"] for policy in policies)
    return CurrentScaling(bool(targets), names, _read(next(iter(targets), None), next(iter(policies), None)))


def _read(target: Mapping[str, Any] | None, policy: Mapping[str, Any] | None) -> Scaling | None:
    tracking = (policy or {}).get("TargetTrackingScalingPolicyConfiguration")
    if target is None or not tracking:
        return None
    return Scaling(
        least=target["MinCapacity"],
        most=target["MaxCapacity"],
        invocations=tracking["TargetValue"],
        in_cooldown=tracking.get("ScaleInCooldown", 300),
        out_cooldown=tracking.get("ScaleOutCooldown", 300),
    )


def check_scaling(scaling: Scaling, hosted: Hosted, prices: Prices, model_bytes: int) -> None:
    """Raises ScalingError where AWS would refuse it, or take it and do nothing."""
    if not 1 <= scaling.least <= scaling.most:
        raise ScalingError(f"{scaling.least} to {scaling.most} instances is no range; --min is at least 1")
    if scaling.invocations <= 0 or min(scaling.in_cooldown, scaling.out_cooldown) < 0:
        raise ScalingError("invocations are over 0, and cool-downs are 0 seconds or more")
    if hosted.deployment is None:
        raise ScalingError("the endpoint was not made by deploy: what it runs on is not known")
    shape = hosted.deployment.shape
    if isinstance(shape, Serverless):
        raise ScalingError("a serverless endpoint scales by itself, up to its --concurrency; there is nothing to set")
    if not can_scale(shape.instance):
        instead = cheapest_instance(prices, model_bytes) or "none in the price table"
        raise ScalingError(
            f"{shape.instance} cannot be scaled: auto scaling does not take burstable instances, whose speed depends "
            f"on credits left over. The cheapest that scales and has room for this model is {instead}: delete the "
            f"endpoint and deploy with --instance {instead}"
        )
