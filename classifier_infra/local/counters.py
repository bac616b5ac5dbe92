"""What CloudWatch would count of a variant, under its names, since the server started."""

import math
from dataclasses import dataclass, field

NAMESPACE = "AWS/SageMaker"


@dataclass(slots=True)
class Latency:
    """CloudWatch's statistics of a time, in microseconds."""

    samples: int = 0
    total: float = 0.0
    minimum: float = math.inf
    maximum: float = 0.0

    def add(self, seconds: float) -> None:
        microseconds = seconds * 1_000_000
        self.samples += 1
        self.total += microseconds
        if microseconds < self.minimum:  # min() and max() would cost the endpoint a call each an invocation
            self.minimum = microseconds
        if microseconds > self.maximum:
            self.maximum = microseconds

    def to_json(self) -> dict[str, float]:
        if not self.samples:
            return {"SampleCount": 0}
        return {
            "SampleCount": self.samples,
            "Sum": self.total,
            "Average": self.total / self.samples,
            "Minimum": self.minimum,
            "Maximum": self.maximum,
        }


@dataclass(slots=True)
class Counters:
    """Invocations that reached a model; what the service refuses before that is not counted (our choice)."""

    invocations: int = 0
    errors_4xx: int = 0
    errors_5xx: int = 0
    model_errors: int = 0
    model_latency: Latency = field(default_factory=Latency)
    overhead_latency: Latency = field(default_factory=Latency)

    def count(self, status: int, model_seconds: float, overhead_seconds: float) -> None:
        """Count an invocation by its container's status, 0 where the container did not answer in time."""
        self.invocations += 1
        self.errors_4xx += 400 <= status < 500
        self.errors_5xx += 500 <= status < 600
        self.model_errors += status != 200
        self.model_latency.add(model_seconds)
        self.overhead_latency.add(overhead_seconds)

    def to_json(self) -> dict[str, int | dict[str, float]]:
        return {
            "Invocations": self.invocations,
            "InvocationsPerInstance": self.invocations,  # one process stands for one instance
            "Invocation4XXErrors": self.errors_4xx,
            "Invocation5XXErrors": self.errors_5xx,
            "InvocationModelErrors": self.model_errors,
            "ModelLatency": self.model_latency.to_json(),
            "OverheadLatency": self.overhead_latency.to_json(),
        }
