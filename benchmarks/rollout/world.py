"""Simulate a fleet in AWS with the local endpoint: traffic is sent, counted, moved to a new fleet and rolled back.

Time is simulated: it passes in fixed steps, with real invocations in each, when the endpoint is described. So a
rehearsal takes seconds and has the same result on any machine.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from classifier_infra.endpoint.requests import Request
from classifier_infra.local.container import Scorer
from classifier_infra.local.endpoint import Counters, Endpoint, Variant


@dataclass(frozen=True, slots=True)
class Rollout:
    """The change of an endpoint with `count` instances to another configuration; `begun` is in seconds."""

    old: str
    new: str
    begun: float
    count: int
    policy: Any
    alarms: tuple[str, ...]

    def share(self, now: float) -> float:
        """Return the new fleet's share of the traffic."""
        routing = self.policy["TrafficRoutingConfiguration"]
        wait, passed = routing["WaitIntervalInSeconds"], now - self.begun
        if routing["Type"] == "ALL_AT_ONCE":
            return 1.0
        if routing["Type"] == "CANARY":
            return self._part(routing["CanarySize"]) if passed < wait else 1.0
        steps = 1 + int(passed // wait) if wait else self.count
        return min(1.0, steps * self._part(routing["LinearStepSize"]))

    def is_over(self, now: float) -> bool:
        """Report whether the old fleet is removed, which happens some time after it has lost its traffic."""
        return self.share(now - self.policy["TerminationWaitInSeconds"]) == 1.0 and (
            now - self.begun >= self.policy["TerminationWaitInSeconds"]
        )

    def _part(self, size: Any) -> float:
        value: int = size["Value"]
        return value / (self.count if size["Type"] == "INSTANCE_COUNT" else 100)


@dataclass(frozen=True, slots=True)
class Sample:
    """A fleet's counters at a time in seconds; `latency` is the sum in microseconds."""

    at: float
    invocations: int
    errors_4xx: int
    errors_5xx: int
    latency: float


def take_sample(at: float, counters: Counters) -> Sample:
    return Sample(at, counters.invocations, counters.errors_4xx, counters.errors_5xx, counters.model_latency.total)


# The local counters have no percentiles: the mean stands in for the 99th.
_METRICS = {"Invocation4XXErrors": "errors_4xx", "Invocation5XXErrors": "errors_5xx", "ModelLatency": "latency"}


def find_alarms(alarms: Sequence[Request], samples: Mapping[str, Sequence[Sample]], now: float) -> tuple[str, ...]:
    """Return the alarms over their threshold in their last period; `samples` are by configuration, oldest first."""
    return tuple(alarm["AlarmName"] for alarm in alarms if _is_over(alarm, samples, now))


def _is_over(alarm: Request, samples: Mapping[str, Sequence[Sample]], now: float) -> bool:
    if now % alarm["Period"]:
        return False  # a period is judged when it is over
    dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm["Dimensions"]}
    mean = mean_of(alarm["MetricName"], samples.get(dimensions["EndpointConfigName"], ()), now - alarm["Period"])
    return mean is not None and mean > alarm["Threshold"]


def mean_of(metric: str, samples: Sequence[Sample], since: float) -> float | None:
    """Return a metric's mean over the invocations since a time, None if there were none."""
    if not samples:
        return None
    before = next((sample for sample in reversed(samples) if sample.at <= since), samples[0])
    latest, field = samples[-1], _METRICS[metric]
    invocations = latest.invocations - before.invocations
    if not invocations:
        return None
    mean: float = (getattr(latest, field) - getattr(before, field)) / invocations
    return mean


STEP_SECONDS = 15.0
INVOCATIONS_A_STEP = 20
ALARM_WENT_OFF = "alarm"


@dataclass(frozen=True, slots=True)
class Moment:
    """The result of a step: each configuration's share of the invocations, and the share of those that failed."""

    at: float
    shares: dict[str, float]
    failed: dict[str, float]


@dataclass(slots=True)
class World:
    """One endpoint. `invoke` calls it once over HTTP; `reason` says why the last change was rolled back."""

    endpoint: Endpoint
    count: int
    config: str
    invoke: Callable[[], object]
    now: float = 0.0
    rollout: Rollout | None = None
    reason: str = ""
    alarms: dict[str, Request] = field(default_factory=dict)
    samples: dict[str, list[Sample]] = field(default_factory=dict)
    moments: list[Moment] = field(default_factory=list)
    events: list[tuple[float, str]] = field(default_factory=list)

    def begin(self, rollout: Rollout, model: Scorer) -> None:
        """Start a new fleet in addition to the old one."""
        self.endpoint.set_variants([*self.endpoint.variants.values(), Variant(rollout.new, model, weight=0.0)])
        self.watch(rollout.new)
        self.rollout, self.reason = rollout, ""
        self._move()

    def watch(self, config: str) -> None:
        """Start counting a fleet's invocations."""
        self.samples[config] = [take_sample(self.now, self.endpoint.variants[config].counters)]

    def step(self) -> None:
        """Let a step of time pass with its traffic, then move traffic as SageMaker would."""
        for _ in range(INVOCATIONS_A_STEP):
            self.invoke()
        self.now += STEP_SECONDS
        self._count()
        if self.rollout:
            self._judge(self.rollout)

    def _count(self) -> None:
        asked: dict[str, int] = {}
        failed: dict[str, float] = {}
        for name, variant in self.endpoint.variants.items():
            before, sample = self.samples[name][-1], take_sample(self.now, variant.counters)
            self.samples[name].append(sample)
            asked[name] = sample.invocations - before.invocations
            errors = sample.errors_4xx + sample.errors_5xx - before.errors_4xx - before.errors_5xx
            if asked[name]:
                failed[name] = errors / asked[name]
        total = sum(asked.values())
        self.moments.append(Moment(self.now, {name: count / total for name, count in asked.items()}, failed))

    def _judge(self, rollout: Rollout) -> None:
        watching = [self.alarms[name] for name in rollout.alarms]
        if ringing := find_alarms(watching, self.samples, self.now):
            self.reason = f"Alarms went into ALARM: {', '.join(ringing)}"
            self.events.append((self.now, ALARM_WENT_OFF))
            self._keep(rollout.old)
        elif rollout.is_over(self.now):
            self._keep(rollout.new)
        else:
            self._move()

    def _move(self) -> None:
        assert self.rollout is not None
        share = self.rollout.share(self.now)
        weights = {self.rollout.old: 1 - share, self.rollout.new: share}
        self.endpoint.set_variants(
            [replace(each, weight=weights[each.name]) for each in self.endpoint.variants.values()]
        )

    def _keep(self, config: str) -> None:
        """End the change: one fleet remains, with all the traffic."""
        self.endpoint.set_variants([replace(self.endpoint.variants[config], weight=1.0)])
        self.config, self.rollout = config, None
