"""What classifying costs, in each of the three ways there are, and which of them to take. Pure.

What every mode pays alike is left out: API Gateway, queues, tables, and what the functions do beside classifying.
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
    """The traffic or the sizing cannot be; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """Messages a month and how they come: in `busy_hours` of each day, at the peak `peak_factor` times their mean rate.

    A call carries `texts_a_call` messages on average, and `bytes_a_text` go over the wire for each, both ways.
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
            raise TrafficError(f"a day has no {self.busy_hours:g} busy hours")
        if self.texts_a_call < 1 or self.peak_factor < 1:
            raise TrafficError("a call carries at least one text, and the peak is at least the mean")

    @property
    def calls_a_month(self) -> float:
        return self.messages_a_month / self.texts_a_call

    @property
    def peak_calls_a_second(self) -> float:
        return self.calls_a_month * self.peak_factor / (self.busy_hours * _DAYS_A_MONTH * 3600)


@dataclass(frozen=True, slots=True)
class Sizing:
    """What is rented, and how long things take; times are in seconds, `function_gb` and `serverless_gb` in GiB.

    The defaults are cautious assumptions, not measurements of an endpoint: a c5.large that answers 100 calls a second,
    calls of 20 ms, serverless ones of 50 ms. In the functions' own process a message of the starter data took 54 µs of
    a 2-core machine (2026-11-22); a function of 1 GiB has little more than half a core. Raises TrafficError.
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
    """What a mode costs: USD a month by what it is for."""

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
    """Give what a mode costs. Raises PriceError for an instance that is not in the table."""
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
    """Give the messages a month from which real-time is cheaper than serverless, at this shape of traffic.

    Infinite where it never is: an instance sized for the peak is then full before it has paid for itself. Each further
    instance is a step up again, which is why this is "about".
    """
    *_, data, waiting = _real_time(traffic, sizing, prices).values()
    serverless = estimate("serverless", traffic, sizing, prices).month
    saved_a_message = (serverless - data - waiting) / traffic.messages_a_month
    instance_month = prices.instance(sizing.instance).hour * HOURS_A_MONTH
    # Messages a month at whose peak one instance is just full.
    full = sizing.calls_a_second / traffic.peak_calls_a_second * traffic.messages_a_month
    if saved_a_message * full < instance_month:
        return math.inf
    return sizing.min_instances * instance_month / saved_a_message


# --- Which to take --------------------------------------------------------------------------------------------

_CANNOT: Mapping[Need, Mapping[Mode, str]] = {
    "canary": {
        "serverless": "SageMaker shifts no traffic by parts to a serverless endpoint",
        "embedded": "a model in the functions changes at once for all",
    },
    "capture": {
        "serverless": "a serverless endpoint captures no data",
        "embedded": "there is no endpoint that could capture data",
    },
    "no-cold-start": {"serverless": "after a quiet time the first call waits seconds for a container"},
    "own-service": {"embedded": "other programs cannot call a model that is inside these functions"},
}
NEEDS: tuple[Need, ...] = tuple(_CANNOT)


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The mode to take and why, with the reason why each that is ruled out is."""

    mode: Mode
    why: str
    ruled_out: Mapping[Mode, str]


def recommend(
    costs: Mapping[Mode, Cost], traffic: Traffic, sizing: Sizing, model_bytes: int, needs: Collection[Need] = ()
) -> Recommendation:
    """Choose the cheapest mode that can do what is needed; real-time always can."""
    ruled_out = {mode: reason for mode in MODES if (reason := _why_not(mode, traffic, sizing, model_bytes, needs))}
    left = sorted((costs[mode].month, mode) for mode in MODES if mode not in ruled_out)
    (month, best), *others = left
    why = f"the cheapest that does what is needed, at {dollars(month)} a month"
    if others:
        next_month, next_best = others[0]
        why += f"; {next_best} would be {dollars(next_month - month)} more"
    return Recommendation(best, f"{why}. {_GOOD_FOR[best]}", ruled_out)


def dollars(amount: float) -> str:
    return f"${amount:,.2f}" if amount >= 0.005 else "less than a cent"


_GOOD_FOR: Mapping[Mode, str] = {
    "real-time": "It is paid by the hour, used or not, and answers evenly.",
    "serverless": "It costs nothing while nobody writes; expect a slow first answer after a quiet time.",
    "embedded": "It is the same model.bin inside the functions: nothing to rent, nothing that can be down by itself.",
}


def _why_not(mode: Mode, traffic: Traffic, sizing: Sizing, model_bytes: int, needs: Collection[Need]) -> str | None:
    if mode == "embedded" and model_bytes > MOST_BYTES_IN_MEMORY:
        most = MOST_BYTES_IN_MEMORY / 1e6
        return f"a model of {model_bytes / 1e6:,.0f} MB is too large for the functions, which take {most:.0f} MB"
    concurrency = sizing.concurrency(traffic)
    if mode == "serverless" and concurrency > MAX_SERVERLESS_CONCURRENCY:
        return f"the peak needs {concurrency} calls at a time; a serverless endpoint takes {MAX_SERVERLESS_CONCURRENCY}"
    return next((_CANNOT[need][mode] for need in needs if mode in _CANNOT[need]), None)
