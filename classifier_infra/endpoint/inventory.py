"""List the region's endpoints, configurations, models and their alarms, and find those that nothing uses.

Ours are known by a tag; others are left alone.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from classifier_infra.endpoint.aws import Clients, aws_errors, read_tags
from classifier_infra.endpoint.requests import ENDPOINT_TAG, SERVICE, SERVICE_TAG, RealTime, Shape, read_shape
from classifier_infra.pricing.prices import HOURS_A_MONTH, Prices


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint. `configs` are its configuration, and the one it is being changed to, if any."""

    name: str
    status: str
    configs: tuple[str, ...]
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Config:
    """An endpoint configuration; `shapes` are those of its variants that are of a known kind."""

    name: str
    models: tuple[str, ...]
    shapes: tuple[Shape, ...]
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Model:
    """A SageMaker model: a name for an archive and an image."""

    name: str
    tags: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm on a metric of an endpoint, or of one of its configurations."""

    name: str
    endpoint: str
    config: str | None = None


@dataclass(frozen=True, slots=True)
class Inventory:
    """The SageMaker resources and alarms in a region."""

    endpoints: Sequence[Endpoint] = ()
    configs: Sequence[Config] = ()
    models: Sequence[Model] = ()
    alarms: Sequence[Alarm] = ()


@dataclass(frozen=True, slots=True)
class Orphan:
    """A resource that nothing uses: its kind and name, the reason, and its cost in USD per month."""

    kind: str
    name: str
    why: str
    month: float = 0.0


def is_ours(tags: Mapping[str, str]) -> bool:
    return tags.get(SERVICE_TAG) == SERVICE


def find_orphans(inventory: Inventory, in_use: Collection[str], prices: Prices) -> Iterator[Orphan]:
    """Find what nothing uses; `in_use` are the endpoints that functions ask. Pure."""
    yield from _orphaned_endpoints(inventory, in_use, prices)
    running = {name for endpoint in inventory.endpoints for name in endpoint.configs}
    for alarm in inventory.alarms:
        if why := _why_orphaned(alarm, inventory, running):
            yield Orphan("alarm", alarm.name, why, prices.alarm_month)
    for config in inventory.configs:
        if is_ours(config.tags) and config.name not in running:
            yield Orphan("configuration", config.name, f"no endpoint runs it (made for {_made_for(config.tags)})")
    used = {model for config in inventory.configs for model in config.models}
    for model in inventory.models:
        if is_ours(model.tags) and model.name not in used:
            yield Orphan("model", model.name, f"no configuration has it (made for {_made_for(model.tags)})")


def _orphaned_endpoints(inventory: Inventory, in_use: Collection[str], prices: Prices) -> Iterator[Orphan]:
    configs = {config.name: config for config in inventory.configs}
    for endpoint in inventory.endpoints:
        if not is_ours(endpoint.tags) or (endpoint.name in in_use and endpoint.status != "Failed"):
            continue
        why = "it failed" if endpoint.status == "Failed" else f"none of {', '.join(sorted(in_use))}"
        shapes = [shape for name in endpoint.configs[:1] if name in configs for shape in configs[name].shapes]
        yield Orphan("endpoint", endpoint.name, why, sum(month_of(shape, prices) for shape in shapes))


def month_of(shape: Shape, prices: Prices) -> float:
    """Return what an idle fleet costs in USD per month, 0 if its price is not known."""
    if not isinstance(shape, RealTime) or shape.instance not in prices.instances:
        return 0.0
    return shape.count * prices.instance(shape.instance).hour * HOURS_A_MONTH


def _why_orphaned(alarm: Alarm, inventory: Inventory, running: Collection[str]) -> str | None:
    if alarm.endpoint not in {endpoint.name for endpoint in inventory.endpoints}:
        return f"there is no endpoint {alarm.endpoint}"
    if alarm.config is not None and alarm.config not in running:
        return f"no endpoint runs {alarm.config}"
    return None


def _made_for(tags: Mapping[str, str]) -> str:
    return tags.get(ENDPOINT_TAG, "an unknown endpoint")


# --- Reading the account -----------------------------------------------------------------------------------------


def take_inventory(clients: Clients) -> Inventory:
    """List the region's resources. Raises CloudError."""
    with aws_errors("The account's resources cannot be listed"):
        return Inventory(
            endpoints=[_endpoint(clients, entry) for entry in _list(clients, "list_endpoints", "Endpoints")],
            configs=[_config(clients, entry) for entry in _list(clients, "list_endpoint_configs", "EndpointConfigs")],
            models=[
                Model(entry["ModelName"], read_tags(clients, entry["ModelArn"]))
                for entry in _list(clients, "list_models", "Models")
            ],
            alarms=list(_alarms(clients)),
        )


def _list(clients: Clients, method: str, key: str) -> Iterator[Mapping[str, Any]]:
    paginator: Any = clients.sagemaker.get_paginator(method)  # type: ignore[call-overload]
    for page in paginator.paginate():
        yield from page[key]


def _endpoint(clients: Clients, entry: Mapping[str, Any]) -> Endpoint:
    found: Mapping[str, Any] = clients.sagemaker.describe_endpoint(EndpointName=entry["EndpointName"])
    pending = (found.get("PendingDeploymentSummary") or {}).get("EndpointConfigName")
    configs = (found["EndpointConfigName"], *([pending] if pending else []))
    return Endpoint(entry["EndpointName"], entry["EndpointStatus"], configs, read_tags(clients, entry["EndpointArn"]))


def _config(clients: Clients, entry: Mapping[str, Any]) -> Config:
    found = clients.sagemaker.describe_endpoint_config(EndpointConfigName=entry["EndpointConfigName"])
    variants: Sequence[Mapping[str, Any]] = found["ProductionVariants"]
    shapes = tuple(shape for variant in variants if (shape := _shape(variant)))
    models = tuple(variant["ModelName"] for variant in variants if "ModelName" in variant)
    return Config(entry["EndpointConfigName"], models, shapes, read_tags(clients, entry["EndpointConfigArn"]))


def _shape(variant: Mapping[str, Any]) -> Shape | None:
    try:
        return read_shape(variant)
    except KeyError:  # of a kind that we do not make
        return None


def _alarms(clients: Clients) -> Iterator[Alarm]:
    for page in clients.cloudwatch.get_paginator("describe_alarms").paginate():
        for alarm in page["MetricAlarms"]:
            dimensions = {dimension["Name"]: dimension["Value"] for dimension in alarm.get("Dimensions", [])}
            if "EndpointName" in dimensions:
                yield Alarm(alarm["AlarmName"], dimensions["EndpointName"], dimensions.get("EndpointConfigName"))
