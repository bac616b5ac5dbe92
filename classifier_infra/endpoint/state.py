"""The model store as these commands see it: which models there are, which is in use, what was done before."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from classifier_infra.endpoint.aws import Clients, explained, has_config, has_model
from classifier_infra.endpoint.history import Event, HistoryError, history_file, history_json, parse_history
from classifier_infra.endpoint.plan import Seen
from classifier_infra.endpoint.requests import Deployment, Hosted, StoredModel
from classifier_infra.inference.model_store import ActiveVersion, ModelStore, NotStored, StoreError, read_active_version
from classifier_infra.model.artefact import ARCHIVE, MANIFEST, ArtefactError, read_manifest, unpacked
from classifier_infra.model.manifest import Manifest, ManifestError, parse_manifest


def find_model(store: ModelStore, version: str) -> tuple[StoredModel, Manifest]:
    """Find a model that the store has. Raises StoreError, NotStored and ArtefactError."""
    stored = store.read(f"{version}/{MANIFEST}")
    assert stored is not None  # only a known tag gives None
    try:
        manifest = parse_manifest(stored.content.decode())
    except (ManifestError, UnicodeDecodeError) as error:
        raise ArtefactError(f"{version}/{MANIFEST}: {error}") from error
    return describe(store, manifest), manifest


def describe(store: ModelStore, manifest: Manifest) -> StoredModel:
    """Describe a model as it is, or would be, in the store."""
    url = store.locate(f"{manifest.version}/{ARCHIVE}")
    return StoredModel(manifest.version, url, manifest.model_sha256, manifest.model_bytes)


def check_folder(folder: Path) -> Manifest:
    """Check a model folder: its archive holds the very model that its manifest describes. Raises ArtefactError."""
    manifest = read_manifest(folder)
    with unpacked(folder, manifest):
        return manifest


def check_stored(store: ModelStore, version: str) -> Manifest:
    """Check a stored model as `check_folder` does; it is fetched for that. Raises StoreError and ArtefactError."""
    with tempfile.TemporaryDirectory(prefix="stored-model-") as name:
        for file in (MANIFEST, ARCHIVE):
            store.fetch(f"{version}/{file}", Path(name, file))
        manifest = check_folder(Path(name))
    if manifest.version != version:
        raise ArtefactError(f"the model stored as {version} calls itself {manifest.version}")
    return manifest


def is_stored(store: ModelStore, manifest: Manifest) -> bool:
    """Tell whether the store has this very model. Raises StoreError, and ArtefactError where it has another one."""
    try:
        _, stored = find_model(store, manifest.version)
    except NotStored:
        return False
    if stored.model_sha256 != manifest.model_sha256:
        raise ArtefactError(f"the store has another model under the version {manifest.version}; train under a new name")
    return True


def active_version(store: ModelStore) -> str | None:
    """Give the version that `active.json` names, if there is one. Raises StoreError."""
    return read_active_version(store, ActiveVersion()).version


def read_history(store: ModelStore, endpoint: str) -> tuple[Event, ...]:
    """Give an endpoint's history, oldest first. Raises StoreError."""
    try:
        stored = store.read(history_file(endpoint))
        assert stored is not None  # only a known tag gives None
        return parse_history(stored.content)
    except NotStored:
        return ()
    except HistoryError as error:
        raise StoreError(f"{history_file(endpoint)}: {error}") from error


def write_history(store: ModelStore, endpoint: str, events: Sequence[Event]) -> None:
    """Raises StoreError."""
    store.write(history_file(endpoint), history_json(events))


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


def observe(
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


def model_folder(text: str) -> Path | None:
    """Give the folder that a MODEL argument names, None where it names a version of the store."""
    return Path(text) if Path(text, MANIFEST).exists() or "/" in text else None
