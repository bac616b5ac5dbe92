"""When a call of the Web API is answered 429. So far only on demand: see `plan`."""

from dataclasses import dataclass


@dataclass
class _Plan:
    times: int
    retry_after: int


class RateLimits:
    def __init__(self) -> None:
        self._plans: dict[str, _Plan] = {}

    def plan(self, method: str, times: int, retry_after: int) -> None:
        """Refuse the next `times` calls of a method, asking for `retry_after` seconds of patience."""
        self._plans[method] = _Plan(times, retry_after)

    def retry_after(self, method: str) -> int | None:
        """Give the seconds that the caller must wait, or None when the call may go on."""
        plan = self._plans.get(method)
        if plan is None or plan.times <= 0:
            return None
        plan.times -= 1
        return plan.retry_after
