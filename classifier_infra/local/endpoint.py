"""An endpoint: production variants, and which of them gets an invocation."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from classifier_infra.local.container import Scorer

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


class Rotation:
    """With weights 3 and 1, the turns are 0 0 1 0, again and again."""

    def __init__(self, weights: Sequence[float]) -> None:
        """Take weights of 0 and more, at least one of them more."""
        self._weights = weights
        self._total = sum(weights)
        self._credits = [0.0] * len(weights)

    def next(self) -> int:
        """Give the position of the weight whose turn it is."""
        if len(self._weights) == 1:
            return 0
        self._credits = [credit + weight for credit, weight in zip(self._credits, self._weights, strict=True)]
        turn = self._credits.index(max(self._credits))
        self._credits[turn] -= self._total
        return turn


@dataclass(frozen=True, slots=True)
class Variant:
    """A loaded model with its weight in the endpoint's traffic, and what was counted of it."""

    name: str
    model: Scorer
    weight: float = 1.0
    counters: Counters = field(default_factory=Counters)


class Endpoint:
    """A named endpoint over one or more variants."""

    def __init__(self, name: str, variants: Sequence[Variant]) -> None:
        self.name = name
        self.put(variants)

    def put(self, variants: Sequence[Variant]) -> None:
        """Have these variants from now on, with their weights; counters go on where they are."""
        self.variants = {variant.name: variant for variant in variants}
        self._in_order = tuple(variants)
        self._rotation = Rotation([variant.weight for variant in variants])

    def choose(self, target: str | None) -> Variant | None:
        """Give the variant that is named, or the one whose turn it is; None where there is none of that name."""
        if target is not None:
            return self.variants.get(target)
        return self._in_order[self._rotation.next()]
