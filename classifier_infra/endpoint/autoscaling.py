"""Build and read the settings of an endpoint's auto scaling, and check whether they are possible. Pure.

Target tracking on SageMakerVariantInvocationsPerInstance: the mean of invocations per minute and instance.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from classifier_infra.endpoint.checks import can_scale, cheapest_instance
from classifier_infra.endpoint.requests import VARIANT, Hosted, Request, Serverless
from classifier_infra.pricing.prices import Prices

METRIC = "SageMakerVariantInvocationsPerInstance"


class ScalingError(ValueError):
    """The endpoint cannot be scaled in this way; the message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Scaling:
    """The limits of the number of instances, the target of invocations per minute for each, cool-downs in seconds."""

    minimum: int
    maximum: int
    invocations: float
    in_cooldown: int = 300
    out_cooldown: int = 60


@dataclass(frozen=True, slots=True)
class CurrentScaling:
    """An endpoint's state in Application Auto Scaling; `scaling` is None unless it is target tracking."""

    is_target: bool = False
    policies: tuple[str, ...] = ()
    scaling: Scaling | None = None


def scalable(endpoint: str) -> Request:
    """Return the arguments with which every call of Application Auto Scaling names the endpoint."""
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{endpoint}/variant/{VARIANT}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }


def target_request(endpoint: str, scaling: Scaling) -> Request:
    """Return the arguments of RegisterScalableTarget."""
    return scalable(endpoint) | {"MinCapacity": scaling.minimum, "MaxCapacity": scaling.maximum}


def policy_request(endpoint: str, scaling: Scaling) -> Request:
    """Return the arguments of PutScalingPolicy."""
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


def read_scaling(targets: Sequence[Mapping[str, Any]], policies: Sequence[Mapping[str, Any]]) -> CurrentScaling:
    """Read the service's descriptions of one endpoint."""
    names = tuple(policy["PolicyName"] for policy in policies)
    return CurrentScaling(bool(targets), names, _read(next(iter(targets), None), next(iter(policies), None)))


def _read(target: Mapping[str, Any] | None, policy: Mapping[str, Any] | None) -> Scaling | None:
    tracking = (policy or {}).get("TargetTrackingScalingPolicyConfiguration")
    if target is None or not tracking:
        return None
    return Scaling(
        minimum=target["MinCapacity"],
        maximum=target["MaxCapacity"],
        invocations=tracking["TargetValue"],
        in_cooldown=tracking.get("ScaleInCooldown", 300),
        out_cooldown=tracking.get("ScaleOutCooldown", 300),
    )


def check_scaling(scaling: Scaling, hosted: Hosted, prices: Prices, model_bytes: int) -> None:
    """Raise ScalingError where AWS would reject the settings, or accept and ignore them."""
    if not 1 <= scaling.minimum <= scaling.maximum:
        raise ScalingError(f"{scaling.minimum} to {scaling.maximum} instances is not a range; --min is at least 1")
    if scaling.invocations <= 0 or min(scaling.in_cooldown, scaling.out_cooldown) < 0:
        raise ScalingError("invocations must be over 0, and cool-downs at least 0 seconds")
    if hosted.deployment is None:
        raise ScalingError("the endpoint was not made by deploy: its instance type is not known")
    shape = hosted.deployment.shape
    if isinstance(shape, Serverless):
        raise ScalingError("a serverless endpoint scales by itself, up to its --concurrency; there is nothing to set")
    if not can_scale(shape.instance):
        instead = cheapest_instance(prices, model_bytes) or "none in the price table"
        raise ScalingError(
            f"{shape.instance} cannot be scaled: auto scaling does not take burstable instances, whose speed depends "
            f"on CPU credits. The cheapest that scales and has room for this model is {instead}: delete the "
            f"endpoint and deploy with --instance {instead}"
        )
