"""Read which endpoints and variants to serve from a file, and load their models.

support:                                          # an endpoint
  current: {model: models/starter, weight: 9}     # a variant; folders are relative to this file
  candidate: {model: models/candidate}            # weight 1
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import fasttext
import yaml

from classifier_infra.local.container import Scorer
from classifier_infra.local.endpoint import Endpoint, Variant
from classifier_infra.model.artefact import MANIFEST, MODEL, LoadedModel, open_artefact
from classifier_infra.model.model_file import open_model_file

# SageMaker's name for the variant of an endpoint that was created without naming one.
ONLY_VARIANT = "AllTraffic"

_NAME = re.compile(r"[a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,62}")
_FIELDS = {"model", "weight"}


class HostingError(ValueError):
    """The file of endpoints is not valid; the message says where, and what to write there."""


@dataclass(frozen=True, slots=True)
class HostedVariant:
    """A variant to serve: its name, its model's folder and its share of the traffic."""

    name: str
    model: Path
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class HostedEndpoint:
    """An endpoint to serve, with its variants."""

    name: str
    variants: tuple[HostedVariant, ...]


def read_hosting(path: Path) -> list[HostedEndpoint]:
    """Read a YAML or JSON file of endpoints. Raises HostingError."""
    try:
        data = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise HostingError(f"{path}: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise HostingError(f"{path}: not valid YAML: {error}") from error
    try:
        return [_endpoint(name, variants, path.parent) for name, variants in _entries(data, "the file")]
    except HostingError as error:
        raise HostingError(f"{path}: {error}") from error


def open_endpoints(hosted: Sequence[HostedEndpoint], open_model: Callable[[Path], Scorer]) -> list[Endpoint]:
    """Load the models, each folder only once."""
    open_once = cache(open_model)
    return [
        Endpoint(
            endpoint.name,
            [Variant(variant.name, open_once(variant.model), variant.weight) for variant in endpoint.variants],
        )
        for endpoint in hosted
    ]


def check_name(name: object) -> str:
    """Return the name of an endpoint or variant if SageMaker would accept it. Raises HostingError."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise HostingError(f"{name!r} is not 1 to 63 letters, digits and inner hyphens")
    return name


def _endpoint(name: object, data: object, base: Path) -> HostedEndpoint:
    endpoint = check_name(name)
    variants = tuple(_variant(name, data, f"{endpoint}.{name}", base) for name, data in _entries(data, endpoint))
    if not any(variant.weight for variant in variants):
        raise HostingError(f"{endpoint}: the weights add up to 0; give at least one variant more")
    return HostedEndpoint(endpoint, variants)


def _variant(name: object, data: object, place: str, base: Path) -> HostedVariant:
    fields: dict[object, Any] = dict(_entries(data, place))
    if unknown := set(fields) - _FIELDS:
        raise HostingError(f"{place}: {sorted(map(str, unknown))[0]!r} is not a field; the fields are model and weight")
    if not isinstance(fields.get("model"), str):
        raise HostingError(f"{place}: model must name a model folder")
    return HostedVariant(check_name(name), base / fields["model"], _weight(fields.get("weight", 1), place))


def _weight(value: object, place: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < float("inf"):
        raise HostingError(f"{place}: weight is {value!r}; it must be a number, 0 or more")
    return value


def _entries(data: object, place: str) -> Iterator[tuple[object, object]]:
    if not isinstance(data, dict) or not data:
        raise HostingError(f"{place}: names with their settings are needed here, such as `current: {{model: FOLDER}}`")
    yield from data.items()


def open_model(folder: Path) -> Scorer:
    """Check and load the model of a folder. Raises ArtefactError or ModelFileError."""
    if (folder / MANIFEST).exists() or not (folder / MODEL).exists():
        return open_artefact(folder)
    path = folder / MODEL
    labels = open_model_file(path).labels  # fastText itself would load a damaged file without an error
    return LoadedModel(fasttext.load_model(str(path)), len(labels))
