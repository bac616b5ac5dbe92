"""Looks at all that a plan depends on: the endpoint, what was made for it before, and the model store."""

from dataclasses import dataclass
from pathlib import Path

from classifier_infra.cli.options import model_folder
from classifier_infra.endpoint.aws import Clients, explained, has_config, has_model
from classifier_infra.endpoint.plan import Seen
from classifier_infra.endpoint.requests import Deployment, Hosted, StoredModel
from classifier_infra.endpoint.state import (
    active_version,
    check_folder,
    check_stored,
    describe,
    is_stored,
    read_history,
)
from classifier_infra.inference.model_store import ModelStore
from classifier_infra.model.manifest import Manifest


@dataclass(frozen=True, slots=True)
class Chosen:
    """The model that a command was given: checked, and whether the store has it. `folder` is where it was read from."""

    manifest: Manifest
    model: StoredModel
    folder: Path | None
    is_stored: bool


def choose_model(text: str, store: ModelStore) -> Chosen:
    """Read and check a model by its folder or by its version in the store. Raises StoreError and ArtefactError."""
    folder = model_folder(text)
    if folder is None:
        manifest = check_stored(store, text)
        return Chosen(manifest, describe(store, manifest), None, is_stored=True)
    manifest = check_folder(folder)
    return Chosen(manifest, describe(store, manifest), folder, is_stored(store, manifest))


def look_around(
    clients: Clients, store: ModelStore, deployment: Deployment, hosted: Hosted | None, is_stored: bool
) -> Seen:
    """Look at what there is for a deployment. Raises CloudError and StoreError."""
    return Seen(
        hosted=hosted,
        has_model=has_model(clients, deployment.model_name),
        has_config=has_config(clients, deployment.config_name),
        alarms=rollback_alarms(clients, deployment.endpoint),
        is_stored=is_stored,
        active=active_version(store),
        history=read_history(store, deployment.endpoint),
    )


def rollback_alarms(clients: Clients, endpoint: str) -> tuple[str, ...]:
    """Name the alarms that were made to take this endpoint back; others, of auto scaling say, are not among them."""
    with explained("The alarms cannot be listed"):
        pages = clients.cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=endpoint[:26].rstrip("-"))
        alarms = [alarm for page in pages for alarm in page["MetricAlarms"]]
    return tuple(
        alarm["AlarmName"]
        for alarm in alarms
        if {"Name": "EndpointName", "Value": endpoint} in alarm["Dimensions"]
        and any(dimension["Name"] == "EndpointConfigName" for dimension in alarm["Dimensions"])
    )


def accuracy_of(manifest: Manifest) -> dict[str, float]:
    """Give what the manifest says of a model's test accuracy: facet → accuracy."""
    facets = manifest.training.get("facets", {})
    found = {
        name: (entry.get("test") or entry.get("validation") or {}).get("accuracy") for name, entry in facets.items()
    }
    return {name: accuracy for name, accuracy in found.items() if accuracy is not None}
