"""Estimate the monthly cost of classification in each mode, and recommend one.

Costs that are the same in every mode are left out: API Gateway, queues, tables, and the functions' other work.
"""

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from classifier_infra.model.model import MOST_BYTES_IN_MEMORY
from classifier_infra.pricing.prices import HOURS_A_MONTH, Prices

Mode = Literal["real-time", "serverless", "embedded"]
MODES: tuple[Mode, ...] = ("real-time", "serverless", "embedded")

Need = Literal["canary", "capture", "no-cold-start", "own-service"]

MAX_SERVERLESS_CONCURRENCY = 200

_DAYS_A_MONTH = HOURS_A_MONTH / 24


class TrafficError(ValueError):
    """The traffic or the sizing is impossible; the message says why."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Messages a month, in `busy_hours` of each day; the peak rate is `peak_factor` times their mean rate.

    A call carries `texts_a_call` messages on average, with `bytes_a_text` transferred for each, both ways together.
    Raises TrafficError.
    """

    messages_a_month: float
    busy_hours: float = 10.0
    peak_factor: float = 5.0
    texts_a_call: float = 1.0
    bytes_a_text: float = 1_000.0

    def __post_init__(self) -> None:
        _check_over_zero(self)
        if self.busy_hours > 24:
            raise TrafficError(f"busy hours is {self.busy_hours:g}; a day has 24")
        if self.texts_a_call < 1 or self.peak_factor < 1:
            raise TrafficError("texts a call and peak factor must be at least 1")

    @property
    def calls_a_month(self) -> float:
        return self.messages_a_month / self.texts_a_call

    @property
    def peak_calls_a_second(self) -> float:
        return self.calls_a_month * self.peak_factor / (self.busy_hours * _DAYS_A_MONTH * 3600)


@dataclass(frozen=True, slots=True)
class Sizing:
    """The rented capacity and the duration of calls, in seconds; `function_gb` and `serverless_gb` are in GiB.

    The defaults are cautious assumptions, not measurements of an endpoint: a c5.large that answers 100 calls a second,
    calls of 20 ms, serverless calls of 50 ms. Embedded, a message of the starter data took 54 µs on a 2-core machine
    (2026-11-22); a function of 1 GiB has little more than half a core. Raises TrafficError.
    """

    instance: str = "ml.c5.large"
    min_instances: int = 1
    calls_a_second: float = 100.0
    endpoint_seconds: float = 0.02
    serverless_gb: float = 2.0
    serverless_seconds: float = 0.05
    embedded_seconds: float = 0.0002
    function_gb: float = 1.0

    def __post_init__(self) -> None:
        _check_over_zero(self)

    def instances(self, traffic: Traffic) -> int:
        return max(self.min_instances, math.ceil(traffic.peak_calls_a_second / self.calls_a_second))

    def concurrency(self, traffic: Traffic) -> int:
        return max(1, math.ceil(traffic.peak_calls_a_second * self.serverless_seconds))


