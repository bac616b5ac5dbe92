"""AWS's list prices, read from the dated table `prices.json`, which names its sources."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

FORMAT = 1

HOURS_A_MONTH = 730  # a twelfth of a year


class PriceError(ValueError):
    """The table cannot be read or lacks an instance; the message says what to do."""


@dataclass(frozen=True, slots=True)
class InstancePrice:
    """An instance type: USD an hour, the same for endpoints and jobs, and its size."""

    hour: float
    vcpus: int
    memory_gib: float


@dataclass(frozen=True, slots=True)
class Prices:
    """List prices in USD as of a date; a `gb_second` is a GiB of memory for a second."""

    as_of: date
    region: str
    instances: Mapping[str, InstancePrice]
    serverless_gb_second: float
    endpoint_data_gb: float
    training_volume_gb_month: float
    processing_volume_gb_month: float
    lambda_gb_second: float
    lambda_million_requests: float
    alarm_month: float
    s3_gb_month: float

    def instance(self, name: str) -> InstancePrice:
        """Return the price of an instance type such as `ml.c5.large`. Raises PriceError."""
        if name not in self.instances:
            known = ", ".join(self.instances)
            raise PriceError(f"the price table of {self.as_of} has no {name}; it has {known}. Add it to your own table")
        return self.instances[name]


def load_prices(path: Path | None = None) -> Prices:
    """Read a price table, by default the packaged one. Raises PriceError."""
    try:
        table = path or resources.files("classifier_infra") / "prices.json"
        return parse_prices(table.read_text("utf-8"))
    except OSError as error:
        raise PriceError(f"{path}: {error.strerror}") from error
    except (PriceError, UnicodeDecodeError) as error:
        raise PriceError(f"{path or 'prices.json'}: {error}") from error


def parse_prices(text: str) -> Prices:
    """Read a price table from its text. Raises PriceError."""
    try:
        table = json.loads(text)
        if table["format"] != FORMAT:
            raise PriceError(f"format {table['format']!r} is not {FORMAT}, the one this program reads")
        return _from_json(table)
    except KeyError as error:
        raise PriceError(f"the key {error} is missing") from error
    except (json.JSONDecodeError, TypeError, AttributeError) as error:
        raise PriceError(f"not a price table: {error}") from error


def _from_json(table: Mapping[str, Any]) -> Prices:
    sagemaker = table["sagemaker"]
    return Prices(
        as_of=_date(table["as_of"]),
        region=table["region"],
        instances={name: _instance(name, entry) for name, entry in sagemaker["instances"].items()},
        serverless_gb_second=_amount(sagemaker["serverless"], "gb_second"),
        endpoint_data_gb=_amount(sagemaker, "data_gb"),
        training_volume_gb_month=_amount(sagemaker["volume_gb_month"], "training"),
        processing_volume_gb_month=_amount(sagemaker["volume_gb_month"], "processing"),
        lambda_gb_second=_amount(table["lambda"], "gb_second"),
        lambda_million_requests=_amount(table["lambda"], "million_requests"),
        alarm_month=_amount(table["cloudwatch"], "alarm_month"),
        s3_gb_month=_amount(table["s3"], "gb_month"),
    )


def _instance(name: str, entry: Mapping[str, Any]) -> InstancePrice:
    try:
        return InstancePrice(_amount(entry, "hour"), int(_amount(entry, "vcpus")), _amount(entry, "memory_gib"))
    except PriceError as error:
        raise PriceError(f"{name}: {error}") from error


def _amount(entry: Mapping[str, Any], key: str) -> float:
    amount = entry[key]
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not 0 < amount < float("inf"):
        raise PriceError(f"{key} is {amount!r}; it must be a number over 0")
    return amount


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise PriceError(f"as_of is {text!r}; it must be a date such as 2026-11-22") from None
