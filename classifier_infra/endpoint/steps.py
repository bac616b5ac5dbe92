"""What a command is going to do, as data: steps, each with a sentence that is said before it is carried out."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from classifier_infra.endpoint.history import Event


@dataclass(frozen=True, slots=True)
class Call:
    """A call of an AWS API that changes something: boto3's names of the service and the method, and its arguments."""

    service: str
    method: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Upload:
    """Copy a model folder into the model store, under its version."""

    folder: Path
    version: str


@dataclass(frozen=True, slots=True)
class Await:
    """Wait until an endpoint has settled in service with a configuration; None: until it is gone."""

    endpoint: str
    config: str | None
    seconds: int


@dataclass(frozen=True, slots=True)
class SmokeTest:
    """Ask an endpoint its model's canaries."""

    endpoint: str
    version: str


@dataclass(frozen=True, slots=True)
class Activate:
    """Tell everybody which version is in use."""

    version: str


@dataclass(frozen=True, slots=True)
class Remember:
    """Add an event to an endpoint's history."""

    endpoint: str
    event: Event


Action = Call | Upload | Await | SmokeTest | Activate | Remember


@dataclass(frozen=True, slots=True)
class Step:
    """An action, and the sentence that explains it beforehand."""

    says: str
    action: Action
