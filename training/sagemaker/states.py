"""States of jobs and of the trials of tuning jobs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

COMPLETED = "Completed"
_ENDED = (COMPLETED, "Failed", "Stopped")


@dataclass(frozen=True, slots=True)
class JobState:
    """A job as AWS describes it, with "", 0 or None for missing values; `reason` is why it failed."""

    name: str
    status: str
    detail: str = ""
    reason: str = ""
    created: datetime | None = None
    ended: datetime | None = None
    model_uri: str = ""
    hyperparameters: Mapping[str, str] = field(default_factory=dict)
    channels: Mapping[str, str] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    instance: str = ""
    count: int = 1
    billable_seconds: int = 0

    @property
    def has_ended(self) -> bool:
        return self.status in _ENDED

    @property
    def is_completed(self) -> bool:
        return self.status == COMPLETED

    def describe(self) -> str:
        """Return the status with its detail, if any."""
        return f"{self.status} ({self.detail})" if self.detail and self.detail != self.status else self.status


@dataclass(frozen=True, slots=True)
class Trial:
    """A training job of a tuning job, with its hyperparameters and its validation accuracy, once reported."""

    name: str
    status: str
    values: Mapping[str, str]
    accuracy: float | None
