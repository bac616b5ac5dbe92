"""What is wrong or doubtful with a job's hyperparameters, beyond their names and values; and what tuning searches.

Sources: the developer guide's pages blazingtext_hyperparameters and blazingtext-tuning.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from training.blazingtext.hyperparameters import SUPERVISED, HyperparameterError, Value, resolve

OBJECTIVE = "validation:accuracy"
"""The metric that tuning maximises; a job reports it once, at its end."""


@dataclass(frozen=True, slots=True)
class Range:
    """Values of a tuned hyperparameter, both ends included."""

    low: float
    high: float


DOCUMENTED_RANGES: Mapping[str, Range] = {
    "buckets": Range(1_000_000, 10_000_000),
    "epochs": Range(5, 15),
    "learning_rate": Range(0.005, 0.01),
    "min_count": Range(0, 100),
    "vector_dim": Range(32, 300),
    "word_ngrams": Range(1, 3),
}
"""What the documentation recommends for tuning, and which hyperparameters can be tuned at all."""

# From here on fastText's weights overflow on some data.
_DIVERGES = 1.0
USUAL_RATES = Range(0.01, 0.5)
"""Learning rates that need no explanation. The documented range leaves out the default of 0.05 itself."""


def find_faults(mode: str, given: Mapping[str, str], has_validation: bool) -> list[str]:
    """Tell what the algorithm would refuse, or fail at after it has been paid for."""
    try:
        values = resolve(mode, given)
    except HyperparameterError as error:
        return [*error.faults]
    return [*_check_together(mode, values, has_validation)]


def _check_together(mode: str, values: Mapping[str, Value], has_validation: bool) -> Iterator[str]:
    if values["learning_rate"] > _DIVERGES:
        yield f"learning_rate={values['learning_rate']:g} makes the weights overflow; write {_DIVERGES:g} at most"
    if mode == SUPERVISED and values["early_stopping"] and not has_validation:
        yield "early_stopping=True needs validation rows; prepare some (--validation), or write early_stopping=False"


def find_doubts(mode: str, given: Mapping[str, str]) -> list[str]:
    """Tell what is legal but seldom meant. The values have no fault."""
    values = resolve(mode, given)
    doubts = []
    if not USUAL_RATES.low <= values["learning_rate"] <= USUAL_RATES.high:
        doubts.append(explain_rate(values["learning_rate"]))
    if mode != SUPERVISED:
        return doubts
    if values["early_stopping"] and values["epochs"] <= values["min_epochs"]:
        doubts.append(
            f"early_stopping never comes into play: epochs ({values['epochs']}) is not more than "
            f"min_epochs ({values['min_epochs']})"
        )
    if not values["early_stopping"] and {"patience", "min_epochs"} & given.keys():
        doubts.append("patience and min_epochs do nothing without early_stopping=True")
    return doubts


def explain_rate(rate: float) -> str:
    """Say what is unusual about a learning rate."""
    if rate < USUAL_RATES.low:
        return (
            f"learning_rate={rate:g} is far below the default of 0.05: with few rows or epochs the model hardly learns "
            "(the documentation recommends 0.005 to 0.01 for tuning, which leaves its own default out)"
        )
    return f"learning_rate={rate:g} is more than ten times the default of 0.05: watch the validation accuracy"
