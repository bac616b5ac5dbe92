"""Checks of training jobs: combinations of hyperparameters, unusual values, instance types.

Sources: the developer guide's pages blazingtext_hyperparameters and blazingtext-tuning.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from training.blazingtext.hyperparameters import SUPERVISED, HyperparameterError, Value, resolve

OBJECTIVE = "validation:accuracy"
"""The metric that tuning maximises; a job reports it once, at its end."""

# --- Hyperparameters --------------------------------------------------------------------------------------------


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
"""The documentation's recommended ranges for tuning; other hyperparameters cannot be tuned."""

# Above this rate, fastText's weights overflow on some data.
_DIVERGES = 1.0
USUAL_RATES = Range(0.01, 0.5)
"""Learning rates without a warning. The documented range excludes even the default of 0.05."""


def find_faults(mode: str, given: Mapping[str, str], has_validation: bool) -> list[str]:
    """Return what the algorithm would reject, or fail at after costing money."""
    try:
        values = resolve(mode, given)
    except HyperparameterError as error:
        return [*error.faults]
    return [*_check_together(mode, values, has_validation)]


def _check_together(mode: str, values: Mapping[str, Value], has_validation: bool) -> Iterator[str]:
    if values["learning_rate"] > _DIVERGES:
        yield f"learning_rate={values['learning_rate']:g} makes the weights overflow; use {_DIVERGES:g} at most"
    if mode == SUPERVISED and values["early_stopping"] and not has_validation:
        yield "early_stopping=True needs validation rows; prepare some (--validation), or set early_stopping=False"


def find_warnings(mode: str, given: Mapping[str, str]) -> list[str]:
    """Return warnings about values without faults (find_faults) that are rarely intended."""
    values = resolve(mode, given)
    warnings = []
    if not USUAL_RATES.low <= values["learning_rate"] <= USUAL_RATES.high:
        warnings.append(describe_rate(values["learning_rate"]))
    if mode != SUPERVISED:
        return warnings
    if values["early_stopping"] and values["epochs"] <= values["min_epochs"]:
        warnings.append(
            f"early_stopping has no effect: epochs ({values['epochs']}) is not more than "
            f"min_epochs ({values['min_epochs']})"
        )
    if not values["early_stopping"] and {"patience", "min_epochs"} & given.keys():
        warnings.append("patience and min_epochs have no effect without early_stopping=True")
    return warnings


def describe_rate(rate: float) -> str:
    """Return a warning about an unusual learning rate."""
    if rate < USUAL_RATES.low:
        return (
            f"learning_rate={rate:g} is far below the default of 0.05: with few rows or epochs the model hardly learns "
            "(the documentation recommends 0.005 to 0.01 for tuning, which excludes its own default)"
        )
    return f"learning_rate={rate:g} is more than ten times the default of 0.05: watch the validation accuracy"


# --- Instances --------------------------------------------------------------------------------------------------

_GPU_FAMILIES = ("p2", "p3", "g4dn", "g5")
_SEVERAL_GPUS = (
    "p2.8xlarge", "p2.16xlarge", "p3.8xlarge", "p3.16xlarge",
    "g4dn.12xlarge", "g5.12xlarge", "g5.24xlarge", "g5.48xlarge",
)  # fmt: skip
_MOST_INSTANCES = 100


def check_training_instance(instance: str, count: int, mode: str, known: Collection[str]) -> Iterator[str]:
    """Yield the faults of a number of instances of a type for a mode; `known` are all instance types."""
    if instance not in known:
        yield f"SageMaker has no training instance {instance!r}; {_suggest(instance, known)}"
        return
    size = instance.removeprefix("ml.")
    family = size.partition(".")[0]
    if _is_accelerated(family) and family not in _GPU_FAMILIES:
        yield f"BlazingText does not use the accelerators of {instance}; use C5, M5, P2, P3, G4dn or G5"
    elif size in _SEVERAL_GPUS and mode == SUPERVISED:
        yield f"{instance} has several GPUs, but supervised mode uses one; use ml.g4dn.xlarge or ml.p3.2xlarge"
    elif size in _SEVERAL_GPUS:
        yield f"training on several GPUs ({instance}) writes no binary; use ml.p3.2xlarge"
    elif family in _GPU_FAMILIES and mode == "batch_skipgram":
        yield f"batch_skipgram runs on CPUs, not on {instance}; use ml.c5.2xlarge, or mode skipgram"
    yield from _check_count(count, mode)


def _is_accelerated(family: str) -> bool:
    return family[0] not in "cmrt" or family.startswith("trn")


def _check_count(count: int, mode: str) -> Iterator[str]:
    if not 1 <= count <= _MOST_INSTANCES:
        yield f"{count} instances are not between 1 and {_MOST_INSTANCES}"
    elif count > 1 and mode != "batch_skipgram":
        yield f"{mode} needs exactly one instance, not {count}; only batch_skipgram uses several"


def check_instance(instance: str, known: Collection[str], use: str) -> Iterator[str]:
    """Yield the faults of an instance type for processing or transform jobs."""
    if instance not in known:
        yield f"SageMaker has no {use} instance {instance!r}; {_suggest(instance, known)}"


def _suggest(instance: str, known: Collection[str]) -> str:
    if not instance.startswith("ml.") and f"ml.{instance}" in known:
        return f"did you mean ml.{instance}?"
    family = ".".join(instance.split(".")[:2]) + "."
    alike = sorted(name for name in known if name.startswith(family))
    return f"choose from {', '.join(alike)}" if alike else "ml.c5.2xlarge is a good choice"
