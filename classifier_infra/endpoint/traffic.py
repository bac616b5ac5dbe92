"""What CloudWatch counted of a fleet, for the history and for `status`."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from classifier_infra.endpoint.aws import Clients, explained
from classifier_infra.endpoint.history import Event
from classifier_infra.endpoint.requests import VARIANT

_NAMESPACE = "AWS/SageMaker"
# A deployment with its waits; what was counted before it belongs to the fleet before.
_WINDOW = timedelta(hours=8)


def measure_traffic(clients: Clients, endpoint: str, event: Event, now: datetime) -> dict[str, float]:
    """Give what the event's fleet was asked in the last hours: invocations, shares of errors, mean latency in ms.

    Empty where nothing was counted. Raises CloudError.
    """
    if not event.config:
        return {}
    dimensions = {"EndpointName": endpoint, "VariantName": VARIANT, "EndpointConfigName": event.config}
    return count_traffic(clients, dimensions, now - _WINDOW, now)


def count_traffic(clients: Clients, dimensions: Mapping[str, str], start: datetime, end: datetime) -> dict[str, float]:
    """Give what was counted between two times. Raises CloudError."""
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
    with explained(f"The metric {metric} cannot be read"):
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
