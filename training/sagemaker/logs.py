"""Logs of training jobs: reading from CloudWatch, parsing of BlazingText's lines, and waiting for a job.

The formats are those of real jobs of 2019 and 2022. Parsing never counts lines: threads race, and with small data some
ends of epochs are missing.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from training.sagemaker.aws import aws_errors
from training.sagemaker.states import JobState

TRAINING_GROUP = "/aws/sagemaker/TrainingJobs"
_LAST_LINES = 10


# --- CloudWatch -------------------------------------------------------------------------------------------------


class LogStream:
    """The log of a job, from all of its streams; it is empty before the machine has started."""

    def __init__(self, client: Any, job: str, group: str = TRAINING_GROUP) -> None:
        self._client = client
        self._group = group
        self._prefix = f"{job}/"
        self._tokens: dict[str, str] = {}

    def new_lines(self) -> Iterator[str]:
        """Yield the lines since the last call. Raises JobError."""
        for stream in self._streams():
            yield from self._read(stream)

    def _streams(self) -> list[str]:
        with aws_errors():
            try:
                found = self._client.describe_log_streams(logGroupName=self._group, logStreamNamePrefix=self._prefix)
            except ClientError as error:
                if error.response["Error"]["Code"] == "ResourceNotFoundException":
                    return []
                raise
        return [stream["logStreamName"] for stream in found["logStreams"]]

    def _read(self, stream: str) -> Iterator[str]:
        while True:
            before = self._tokens.get(stream)
            token = {"nextToken": before} if before else {}
            with aws_errors():
                page = self._client.get_log_events(
                    logGroupName=self._group, logStreamName=stream, startFromHead=True, **token
                )
            self._tokens[stream] = page["nextForwardToken"]
            for event in page["events"]:
                yield from event["message"].splitlines()
            # At the end, CloudWatch returns the token that it was given.
            if page["nextForwardToken"] == before or not page["events"]:
                return


# --- BlazingText's lines ----------------------------------------------------------------------------------------

_SCORE = r"([0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"
_EPOCH_ACCURACY = re.compile(rf"^Validation accuracy: {_SCORE}")
_FIGURES: tuple[tuple[str, re.Pattern[str], type], ...] = (
    ("train_accuracy", re.compile(rf"#train_accuracy: {_SCORE}"), float),
    ("validation_accuracy", re.compile(rf"#validation_accuracy: {_SCORE}"), float),
    ("train_rows", re.compile(r"Number of train examples: (\d+)"), int),
    ("validation_rows", re.compile(r"Number of validation examples: (\d+)"), int),
    ("words", re.compile(r"Number of words:\s+(\d+)"), int),
    ("epoch", re.compile(r"End of epoch: (\d+)"), int),
    ("progress", re.compile(rf"Progress: {_SCORE}%"), float),
    ("seconds", re.compile(rf"Total training time in seconds: {_SCORE}"), float),
)
_FAULT = re.compile(r"\bERROR\b|Customer Error|Algorithm Error|Traceback|^Exception")


@dataclass(frozen=True, slots=True)
class TrainingLog:
    """The contents of a log so far; None if missing. Accuracies are 0 to 1, `progress` is 0 to 100.

    `epoch_accuracies` are validation accuracies after epochs; BlazingText keeps the best model, not the last.
    """

    words: int | None = None
    epoch: int | None = None
    progress: float | None = None
    epoch_accuracies: tuple[float, ...] = ()
    train_accuracy: float | None = None
    train_rows: int | None = None
    validation_accuracy: float | None = None
    validation_rows: int | None = None
    seconds: float | None = None
    faults: tuple[str, ...] = ()

    def read(self, line: str) -> "TrainingLog":
        """Return the log with one more line."""
        if found := _EPOCH_ACCURACY.search(line):
            return replace(self, epoch_accuracies=(*self.epoch_accuracies, float(found[1])))
        for name, pattern, kind in _FIGURES:
            if found := pattern.search(line):
                figure: dict[str, Any] = {name: kind(found[1])}
                return replace(self, **figure)
        return replace(self, faults=(*self.faults, line.strip())) if _FAULT.search(line) else self

    def describe_change(self, before: "TrainingLog") -> str | None:
        """Return a short description of the change since `before`, if it matters to a user."""
        if len(self.epoch_accuracies) > len(before.epoch_accuracies):
            after = f" after epoch {self.epoch}" if self.epoch else ""
            return f"validation accuracy {self.epoch_accuracies[-1]:.4f}{after}"
        if self.words != before.words:
            return f"{self.words:,} words"
        if self.train_accuracy != before.train_accuracy:
            return f"train accuracy {self.train_accuracy:.4f}"
        if self.validation_accuracy != before.validation_accuracy:
            return f"validation accuracy {self.validation_accuracy:.4f}"
        return self.faults[-1] if len(self.faults) > len(before.faults) else None


def read_log(lines: Iterable[str]) -> TrainingLog:
    """Read a whole log."""
    log = TrainingLog()
    for line in lines:
        log = log.read(line)
    return log


# --- Waiting ----------------------------------------------------------------------------------------------------


def follow(
    get_state: Callable[[], JobState],
    new_lines: Callable[[], Iterable[str]],
    poll: float,
    report: Callable[[str], object],
    show: Callable[[TrainingLog], object] = lambda log: None,
) -> tuple[JobState, TrainingLog, list[str]]:
    """Poll a job every `poll` seconds until it ends; return its state, its parsed log, and the log's last lines.

    `report` is called with each change that matters to a user, `show` with the log after each poll.
    """
    log, last_status = TrainingLog(), ""
    lines: list[str] = []
    while True:
        state = get_state()
        if state.describe() != last_status:
            last_status = state.describe()
            report(last_status)
        for line in new_lines():
            before, log = log, log.read(line)
            if line.strip():
                lines = [*lines, line][-_LAST_LINES:]
            if news := log.describe_change(before):
                report(f"  {news}")
        show(log)
        # The state is older than the log, so the log of an ended job is complete.
        if state.has_ended:
            return state, log, lines
        time.sleep(poll)
