"""What SageMaker does with the traffic while it changes an endpoint: blue/green by the request's own policy. Pure."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Rollout:
    """The change of an endpoint from one configuration to another, begun at a time in seconds, on `count` instances."""

    old: str
    new: str
    begun: float
    count: int
    policy: Any
    alarms: tuple[str, ...]

    def share(self, now: float) -> float:
        """Give the new fleet's share of the traffic."""
        routing = self.policy["TrafficRoutingConfiguration"]
        wait, passed = routing["WaitIntervalInSeconds"], now - self.begun
        if routing["Type"] == "ALL_AT_ONCE":
            return 1.0
        if routing["Type"] == "CANARY":
            return self._part(routing["CanarySize"]) if passed < wait else 1.0
        steps = 1 + int(passed // wait) if wait else self.count
        return min(1.0, steps * self._part(routing["LinearStepSize"]))

    def is_over(self, now: float) -> bool:
        """Tell whether the old fleet is taken away: it stays a while after it has lost all its traffic."""
        return self.share(now - self.policy["TerminationWaitInSeconds"]) == 1.0 and (
            now - self.begun >= self.policy["TerminationWaitInSeconds"]
        )

    def _part(self, size: Any) -> float:
        value: int = size["Value"]
        return value / (self.count if size["Type"] == "INSTANCE_COUNT" else 100)
