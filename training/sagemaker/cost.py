"""What a job costs at most, by the dated price table."""

from dataclasses import dataclass
from datetime import date

from classifier_infra.pricing.prices import HOURS_A_MONTH, PriceError, Prices
from training.sagemaker.errors import Refused
from training.sagemaker.requests import Machines

SECONDS_AN_HOUR = 3600


@dataclass(frozen=True, slots=True)
class Cost:
    """The most that a job, or several, can cost, in USD: all of their time, at the price of a machine of one's own."""

    usd: float
    hour: float
    region: str
    as_of: date

    def describe(self, region: str) -> str:
        elsewhere = "" if region == self.region else f"; {region} may differ"
        return f"{self.usd:.2f} USD at most (prices of {self.region}, {self.as_of}{elsewhere})"


def most(prices: Prices, machines: Machines, jobs: int = 1) -> Cost:
    """Give the most that jobs on these machines can cost. Raises Refused where the table lacks the instance."""
    try:
        hour = prices.instance(machines.instance).hour
    except PriceError as error:
        raise Refused([f"no price is known for {machines.instance}: {error}, and name it with --prices"]) from error
    hours = machines.max_seconds / SECONDS_AN_HOUR
    disk = machines.volume_gb * prices.training_volume_gb_month / HOURS_A_MONTH
    return Cost(jobs * machines.count * hours * (hour + disk), hour, prices.region, prices.as_of)


def spent(hour: float, count: int, billable_seconds: int) -> float:
    """Give what a job has cost, in USD, by the seconds that it was billed for."""
    return hour * count * billable_seconds / SECONDS_AN_HOUR
