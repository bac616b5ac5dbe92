"""What the log of a BlazingText training job tells. Pure; the lines are those of real jobs, of 2019 and of 2022.

Lines are never counted: threads race, and on small data some ends of epochs are missing.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

_SCORE = r"([0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)"
_TRAIN_ACCURACY = re.compile(rf"#train_accuracy: {_SCORE}")
_VALIDATION_ACCURACY = re.compile(rf"#validation_accuracy: {_SCORE}")
_EPOCH_ACCURACY = re.compile(rf"^Validation accuracy: {_SCORE}")
_EPOCH = re.compile(r"End of epoch: (\d+)")
_PROGRESS = re.compile(rf"Progress: {_SCORE}%")
_WORDS = re.compile(r"Number of words:\s+(\d+)")
_TRAIN_ROWS = re.compile(r"Number of train examples: (\d+)")
_VALIDATION_ROWS = re.compile(r"Number of validation examples: (\d+)")
_SECONDS = re.compile(rf"Total training time in seconds: {_SCORE}")
_FAULT = re.compile(r"\bERROR\b|Customer Error|Algorithm Error|Traceback|^Exception")


@dataclass(frozen=True, slots=True)
class TrainingLog:
    """What a log has told so far; None: not yet. Accuracies are 0 to 1, `progress` is 0 to 100.

    `epoch_accuracies` are those of the validation after epochs; the last one need not be the best, which is kept.
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
        """Give what is known after one more line."""
        if found := _EPOCH_ACCURACY.search(line):
            return replace(self, epoch_accuracies=(*self.epoch_accuracies, float(found[1])))
        for name, pattern, kind in _FIGURES:
            if found := pattern.search(line):
                figure: dict[str, Any] = {name: kind(found[1])}
                return replace(self, **figure)
        return replace(self, faults=(*self.faults, line.strip())) if _FAULT.search(line) else self

    def tell(self, before: "TrainingLog") -> str | None:
        """Say in a few words what a person would want to know of the change; None where nothing."""
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


_FIGURES = (
    ("train_accuracy", _TRAIN_ACCURACY, float),
    ("validation_accuracy", _VALIDATION_ACCURACY, float),
    ("train_rows", _TRAIN_ROWS, int),
    ("validation_rows", _VALIDATION_ROWS, int),
    ("words", _WORDS, int),
    ("epoch", _EPOCH, int),
    ("progress", _PROGRESS, float),
    ("seconds", _SECONDS, float),
)


def read_log(lines: Iterable[str]) -> TrainingLog:
    """Read a whole log."""
    log = TrainingLog()
    for line in lines:
        log = log.read(line)
    return log
