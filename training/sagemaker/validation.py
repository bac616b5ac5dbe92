"""What is wrong or doubtful with a job's hyperparameters, beyond their names and values; and what tuning searches.

Sources: the developer guide's pages blazingtext_hyperparameters and blazingtext-tuning.
"""

from collections.abc import Collection, Iterator, Mapping
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


_GPU_FAMILIES = ("p2", "p3", "g4dn", "g5")
_SEVERAL_GPUS = frozenset(
    (
        "p2.8xlarge",
        "p2.16xlarge",
        "p3.8xlarge",
        "p3.16xlarge",
        "g4dn.12xlarge",
        "g5.12xlarge",
        "g5.24xlarge",
        "g5.48xlarge",
    )
)
_MOST_INSTANCES = 100


def check_training_instance(instance: str, count: int, mode: str, known: Collection[str]) -> Iterator[str]:
    """Tell what is wrong with a number of instances of a type for a mode; `known` are all types there are."""
    if instance not in known:
        yield f"SageMaker has no training instance {instance!r}; {_suggest(instance, known)}"
        return
    size = instance.removeprefix("ml.")
    family = size.partition(".")[0]
    if _is_accelerated(family) and family not in _GPU_FAMILIES:
        yield f"BlazingText does not use the accelerators of {instance}; take a C5 or M5, or one of P2, P3, G4dn, G5"
    elif size in _SEVERAL_GPUS and mode == SUPERVISED:
        yield f"{instance} has several GPUs, of which supervised mode uses one; take ml.g4dn.xlarge or ml.p3.2xlarge"
    elif size in _SEVERAL_GPUS:
        yield f"training on several GPUs ({instance}) writes no binary; take ml.p3.2xlarge"
    elif family in _GPU_FAMILIES and mode == "batch_skipgram":
        yield f"batch_skipgram runs on processors, not on {instance}; take ml.c5.2xlarge, or mode skipgram"
    yield from _check_count(count, mode)


def _is_accelerated(family: str) -> bool:
    return family[0] not in "cmrt" or family.startswith("trn")


def _check_count(count: int, mode: str) -> Iterator[str]:
    if not 1 <= count <= _MOST_INSTANCES:
        yield f"{count} instances are not between 1 and {_MOST_INSTANCES}"
    elif count > 1 and mode != "batch_skipgram":
        yield f"{mode} trains on exactly one instance, not {count}; only batch_skipgram spreads over several"


def check_instance(instance: str, known: Collection[str], use: str) -> Iterator[str]:
    """Tell what is wrong with an instance type for processing or transform jobs."""
    if instance not in known:
        yield f"SageMaker has no {use} instance {instance!r}; {_suggest(instance, known)}"


def _suggest(instance: str, known: Collection[str]) -> str:
    if not instance.startswith("ml.") and f"ml.{instance}" in known:
        return f"did you mean ml.{instance}?"
    family = ".".join(instance.split(".")[:2]) + "."
    alike = sorted(name for name in known if name.startswith(family))
    return f"of this family it has {', '.join(alike)}" if alike else "ml.c5.2xlarge is a good choice"
