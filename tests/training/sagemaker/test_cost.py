"""Maximum and actual costs of jobs."""

import pytest

from classifier_infra.pricing.prices import HOURS_A_MONTH, load_prices
from training.sagemaker import Refused
from training.sagemaker.requests import Machines, actual_cost, maximum_cost

PRICES = load_prices()


def test_the_maximum_cost_covers_the_whole_time_on_all_machines_with_disks():
    machines = Machines("ml.m5.xlarge", count=2, volume_gb=73, max_seconds=1800)

    cost = maximum_cost(PRICES, machines, jobs=3)

    disk = 73 * PRICES.training_volume_gb_month / HOURS_A_MONTH
    assert cost.usd == pytest.approx(3 * 2 * 0.5 * (PRICES.instance("ml.m5.xlarge").hour + disk))


def test_a_price_is_shown_with_its_date_and_region():
    described = maximum_cost(PRICES, Machines("ml.m5.xlarge")).describe("eu-central-1")

    assert str(PRICES.as_of) in described
    assert described.endswith("; eu-central-1 may differ)")


def test_an_instance_without_a_price_is_refused():
    with pytest.raises(Refused, match=r"no price for ml\.m4\.xlarge.*--prices"):
        maximum_cost(PRICES, Machines("ml.m4.xlarge"))


def test_the_actual_cost_counts_billed_seconds():
    assert actual_cost(0.408, 1, 90) == pytest.approx(0.0102)
