"""Build the requests of a blue/green deployment: how traffic moves to a new fleet, and which alarms roll it back. Pure.

SageMaker's limits: a canary is at most half of the new fleet; waits are at most an hour each; a deployment takes ten
minutes to eight hours. Alarms watch only the new fleet, through the dimension EndpointConfigName, so that a failing old
fleet does not stop its own replacement.
"""

import math
from dataclasses import dataclass
from typing import Literal

from classifier_infra.endpoint.requests import ENDPOINT_TAG, SERVICE, SERVICE_TAG, VARIANT, Hosted, Request, Serverless

Kind = Literal["canary", "linear", "all-at-once"]
KINDS: tuple[Kind, ...] = ("canary", "linear", "all-at-once")

_MOST_PERCENT = 50
_MOST_WAIT = 3600
_LEAST_TIME, _MOST_TIME = 600, 28_800
# Allowance for starting instances, loading the model and evaluating alarms, beside our own waits.
_STARTING = 1800
_ALARM_PERIOD = 60


class StrategyError(ValueError):
    """Traffic cannot be moved in this way; the message says what to do instead."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of the new fleet: errors in percent of its invocations, and the 99th percentile of latency in ms."""

    error_percent: float = 1.0
    latency_ms: float = 500.0


@dataclass(frozen=True, slots=True)
class Strategy:
    """A way to move traffic: `percent` of the new fleet at first (canary) or per step (linear), every `wait` seconds.

    The old fleet stays `bake` seconds after the new one has all traffic. Without `limits` nothing rolls back.
    """

    kind: Kind = "canary"
    percent: int = 25
    wait: int = 300
    bake: int = 300
    limits: Limits | None = Limits()


AT_ONCE = Strategy("all-at-once", wait=0, bake=0, limits=None)


def check_strategy(strategy: Strategy, hosted: Hosted) -> None:
    """Raise StrategyError where SageMaker would reject a strategy, or silently do something else."""
    if strategy.limits and strategy.limits.latency_ms <= 0:
        raise StrategyError("the latency limit must be over 0 ms")
    if max(strategy.wait, strategy.bake) > _MOST_WAIT:
        raise StrategyError(f"SageMaker waits {_MOST_WAIT} seconds at most, at each step and at the end")
    if strategy.kind == "all-at-once":
        return
    if not 1 <= strategy.percent <= _MOST_PERCENT:
        raise StrategyError(f"{strategy.percent}% is not 1 to {_MOST_PERCENT}, the limits of a step")
    if hosted.count == 1:
        raise StrategyError(
            f"one instance cannot be shared out: a {strategy.kind} step is at most half of a fleet. Have two first "
            "(autoscale --min 2), or use --strategy all-at-once, which still rolls back if an alarm goes off while "
            "the old fleet stays (--bake)"
        )
    _check_exclusions(strategy, hosted)


def _check_exclusions(strategy: Strategy, hosted: Hosted) -> None:
    """Refuse what would make SageMaker silently move everything at once, without alarms."""
    deployment = hosted.deployment
    because = None
    if deployment and isinstance(deployment.shape, Serverless):
        because = "it is serverless: it has no instances to move step by step"
    elif deployment and deployment.capture:
        because = "it captures data, and SageMaker then moves all traffic at once and unwatched"
    elif hosted.variant_count > 1:
        because = "it has several variants, and SageMaker then moves all traffic at once and unwatched"
    if because:
        raise StrategyError(
            f"a {strategy.kind} deployment of this endpoint is not possible: {because}. Use --strategy all-at-once, "
            "or an endpoint without that"
        )


def update_request(endpoint: str, config: str, strategy: Strategy, count: int | None) -> Request:
    """Return the arguments of UpdateEndpoint, which keep the number of instances that auto scaling has set.

    `count` is that number, None for a serverless endpoint.
    """
    request: Request = {"EndpointName": endpoint, "EndpointConfigName": config}
    if count is None:
        return request
    policy: Request = {
        "TrafficRoutingConfiguration": _routing(strategy, count),
        "TerminationWaitInSeconds": strategy.bake,
        "MaximumExecutionTimeoutInSeconds": max_seconds(strategy),
    }
    deployment: Request = {"BlueGreenUpdatePolicy": policy}
    if strategy.limits:
        alarms = [{"AlarmName": alarm["AlarmName"]} for alarm in alarm_requests(endpoint, config, strategy.limits)]
        deployment["AutoRollbackConfiguration"] = {"Alarms": alarms}
    return request | {"RetainAllVariantProperties": True, "DeploymentConfig": deployment}


def _routing(strategy: Strategy, count: int) -> Request:
    routing: Request = {"Type": strategy.kind.upper().replace("-", "_"), "WaitIntervalInSeconds": strategy.wait}
    if strategy.kind == "all-at-once":
        return routing
    size = {"Type": "INSTANCE_COUNT", "Value": step_size(strategy, count)}
    return routing | {"CanarySize" if strategy.kind == "canary" else "LinearStepSize": size}


def step_size(strategy: Strategy, count: int) -> int:
    """Return the instances of a step: the percentage rounded down, at least one, at most half."""
    return max(1, min(count // 2, count * strategy.percent // 100))


def max_seconds(strategy: Strategy) -> int:
    """Return the seconds after which SageMaker aborts the deployment."""
    steps = math.ceil(100 / strategy.percent) if strategy.kind == "linear" else 1
    return min(_MOST_TIME, max(_LEAST_TIME, _STARTING + steps * strategy.wait + strategy.bake))


def alarm_requests(endpoint: str, config: str, limits: Limits) -> list[Request]:
    """Return the arguments of PutMetricAlarm for each alarm that rolls back.

    The average of an error metric is the share of failed invocations; latency is in microseconds.
    """
    failing = {"Statistic": "Average", "Threshold": limits.error_percent / 100}
    slow = {"ExtendedStatistic": "p99", "Threshold": limits.latency_ms * 1000}
    percent = f"more than {limits.error_percent:g}% of invocations fail with"
    late = f"the 99th percentile of latency is over {limits.latency_ms:g} ms"
    return [
        _alarm(endpoint, config, "5xx", f"{percent} 5xx", {"MetricName": "Invocation5XXErrors", **failing}),
        _alarm(endpoint, config, "4xx", f"{percent} 4xx", {"MetricName": "Invocation4XXErrors", **failing}),
        _alarm(endpoint, config, "latency", late, {"MetricName": "ModelLatency", **slow}),
    ]


def _alarm(endpoint: str, config: str, name: str, condition: str, metric: Request) -> Request:
    return {
        "AlarmName": f"{config}-{name}",
        "AlarmDescription": f"Rolls {endpoint} back if, with the new model, {condition}",
        "Namespace": "AWS/SageMaker",
        **metric,
        "Dimensions": [
            {"Name": "EndpointName", "Value": endpoint},
            {"Name": "VariantName", "Value": VARIANT},
            {"Name": "EndpointConfigName", "Value": config},
        ],
        "Period": _ALARM_PERIOD,
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "Tags": [{"Key": SERVICE_TAG, "Value": SERVICE}, {"Key": ENDPOINT_TAG, "Value": endpoint}],
    }
