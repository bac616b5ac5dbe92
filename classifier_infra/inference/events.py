"""What operators should know of the classifier; telemetry.py makes log lines and metrics of it.

An event's `metric`, where it has one, counts `amount`; its `message`, where it has one, is logged with its fields.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `level` is one of logging's."""

    message: ClassVar[str | None] = None
    level: ClassVar[int] = logging.WARNING
    metric: ClassVar[str | None] = None

    @property
    def amount(self) -> int:
        return 1


Report = Callable[[Event], object]


@dataclass(frozen=True, slots=True)
class EndpointFailed(Event):
    """The endpoint gave no usable answer, after all tries. Whoever asked logs why, or SwitchedOver says so."""

    metric = "EndpointFailed"
    reason: str


@dataclass(frozen=True, slots=True)
class SwitchedOver(Event):
    """Another one serves from now on: `endpoint` or `embedded`."""

    message = "the classifier switched over"
    served_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class FallbackServed(Event):
    """The model in this process answered in the endpoint's place."""

    metric = "FallbackServed"
    texts: int

    @property
    def amount(self) -> int:
        return self.texts


@dataclass(frozen=True, slots=True)
class ModelChanged(Event):
    """Another model serves from now on."""

    message = "the model changed"
    level = logging.INFO
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ModelNotChanged(Event):
    """Which model should serve, or that model, could not be had; the one that was there goes on serving."""

    message = "the model could not be changed"
    metric = "ModelNotChanged"
    reason: str


@dataclass(frozen=True, slots=True)
class ModelLimited(Event):
    """A model is too large to do in this process all that a smaller one could."""

    message = "the model is too large for this process"
    version: str
    consequence: str


@dataclass(frozen=True, slots=True)
class CanariesMoved(Event):
    """A model does not answer its canaries as it should; `moved` says which, from what to what."""

    message = "canaries moved: the classifier only suggests"
    level = logging.ERROR
    metric = "CanariesMoved"
    version: str
    served_by: str
    moved: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CanariesUnchecked(Event):
    """A model's canaries could not be asked. One that never was asked does not answer until it was."""

    message = "canaries could not be asked"
    version: str
    served_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class CanariesHold(Event):
    """A model that was not to be relied upon is again."""

    message = "canaries hold"
    level = logging.INFO
    version: str
    served_by: str
