"""`python -m classifier_infra cost`: estimate what classification costs in each mode, and recommend one."""

import argparse
import json
import math
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from classifier_infra.cli.options import Commands, add_command
from classifier_infra.errors import CommandError
from classifier_infra.model.artefact import ArtefactError, read_manifest
from classifier_infra.pricing.estimate import (
    MODES,
    NEEDS,
    Cost,
    Mode,
    Recommendation,
    Sizing,
    Traffic,
    TrafficError,
    break_even,
    estimate,
    recommend,
)
from classifier_infra.pricing.prices import HOURS_A_MONTH, PriceError, Prices, load_prices

_EXAMPLES = """
examples:
  python -m classifier_infra cost --messages-a-day 2000
  python -m classifier_infra cost --messages-a-day 500000 --texts-a-call 4 --instance ml.m5.large --instances 2 \\
      --need canary --model build/models/starter
  python -m classifier_infra cost --messages-a-day 2000 --prices my-region.json --json > static_site/cost.json

--need: canary (shift traffic to a new model step by step), capture (keep requests and answers), no-cold-start (no wait
of seconds for a first answer), own-service (other programs call the endpoint too). May be given several times.

Not included, because it is the same in every mode: API Gateway, queues, tables, other work of the functions. The price
table is classifier_infra/prices.json, with its date and sources; --prices takes one of your own. The page shows
static_site/cost.json, which --json writes; without that file it shows no cost.

exit codes: 0 done; 2 the command, the model folder or the price table is invalid
"""
_DEFAULTS = Sizing()
_DAYS_A_MONTH = HOURS_A_MONTH / 24


def add_cost(commands: Commands) -> None:
    """Add the command; the parsed options have `run`, a function of the options."""
    command = add_command(
        commands,
        "cost",
        "estimate what classification costs: real-time, serverless or embedded",
        "Price each mode at your traffic, per 1,000 messages and per month, and recommend one.",
        _EXAMPLES,
    )
    command.add_argument("--messages-a-day", type=float, required=True, metavar="N", help="daily mean")
    command.add_argument(
        "--busy-hours", type=float, default=10.0, metavar="H", help="hours per day with traffic (default: 10)"
    )
    command.add_argument(
        "--peak-factor", type=float, default=5.0, metavar="X", help="peak over mean rate of busy hours (default: 5)"
    )
    command.add_argument(
        "--texts-a-call", type=float, default=1.0, metavar="N", help="messages per call (default: 1, at most 10)"
    )
    command.add_argument("--instance", default=_DEFAULTS.instance, metavar="TYPE", help="(default: %(default)s)")
    command.add_argument("--instances", type=int, default=1, metavar="N", help="minimum; 2 for availability")
    command.add_argument(
        "--memory", type=float, default=2.0, metavar="GIB", help="memory of a serverless endpoint (default: 2)"
    )
    command.add_argument(
        "--model", type=Path, metavar="MODEL_DIR", help="the model, for its size (default: a small one)"
    )
    command.add_argument("--need", action="append", choices=NEEDS, default=[], help="what the mode must support")
    command.add_argument("--prices", type=Path, metavar="FILE", help="a price table of your own")
    command.add_argument("--json", action="store_true", help="figures for programs")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    """Print the costs. Raises CommandError."""
    try:
        prices = load_prices(options.prices)
        traffic = Traffic(
            messages_a_month=options.messages_a_day * _DAYS_A_MONTH,
            busy_hours=options.busy_hours,
            peak_factor=options.peak_factor,
            texts_a_call=options.texts_a_call,
        )
        sizing = Sizing(instance=options.instance, min_instances=options.instances, serverless_gb=options.memory)
        costs = {mode: estimate(mode, traffic, sizing, prices) for mode in MODES}
        model_bytes = read_manifest(options.model).model_bytes if options.model else 0
    except (PriceError, TrafficError, ArtefactError) as error:
        raise CommandError(f"The cost cannot be estimated: {error}.", 2) from error
    advice = recommend(costs, traffic, sizing, model_bytes, options.need)
    from_messages = break_even(traffic, sizing, prices)
    if options.json:
        document = _document(options.messages_a_day, costs, advice, from_messages, prices)
        sys.stdout.write(json.dumps(document, indent=1) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in _describe(costs, advice, from_messages, traffic, prices))


def _describe(
    costs: Mapping[Mode, Cost], advice: Recommendation, from_messages: float, traffic: Traffic, prices: Prices
) -> Iterator[str]:
    yield f"List prices of {prices.region}, read {prices.as_of}, in USD; no free tier, no taxes."
    yield (
        f"{traffic.messages_a_month:,.0f} messages a month in {traffic.busy_hours:g} hours a day; "
        f"{traffic.peak_calls_a_second:,.2f} calls a second at the peak."
    )
    yield ""
    yield f"{'':<12}{'per 1,000':>12}{'a month':>14}"
    for mode, cost in costs.items():
        items = "; ".join(f"{name} {amount:,.2f}" for name, amount in cost.month_by_item.items())
        yield f"{mode:<12}{cost.per_thousand:>12,.6f}{cost.month:>14,.2f}   {items}"
    yield ""
    if math.isfinite(from_messages):
        yield f"From about {from_messages:,.0f} messages a month on, real-time is cheaper than serverless."
    else:
        yield "With peaks as high as these, serverless is cheaper than real-time at any number of messages."
    yield f"Take {advice.mode}: {advice.why}"
    for mode, reason in advice.ruled_out.items():
        yield f"Not {mode}: {reason}."


def _document(
    messages_a_day: float, costs: Mapping[Mode, Cost], advice: Recommendation, from_messages: float, prices: Prices
) -> dict[str, Any]:
    return {
        "messages_a_day": messages_a_day,
        "prices": {"region": prices.region, "as_of": prices.as_of.isoformat(), "currency": "USD"},
        "modes": {
            mode: {"per_thousand": cost.per_thousand, "month": cost.month, "items": dict(cost.month_by_item)}
            for mode, cost in costs.items()
        },
        "real_time_cheaper_from": from_messages if math.isfinite(from_messages) else None,
        "recommended": {"mode": advice.mode, "why": advice.why, "ruled_out": dict(advice.ruled_out)},
    }
