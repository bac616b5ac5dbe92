"""Events of the classifier that operators should know of, and their reporting as log lines and CloudWatch metrics."""

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import ClassVar

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

NAMESPACE = "BlazingTriage"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    """An event. With a `message` it is logged at `level` with its fields; with a `metric`, that grows by `amount`."""

    message: ClassVar[str | None] = None
    level: ClassVar[int] = logging.WARNING
    metric: ClassVar[str | None] = None

    @property
    def amount(self) -> int:
        return 1


Report = Callable[[Event], object]


def build_report(service: str) -> Report:
    """Build the reporter of a Lambda function; `service` is the metrics' dimension.

    A metric is written at once as a line of JSON on the standard output, where Lambda picks metrics up.
    """
    metrics = Metrics(namespace=NAMESPACE, service=service)

    def report(event: Event) -> None:
        if event.message:
            _log.log(event.level, event.message, extra=asdict(event))
        if event.metric:
            metrics.add_metric(event.metric, MetricUnit.Count, event.amount)
            metrics.flush_metrics()

    return report


# --- The endpoint and its fallback --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EndpointFailed(Event):
    """The endpoint gave no usable answer in any try. The caller, or SwitchedOver, logs the reason."""

    metric = "EndpointFailed"
    reason: str


@dataclass(frozen=True, slots=True)
class SwitchedOver(Event):
    """The server changed to `endpoint` or `embedded`."""

    message = "the classifier switched over"
    served_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class FallbackServed(Event):
    """The model in this process answered for the endpoint."""

    metric = "FallbackServed"
    texts: int

    @property
    def amount(self) -> int:
        return self.texts


# --- The model ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ModelChanged(Event):
    """Another model became active."""

    message = "the model changed"
    level = logging.INFO
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ModelNotChanged(Event):
    """The active version could not be read, or its model not loaded; the previous model stays active."""

    message = "the model could not be changed"
    metric = "ModelNotChanged"
    reason: str


@dataclass(frozen=True, slots=True)
class ModelLimited(Event):
    """A model is too large for this process to do all that it does with a smaller one."""

    message = "the model is too large for this process"
    version: str
    consequence: str


@dataclass(frozen=True, slots=True)
class CanariesMoved(Event):
    """A model answers its canaries differently; `moved` lists which, from what to what."""

    message = "canaries moved: the classifier only suggests"
    level = logging.ERROR
    metric = "CanariesMoved"
    version: str
    served_by: str
    moved: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CanariesUnchecked(Event):
    """A model's canaries could not be classified. A model that was never checked does not answer."""

    message = "canaries could not be asked"
    version: str
    served_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class CanariesHold(Event):
    """A model whose canaries had moved answers them as expected again."""

    message = "canaries hold"
    level = logging.INFO
    version: str
    served_by: str
