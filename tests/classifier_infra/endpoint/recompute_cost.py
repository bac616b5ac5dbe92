"""Prices one month again, in cents of its own: no code of the project, exact fractions, the price table as plain JSON.

Reads a JSON list of cases from standard input, writes the list of USD a month by mode. Run by test_cost.py.
"""

import json
import sys
from fractions import Fraction
from pathlib import Path

TABLE = json.loads((Path(__file__).parents[3] / "classifier_infra" / "prices.json").read_text(), parse_float=Fraction)
SECONDS_OF_A_MONTH = 730 * 60 * 60


def month(case: dict[str, Fraction], instance: str) -> dict[str, str]:
    sagemaker, function = TABLE["sagemaker"], TABLE["lambda"]["gb_second"] * case["function_gb"]
    messages = case["messages_a_month"]
    calls = messages / case["texts_a_call"]
    busy_seconds = SECONDS_OF_A_MONTH * case["busy_hours"] / 24
    peak = calls / busy_seconds * case["peak_factor"]
    machines = max(-(-peak // case["calls_a_second"]), case["min_instances"])
    gigabytes = messages * case["bytes_a_text"] / (1024 * 1024 * 1024)
    compute = sagemaker["serverless"]["gb_second"] * case["serverless_gb"] * case["serverless_seconds"]
    totals = {
        "real-time": machines * sagemaker["instances"][instance]["hour"] * 730
        + gigabytes * sagemaker["data_gb"]
        + calls * case["endpoint_seconds"] * function,
        "serverless": calls * (compute + case["serverless_seconds"] * function) + gigabytes * sagemaker["data_gb"],
        "embedded": messages * case["embedded_seconds"] * function,
    }
    return {mode: str(float(total)) for mode, total in totals.items()}


cases = json.load(sys.stdin)
answers = [
    month({name: Fraction(value) for name, value in case.items() if name != "instance"}, case["instance"])
    for case in cases
]
json.dump(answers, sys.stdout)
