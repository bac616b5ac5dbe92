"""Read the classifier's settings from environment variables, and build its service from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from classifier_infra.inference.endpoint import REAL_TIME_BYTES, SERVERLESS_BYTES, EndpointSettings, build_endpoint
from classifier_infra.inference.events import Report
from classifier_infra.inference.fallback import Switch
from classifier_infra.inference.loader import ModelLoader
from classifier_infra.inference.model_store import open_store
from classifier_infra.inference.service import RENEWAL_SECONDS, ClassifierService

ENDPOINT, EMBEDDED, WITH_FALLBACK = "endpoint", "embedded", "endpoint-with-fallback"

_PATIENCE = {ENDPOINT: 10.0, WITH_FALLBACK: 2.0}  # seconds: with a fallback, a slow endpoint is soon given up
_MAX_BYTES = {"real-time": REAL_TIME_BYTES, "serverless": SERVERLESS_BYTES}


class SettingError(Exception):
    """A setting is missing or invalid; the message names it and the values that are allowed."""


@dataclass(frozen=True, slots=True)
class ClassifierSettings:
    """Settings of a function's classifier: the `endpoint`, or None for this process; `fallback` is both.

    `model_source` is the store with `active.json`, if any. Until that names a model, the one in the folder
    `packaged_model` serves.
    """

    packaged_model: Path
    model_source: str | None = None
    endpoint: EndpointSettings | None = None
    fallback: bool = False


def read_classifier_settings(environment: Mapping[str, str]) -> ClassifierSettings:
    """Read CLASSIFIER, ENDPOINT_NAME, ENDPOINT_TYPE, MODEL_MANIFEST and MODEL_SOURCE. Raises SettingError."""
    mode = _choose(environment, "CLASSIFIER", (ENDPOINT, EMBEDDED, WITH_FALLBACK))
    return ClassifierSettings(
        packaged_model=Path(require(environment, "MODEL_MANIFEST")).parent,
        model_source=environment.get("MODEL_SOURCE") or None,
        endpoint=None if mode == EMBEDDED else _read_endpoint(environment, mode),
        fallback=mode == WITH_FALLBACK,
    )


def _read_endpoint(environment: Mapping[str, str], mode: str) -> EndpointSettings:
    kind = _choose(environment, "ENDPOINT_TYPE", tuple(_MAX_BYTES))
    return EndpointSettings(require(environment, "ENDPOINT_NAME"), _MAX_BYTES[kind], _PATIENCE[mode])


def require(environment: Mapping[str, str], name: str) -> str:
    """Return a variable's value. Raises SettingError if it is unset or empty."""
    value = environment.get(name)
    if not value:
        raise SettingError(f"The environment variable {name} is not set.")
    return value


def _choose(environment: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """Return a variable's value, by default the first choice. Raises SettingError."""
    value = environment.get(name) or choices[0]
    if value not in choices:
        raise SettingError(f"The environment variable {name} is none of {', '.join(choices)}.")
    return value


def build_service(
    settings: ClassifierSettings, report: Report, renewal_seconds: float = RENEWAL_SECONDS
) -> ClassifierService:
    """Build the service of a function, without loading a model or calling AWS yet."""
    loader = ModelLoader(
        packaged=settings.packaged_model,
        store=open_store(settings.model_source) if settings.model_source else None,
        endpoint=build_endpoint(settings.endpoint, report) if settings.endpoint else None,
        fallback=settings.fallback,
        switch=Switch(report),
        report=report,
    )
    return ClassifierService(loader, renewal_seconds)