def _check_over_zero(values: Traffic | Sizing) -> None:
    for name in values.__slots__:
        value = getattr(values, name)
        if isinstance(value, int | float) and not 0 < value < math.inf:
            raise TrafficError(f"{name.replace('_', ' ')} is {value:g}; it must be over 0")


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a mode, in USD a month by item."""

    mode: Mode
    month_by_item: Mapping[str, float]
    messages_a_month: float

    @property
    def month(self) -> float:
        return sum(self.month_by_item.values())

    @property
    def per_thousand(self) -> float:
        """USD per 1,000 messages."""
        return self.month / self.messages_a_month * 1000


def estimate(mode: Mode, traffic: Traffic, sizing: Sizing, prices: Prices) -> Cost:
    """Estimate the cost of a mode. Raises PriceError for an instance that is not in the table."""
    items = _ITEMS[mode](traffic, sizing, prices)
    return Cost(mode, MappingProxyType(items), traffic.messages_a_month)


def _real_time(traffic: Traffic, sizing: Sizing, prices: Prices) -> dict[str, float]:
    count = sizing.instances(traffic)
    return {
        f"{count} × {sizing.instance}, all hours": count * prices.instance(sizing.instance).hour * HOURS_A_MONTH,
        "data in and out": _data(traffic, prices),
        "functions waiting": _function(traffic.calls_a_month * sizing.endpoint_seconds, sizing, prices),
    }


def _serverless(traffic: Traffic, sizing: Sizing, prices: Prices) -> dict[str, float]:
    seconds = traffic.calls_a_month * sizing.serverless_seconds
    return {
        f"compute, {sizing.serverless_gb:g} GiB": seconds * sizing.serverless_gb * prices.serverless_gb_second,
        "data in and out": _data(traffic, prices),
        "functions waiting": _function(seconds, sizing, prices),
    }


def _embedded(traffic: Traffic, sizing: Sizing, prices: Prices) -> dict[str, float]:
    return {"functions working": _function(traffic.messages_a_month * sizing.embedded_seconds, sizing, prices)}


_ITEMS = {"real-time": _real_time, "serverless": _serverless, "embedded": _embedded}


def _data(traffic: Traffic, prices: Prices) -> float:
    return traffic.messages_a_month * traffic.bytes_a_text / 2**30 * prices.endpoint_data_gb


def _function(seconds: float, sizing: Sizing, prices: Prices) -> float:
    return seconds * sizing.function_gb * prices.lambda_gb_second


def break_even(traffic: Traffic, sizing: Sizing, prices: Prices) -> float:
    """Return the messages a month from which real-time is cheaper than serverless, for this shape of traffic.

    It is infinite if an instance sized for the peak is full before it pays for itself. The result is approximate,
    because each further instance is another step up.
    """
    *_, data, waiting = _real_time(traffic, sizing, prices).values()
    serverless = estimate("serverless", traffic, sizing, prices).month
    saved_a_message = (serverless - data - waiting) / traffic.messages_a_month
    instance_month = prices.instance(sizing.instance).hour * HOURS_A_MONTH
    # Messages a month whose peak one instance can just serve.
    full = sizing.calls_a_second / traffic.peak_calls_a_second * traffic.messages_a_month
    if saved_a_message * full < instance_month:
        return math.inf
    return sizing.min_instances * instance_month / saved_a_message


# --- Recommendation -----------------------------------------------------------------------------------------

_OBSTACLES: Mapping[Need, Mapping[Mode, str]] = {
    "canary": {
        "serverless": "SageMaker shifts no traffic by parts to a serverless endpoint",
        "embedded": "a model in the functions changes for all messages at once",
    },
    "capture": {
        "serverless": "a serverless endpoint captures no data",
        "embedded": "there is no endpoint that could capture data",
    },
    "no-cold-start": {"serverless": "after a quiet time the first call waits seconds for a container"},
    "own-service": {"embedded": "other programs cannot call a model that is inside these functions"},
}
_NOTES: Mapping[Mode, str] = {
    "real-time": "It is billed by the hour, used or not, and answers evenly.",
    "serverless": "It costs nothing without traffic; expect a slow first answer after a quiet time.",
    "embedded": "It is the same model.bin inside the functions: nothing to rent, and no service that can fail.",
}
NEEDS: tuple[Need, ...] = tuple(_OBSTACLES)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The recommended mode and why, and the reason why each excluded mode is ruled out."""

    mode: Mode
    why: str
    ruled_out: Mapping[Mode, str]


def recommend(
    costs: Mapping[Mode, Cost], traffic: Traffic, sizing: Sizing, model_bytes: int, needs: Collection[Need] = ()
) -> Recommendation:
    """Recommend the cheapest mode that satisfies the needs; real-time always does."""
    calls = sizing.concurrency(traffic)
    ruled_out = {mode: reason for mode in MODES if (reason := _find_obstacle(mode, calls, model_bytes, needs))}
    left = sorted((costs[mode].month, mode) for mode in MODES if mode not in ruled_out)
    (month, best), *others = left
    why = f"the cheapest that does what is needed, at {dollars(month)} a month"
    if others:
        next_month, next_best = others[0]
        why += f"; {next_best} would be {dollars(next_month - month)} more"
    return Recommendation(best, f"{why}. {_NOTES[best]}", ruled_out)


def dollars(amount: float) -> str:
    return f"${amount:,.2f}" if amount >= 0.005 else "less than a cent"


def _find_obstacle(mode: Mode, calls: int, model_bytes: int, needs: Collection[Need]) -> str | None:
    if mode == "embedded" and model_bytes > MOST_BYTES_IN_MEMORY:
        most = MOST_BYTES_IN_MEMORY / 1e6
        return f"a model of {model_bytes / 1e6:,.0f} MB is too large for the functions, which take {most:.0f} MB"
    if mode == "serverless" and calls > MAX_SERVERLESS_CONCURRENCY:
        return f"the peak needs {calls} calls at a time; a serverless endpoint takes {MAX_SERVERLESS_CONCURRENCY}"
    return next((_OBSTACLES[need][mode] for need in needs if mode in _OBSTACLES[need]), None)
