"""Model an endpoint: its production variants, how they share invocations, and CloudWatch's counters of each."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from classifier_infra.local.container import Scorer

NAMESPACE = "AWS/SageMaker"


@dataclass(slots=True)
class Latency:
    """CloudWatch's statistics of a duration, in microseconds."""

    samples: int = 0
    total: float = 0.0
    minimum: float = math.inf
    maximum: float = 0.0

    def add(self, seconds: float) -> None:
        microseconds = seconds * 1_000_000
        self.samples += 1
        self.total += microseconds
        if microseconds < self.minimum:  # cheaper than min() and max(), and paid at every invocation
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
    """Counts of the invocations that reached a model; those refused before are not counted (our choice)."""

    invocations: int = 0
    errors_4xx: int = 0
    errors_5xx: int = 0
    model_errors: int = 0
    model_latency: Latency = field(default_factory=Latency)
    overhead_latency: Latency = field(default_factory=Latency)

    def count(self, status: int, model_seconds: float, overhead_seconds: float) -> None:
        """Count an invocation by the container's status, which is 0 if the container did not answer in time."""
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
    """Smooth weighted round-robin: weights 3 and 1 give the positions 0, 0, 1, 0, repeatedly."""

    def __init__(self, weights: Sequence[float]) -> None:
        """Take weights of at least 0, one of them above 0."""
        self._weights = weights
        self._total = sum(weights)
        self._credits = [0.0] * len(weights)

    def next(self) -> int:
        """Return the position of the weight whose turn it is."""
        if len(self._weights) == 1:
            return 0
        self._credits = [credit + weight for credit, weight in zip(self._credits, self._weights, strict=True)]
        turn = self._credits.index(max(self._credits))
        self._credits[turn] -= self._total
        return turn


@dataclass(frozen=True, slots=True)
class Variant:
    """A loaded model with its weight in the endpoint's traffic and its counters."""

    name: str
    model: Scorer
    weight: float = 1.0
    counters: Counters = field(default_factory=Counters)


class Endpoint:
    """A named endpoint over one or more variants."""

    def __init__(self, name: str, variants: Sequence[Variant]) -> None:
        self.name = name
        self.set_variants(variants)

    def set_variants(self, variants: Sequence[Variant]) -> None:
        """Replace the variants and restart the rotation; each variant keeps its own counters."""
        self.variants = {variant.name: variant for variant in variants}
        self._in_order = tuple(variants)
        self._rotation = Rotation([variant.weight for variant in variants])

    def choose(self, target: str | None) -> Variant | None:
        """Return the variant named `target`, None if there is none; without a target, the one whose turn it is."""
        if target is not None:
            return self.variants.get(target)
        return self._in_order[self._rotation.next()]


def variant_names(endpoints: Sequence[Endpoint]) -> dict[str, list[str]]:
    """Return the names of the variants by the names of their endpoints."""
    return {endpoint.name: list(endpoint.variants) for endpoint in endpoints}
