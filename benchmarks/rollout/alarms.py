"""CloudWatch's alarms over the local endpoint's counters: which ring, judged as the service judges them. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from classifier_infra.endpoint.requests import Request
from classifier_infra.local.counters import Counters


@dataclass(frozen=True, slots=True)
class Sample:
    """What had been counted of a fleet by a time, in seconds: invocations, errors, microseconds of latency."""

    at: float
    invocations: int
    errors_4xx: int
    errors_5xx: int
    latency: float


def take_sample(at: float, counters: Counters) -> Sample:
    return Sample(at, counters.invocations, counters.errors_4xx, counters.errors_5xx, counters.model_latency.total)


# The local counters keep sums and no percentiles, so that the mean stands for the 99th.
_METRICS = {"Invocation4XXErrors": "errors_4xx", "Invocation5XXErrors": "errors_5xx", "ModelLatency": "latency"}


def find_ringing(alarms: Sequence[Request], samples: Mapping[str, Sequence[Sample]], now: float) -> tuple[str, ...]:
    """Name the alarms over their threshold in their last period; `samples` are each configuration's, oldest first."""
    return tuple(alarm["AlarmName"] for alarm in alarms if _is_over(alarm, samples, now))


def _is_over(alarm: Request, samples: Mapping[str, Sequence[Sample]], now: float) -> bool:
    if now % alarm["Period"]:
        return False  # a period is judged when it is over
    dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}
    mean = mean_of(alarm["MetricName"], samples.get(dimensions["EndpointConfigName"], ()), now - alarm["Period"])
    return mean is not None and mean > alarm["Threshold"]


def mean_of(metric: str, samples: Sequence[Sample], since: float) -> float | None:
    """Give a metric's mean over the invocations since a time, None where there were none: that rings no alarm."""
    if not samples:
        return None
    before = next((sample for sample in reversed(samples) if sample.at <= since), samples[0])
    latest, field = samples[-1], _METRICS[metric]
    invocations = latest.invocations - before.invocations
    if not invocations:
        return None
    mean: float = (getattr(latest, field) - getattr(before, field)) / invocations
    return mean
