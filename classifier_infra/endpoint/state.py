"""The model store as these commands see it: which models there are, which is in use, what was done before."""

import tempfile
from collections.abc import Sequence
from pathlib import Path

from classifier_infra.endpoint.history import Event, HistoryError, history_file, history_json, parse_history
from classifier_infra.endpoint.requests import StoredModel
from classifier_infra.inference.active_model import InUse, read_in_use
from classifier_infra.inference.model_store import ModelStore, NotStored, StoreError
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
    return read_in_use(store, InUse()).version


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
