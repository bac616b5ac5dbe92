"""Read the state that commands start from: models, the active version and history in the store, and the account."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from classifier_infra.endpoint.aws import Clients, aws_errors, has_config, has_model
from classifier_infra.endpoint.history import Event, HistoryError, history_file, history_json, parse_history
from classifier_infra.endpoint.plan import CurrentState
from classifier_infra.endpoint.requests import Deployment, Hosted, StoredModel
from classifier_infra.inference.model_store import ActiveVersion, ModelStore, NotStored, StoreError, read_active_version
from classifier_infra.model.artefact import ARCHIVE, MANIFEST, ArtefactError, read_manifest, unpacked
from classifier_infra.model.manifest import Manifest, ManifestError, parse_manifest


def find_model(store: ModelStore, version: str) -> tuple[StoredModel, Manifest]:
    """Return a model of the store with its manifest. Raises StoreError, NotStored and ArtefactError."""
    stored = store.read(f"{version}/{MANIFEST}")
    assert stored is not None  # None is only returned for a known ETag
    try:
        manifest = parse_manifest(stored.content.decode())
    except (ManifestError, UnicodeDecodeError) as error:
        raise ArtefactError(f"{version}/{MANIFEST}: {error}") from error
    return describe(store, manifest), manifest


def describe(store: ModelStore, manifest: Manifest) -> StoredModel:
    """Return a model's place in the store, whether or not it is there yet."""
    url = store.locate(f"{manifest.version}/{ARCHIVE}")
    return StoredModel(manifest.version, url, manifest.model_sha256, manifest.model_bytes)


def check_folder(folder: Path) -> Manifest:
    """Check that a folder's archive holds the model that its manifest describes. Raises ArtefactError."""
    manifest = read_manifest(folder)
    with unpacked(folder, manifest):
        return manifest


def check_stored(store: ModelStore, version: str) -> Manifest:
    """Fetch a stored model and check it as `check_folder` does. Raises StoreError and ArtefactError."""
    with tempfile.TemporaryDirectory(prefix="stored-model-") as name:
        for file in (MANIFEST, ARCHIVE):
            store.fetch(f"{version}/{file}", Path(name, file))
        manifest = check_folder(Path(name))
    if manifest.version != version:
        raise ArtefactError(f"the model stored as {version} calls itself {manifest.version}")
    return manifest


def is_stored(store: ModelStore, manifest: Manifest) -> bool:
    """Report whether the store has this model. Raises StoreError; ArtefactError if it has another of that version."""
    try:
        _, stored = find_model(store, manifest.version)
    except NotStored:
        return False
    if stored.model_sha256 != manifest.model_sha256:
        raise ArtefactError(f"the store has another model under the version {manifest.version}; train under a new name")
    return True


def active_version(store: ModelStore) -> str | None:
    """Return the version that `active.json` names, if any. Raises StoreError."""
    return read_active_version(store, ActiveVersion()).version


def read_history(store: ModelStore, endpoint: str) -> tuple[Event, ...]:
    """Return an endpoint's history, oldest event first. Raises StoreError."""
    try:
        stored = store.read(history_file(endpoint))
        assert stored is not None  # None is only returned for a known ETag
        return parse_history(stored.content)
    except NotStored:
        return ()
    except HistoryError as error:
        raise StoreError(f"{history_file(endpoint)}: {error}") from error


def write_history(store: ModelStore, endpoint: str, events: Sequence[Event]) -> None:
    """Store an endpoint's history. Raises StoreError."""
    store.write(history_file(endpoint), history_json(events))


@dataclass(frozen=True, slots=True)
class Chosen:
    """The checked model that a command was given. `folder` is None if it was read from the store."""

    manifest: Manifest
    model: StoredModel
    folder: Path | None
    is_stored: bool


def choose_model(text: str, store: ModelStore) -> Chosen:
    """Read and check a model, named by its folder or its version in the store. Raises StoreError and ArtefactError."""
    folder = model_folder(text)
    if folder is None:
        manifest = check_stored(store, text)
        return Chosen(manifest, describe(store, manifest), None, is_stored=True)
    manifest = check_folder(folder)
    return Chosen(manifest, describe(store, manifest), folder, is_stored(store, manifest))


def inspect_state(
    clients: Clients, store: ModelStore, deployment: Deployment, hosted: Hosted | None, is_stored: bool
) -> CurrentState:
    """Return the current state that a deployment is planned from. Raises CloudError and StoreError."""
    return CurrentState(
        hosted=hosted,
        has_model=has_model(clients, deployment.model_name),
        has_config=has_config(clients, deployment.config_name),
        alarms=rollback_alarms(clients, deployment.endpoint),
        is_stored=is_stored,
        active=active_version(store),
        history=read_history(store, deployment.endpoint),
    )


def rollback_alarms(clients: Clients, endpoint: str) -> tuple[str, ...]:
    """Return the names of the alarms that roll this endpoint back, without others such as those of auto scaling."""
    with aws_errors("The alarms cannot be listed"):
        pages = clients.cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=endpoint[:26].rstrip("-"))
        alarms = [alarm for page in pages for alarm in page["MetricAlarms"]]
    return tuple(
        alarm["AlarmName"]
        for alarm in alarms
        if {"Name": "EndpointName", "Value": endpoint} in alarm["Dimensions"]
        and any(dimension["Name"] == "EndpointConfigName" for dimension in alarm["Dimensions"])
    )


def accuracy_of(manifest: Manifest) -> dict[str, float]:
    """Return the test accuracy by facet that a manifest states, or the validation accuracy in its place."""
    facets = manifest.training.get("facets", {})
    found = {
        name: (entry.get("test") or entry.get("validation") or {}).get("accuracy") for name, entry in facets.items()
    }
    return {name: accuracy for name, accuracy in found.items() if accuracy is not None}


def model_folder(text: str) -> Path | None:
    """Return the folder that a MODEL argument names, None if it names a version of the store."""
    return Path(text) if Path(text, MANIFEST).exists() or "/" in text else None
