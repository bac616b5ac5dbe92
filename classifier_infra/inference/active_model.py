"""Which model is in use and what a team has accepted of it, asked of the store at the price of two short questions."""

import json
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from classifier_infra.inference.model_store import ACCEPTED, ACTIVE, ModelStore, NotStored, StoreError
from classifier_infra.model.artefact import ARCHIVE, MANIFEST, ArtefactError
from classifier_infra.model.canaries import Baseline, BaselineError, parse_baselines
from classifier_infra.model.model import Model, load_model

# A version is also the name of a folder.
_VERSION = re.compile(r"\w[\w.-]{0,127}", re.ASCII)


@dataclass(frozen=True, slots=True)
class ActiveVersion:
    """What the store said when it was last asked; tags are its own. No version: it has not been told of a model yet."""

    version: str | None = None
    baselines: tuple[Baseline, ...] = ()
    active_tag: str | None = None
    accepted_tag: str | None = None


def read_in_use(store: ModelStore, known: ActiveVersion) -> ActiveVersion:
    """Ask the store for what has changed since; the same value comes back where nothing has. Raises StoreError."""
    active_tag, version = _read_active(store, known)
    accepted_tag, baselines = _read_accepted(store, known)
    return ActiveVersion(version, baselines, active_tag, accepted_tag)


def _read_active(store: ModelStore, known: ActiveVersion) -> tuple[str | None, str | None]:
    try:
        stored = store.read(ACTIVE, known.active_tag)
    except NotStored:
        if known.version is None:
            return None, None
        raise  # it was there
    if stored is None:
        return known.active_tag, known.version
    return stored.tag, parse_active(stored.content)


def parse_active(content: bytes) -> str:
    """Give the version that `active.json` names. Raises StoreError."""
    try:
        version = json.loads(content)["version"]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise StoreError(f'{ACTIVE}: not a JSON object such as {{"version": "starter-0123456789"}}') from error
    if not isinstance(version, str) or not _VERSION.fullmatch(version):
        raise StoreError(f"{ACTIVE}: the version is not a name of letters, digits, dots, hyphens and underscores")
    return version


def _read_accepted(store: ModelStore, known: ActiveVersion) -> tuple[str | None, tuple[Baseline, ...]]:
    try:
        stored = store.read(ACCEPTED, known.accepted_tag)
    except NotStored:
        return None, ()
    if stored is None:
        return known.accepted_tag, known.baselines
    try:
        return stored.tag, parse_baselines(stored.content)
    except BaselineError as error:
        raise StoreError(f"{ACCEPTED}: {error}") from error


def load_stored_model(store: ModelStore, version: str, in_memory: bool) -> Model:
    """Fetch and load a model of the store. Raises StoreError and ArtefactError."""
    with tempfile.TemporaryDirectory(prefix="stored-model-") as name:
        folder = Path(name)
        for file in (MANIFEST, ARCHIVE):
            store.fetch(f"{version}/{file}", folder / file)
        model = load_model(folder, in_memory)
    if model.manifest.version != version:
        raise ArtefactError(f"the model stored as {version} calls itself {model.manifest.version}")
    return model
