"""The cost of each mode, the recommendation, and an independent calculation with the same result."""

import json
import math
import random
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from classifier_infra.__main__ import main
from classifier_infra.pricing.estimate import MODES, Sizing, Traffic, TrafficError, break_even, estimate, recommend
from classifier_infra.pricing.prices import load_prices

PRICES = load_prices()
RECOMPUTE = Path(__file__).with_name("recompute_cost.py")
QUIET = Traffic(60_000)
SMALL = 2_000_000


def costs_of(traffic, sizing=None):
    return {mode: estimate(mode, traffic, sizing or Sizing(), PRICES) for mode in MODES}


def advise(traffic, *needs, sizing=None, model_bytes=SMALL):
    sizing = sizing or Sizing()
    return recommend(costs_of(traffic, sizing), traffic, sizing, model_bytes, needs)


def some_case(chance: random.Random) -> tuple[Traffic, Sizing]:
    traffic = Traffic(
        messages_a_month=10 ** chance.uniform(1, 9),
        busy_hours=chance.uniform(0.5, 24),
        peak_factor=chance.uniform(1, 30),
        texts_a_call=chance.uniform(1, 10),
        bytes_a_text=chance.uniform(1, 10_000),
    )
    sizing = Sizing(
        instance=chance.choice(list(PRICES.instances)),
        min_instances=chance.randint(1, 5),
        calls_a_second=chance.uniform(1, 1000),
        endpoint_seconds=chance.uniform(0.001, 1),
        serverless_gb=chance.randint(1, 6),
        serverless_seconds=chance.uniform(0.001, 5),
        embedded_seconds=chance.uniform(1e-5, 0.01),
        function_gb=chance.uniform(0.128, 10),
    )
    return traffic, sizing


def test_an_independent_script_computes_the_same_sums():
    chance = random.Random(8)
    cases = [some_case(chance) for _ in range(300)]
    written = json.dumps([asdict(traffic) | asdict(sizing) for traffic, sizing in cases])

    command = [sys.executable, str(RECOMPUTE)]
    answers = json.loads(subprocess.run(command, input=written, capture_output=True, text=True, check=True).stdout)

    for (traffic, sizing), answer in zip(cases, answers, strict=True):
        ours = {mode: cost.month for mode, cost in costs_of(traffic, sizing).items()}
        assert ours == {mode: pytest.approx(float(total), rel=1e-9) for mode, total in answer.items()}


def test_a_real_time_endpoint_costs_the_same_with_little_traffic():
    cost = estimate("real-time", Traffic(1), Sizing(instance="ml.m5.large", min_instances=2), PRICES)

    assert cost.month == pytest.approx(2 * 0.115 * 730, abs=0.001)
    assert cost.per_thousand == pytest.approx(cost.month * 1000)


def test_instances_are_counted_for_the_peak():
    traffic = Traffic(100_000_000, busy_hours=10, peak_factor=6)

    assert traffic.peak_calls_a_second == pytest.approx(100_000_000 * 6 / (10 * 365 / 12 * 3600))
    assert Sizing(calls_a_second=100).instances(traffic) == 6


def test_larger_calls_cost_less_per_message():
    single, batched = (estimate("serverless", replace(QUIET, texts_a_call=n), Sizing(), PRICES) for n in (1, 10))

    assert batched.per_thousand < single.per_thousand / 5


def test_the_break_even_is_where_both_cost_the_same():
    traffic, sizing = Traffic(1_000, busy_hours=24, peak_factor=1), Sizing()

    at = replace(traffic, messages_a_month=break_even(traffic, sizing, PRICES))

    assert sizing.instances(at) == sizing.min_instances
    assert estimate("real-time", at, sizing, PRICES).month == pytest.approx(
        estimate("serverless", at, sizing, PRICES).month
    )


def test_there_is_no_break_even_where_peaks_fill_an_instance_before_it_pays():
    traffic = replace(QUIET, busy_hours=1, peak_factor=20)

    assert break_even(traffic, Sizing(), PRICES) == math.inf
    busy = costs_of(replace(traffic, messages_a_month=1e9))
    assert busy["serverless"].month < busy["real-time"].month


def test_a_small_model_is_cheapest_inside_the_functions():
    advice = advise(QUIET)

    assert advice.mode == "embedded"
    assert "serverless would be $0.16 more" in advice.why
    assert advice.ruled_out == {}


@pytest.mark.parametrize(
    ("needs", "mode", "ruled_out"),
    [
        (["own-service"], "serverless", {"embedded"}),
        (["no-cold-start", "own-service"], "real-time", {"serverless", "embedded"}),
        (["canary"], "real-time", {"serverless", "embedded"}),
        (["capture"], "real-time", {"serverless", "embedded"}),
        (["no-cold-start"], "embedded", {"serverless"}),
    ],
)
def test_needs_rule_modes_out(needs, mode, ruled_out):
    advice = advise(QUIET, *needs)

    assert (advice.mode, set(advice.ruled_out)) == (mode, ruled_out)


def test_a_large_model_is_not_embedded():
    advice = advise(QUIET, model_bytes=800_000_000)

    assert advice.mode == "serverless"
    assert "800 MB is too large" in advice.ruled_out["embedded"]


def test_a_peak_over_the_limit_of_serverless_rules_it_out():
    traffic = Traffic(5_000_000_000, busy_hours=8)

    advice = advise(traffic, model_bytes=800_000_000)

    assert advice.mode == "real-time"
    assert "calls at a time; a serverless endpoint takes 200" in advice.ruled_out["serverless"]


@pytest.mark.parametrize(
    "shape",
    [{"messages_a_month": 0}, {"busy_hours": 25}, {"peak_factor": 0.5}, {"texts_a_call": 0.1}, {"bytes_a_text": -1}],
)
def test_invalid_traffic_is_refused(shape):
    with pytest.raises(TrafficError):
        Traffic(**{"messages_a_month": 1.0, **shape})


# --- The command ----------------------------------------------------------------------------------------------


def test_the_command_recommends_a_mode_with_the_reason(capsys):
    assert main(["cost", "--messages-a-day", "2000", "--need", "canary"]) == 0

    said = capsys.readouterr().out
    assert "us-east-1, read 2026-" in said
    assert "Take real-time: the cheapest that does what is needed" in said
    assert "Not serverless: SageMaker shifts no traffic by parts" in said


def test_the_command_prints_json(capsys):
    assert main(["cost", "--messages-a-day", "2000", "--json"]) == 0

    figures = json.loads(capsys.readouterr().out)
    assert figures["modes"]["real-time"]["month"] == pytest.approx(74.47, abs=0.05)
    assert figures["recommended"]["mode"] == "embedded"


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--messages-a-day", "0"], "messages a month is 0; it must be over 0"),
        (["--messages-a-day", "9", "--instance", "ml.x"], "has no ml.x; it has"),
        (["--messages-a-day", "9", "--model", "nowhere"], "there is no such file"),
        (["--messages-a-day", "9", "--prices", "nowhere"], "nowhere: No such file"),
    ],
)
def test_what_cannot_be_priced_is_reported(options, complaint, capsys):
    assert main(["cost", *options]) == 2

    assert complaint in capsys.readouterr().err
