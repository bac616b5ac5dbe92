"""The local endpoint as a fleet in AWS would be: traffic flows, is counted, and is moved or moved back.

Time is the world's own: it passes only when something looks, a fixed step each, with real invocations in each. So a
rehearsal takes seconds, and comes out the same on any machine.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from benchmarks.rollout.alarms import Sample, find_ringing, take_sample
from benchmarks.rollout.rollout import Rollout
from classifier_infra.endpoint.requests import Request
from classifier_infra.local.container import Scorer
from classifier_infra.local.endpoint import Endpoint, Variant

STEP_SECONDS = 15.0
INVOCATIONS_A_STEP = 20
RANG = "alarm"


@dataclass(frozen=True, slots=True)
class Moment:
    """A step of the world: what of its invocations each configuration answered, and what share of those failed."""

    at: float
    shares: dict[str, float]
    failed: dict[str, float]


@dataclass(slots=True)
class World:
    """One endpoint. `invoke` asks it once over HTTP; `config` is what it runs, `reason` why it went back."""

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
        """Start a new fleet beside the old one."""
        self.endpoint.put([*self.endpoint.variants.values(), Variant(rollout.new, model, weight=0.0)])
        self.watch(rollout.new)
        self.rollout, self.reason = rollout, ""
        self._move()

    def watch(self, config: str) -> None:
        """Begin to count a fleet."""
        self.samples[config] = [take_sample(self.now, self.endpoint.variants[config].counters)]

    def step(self) -> None:
        """Let the time of a step pass, with its traffic; then do what SageMaker would."""
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
        if ringing := find_ringing(watching, self.samples, self.now):
            self.reason = f"Alarms went into ALARM: {', '.join(ringing)}"
            self.events.append((self.now, RANG))
            self._keep(rollout.old)
        elif rollout.is_over(self.now):
            self._keep(rollout.new)
        else:
            self._move()

    def _move(self) -> None:
        assert self.rollout is not None
        share = self.rollout.share(self.now)
        weights = {self.rollout.old: 1 - share, self.rollout.new: share}
        self.endpoint.put([replace(each, weight=weights[each.name]) for each in self.endpoint.variants.values()])

    def _keep(self, config: str) -> None:
        """End the change: one fleet is left, and has all the traffic."""
        self.endpoint.put([replace(self.endpoint.variants[config], weight=1.0)])
        self.config, self.rollout = config, None
