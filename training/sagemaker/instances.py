"""Which instances a BlazingText job can use, from the documentation's table of modes and instances."""

from collections.abc import Collection, Iterator

from training.blazingtext.hyperparameters import SUPERVISED

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
