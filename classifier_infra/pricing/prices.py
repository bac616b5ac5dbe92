"""What AWS charges, from `prices.json`: a dated table with its sources, and no call to anybody."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

FORMAT = 1

# Ours: AWS bills by the second, and a month is a twelfth of a year.
HOURS_A_MONTH = 730


class PriceError(ValueError):
    """The table cannot be read, or does not have what was asked for; the message says what to do."""


@dataclass(frozen=True, slots=True)
class InstancePrice:
    """An instance type: USD an hour, for an endpoint or a job alike, and its size."""

    hour: float
    vcpus: int
    memory_gib: float


@dataclass(frozen=True, slots=True)
class Prices:
    """A table of list prices in USD. `gb_second` is a second of a GiB of memory; `as_of` is when the table was read."""

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
        """Give an instance type (`ml.c5.large`). Raises PriceError."""
        if name not in self.instances:
            known = ", ".join(self.instances)
            raise PriceError(
                f"the price table of {self.as_of} has no {name}; it has {known}. Add it to a table of your own"
            )
        return self.instances[name]


def load_prices(path: Path | None = None) -> Prices:
    """Read a price table, by default the one that comes with the program. Raises PriceError."""
    try:
        text = (
            path.read_text("utf-8") if path else resources.files("classifier_infra").joinpath("prices.json").read_text()
        )
        return parse_prices(text)
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
        raise PriceError(f"{key} is {amount!r}, which is no amount over 0")
    return amount


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise PriceError(f"as_of is {text!r}, which is no date such as 2026-11-22") from None
