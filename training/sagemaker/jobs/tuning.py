"""What tuning searches, and which of its jobs is the best. Pure."""

from collections.abc import Mapping, Sequence

from training.blazingtext.hyperparameters import RULES, SUPERVISED
from training.sagemaker.requests import Searched
from training.sagemaker.states import Trial
from training.sagemaker.validation import DOCUMENTED_RANGES, USUAL_RATES, Range, explain_rate

DEFAULT_RANGES: Mapping[str, Range] = {
    "epochs": DOCUMENTED_RANGES["epochs"],
    "learning_rate": USUAL_RATES,
    "vector_dim": Range(8, 64),
    "word_ngrams": DOCUMENTED_RANGES["word_ngrams"],
}
"""What is searched where nothing is said. Learning rates are those that fastText is used with: the documented 0.005 to
0.01 leave out the default of 0.05. Dimensions stay small: a model's size grows with them, its accuracy hardly."""


def best(trials: Sequence[Trial]) -> Trial | None:
    """Give the trial with the highest validation accuracy, the first of equal ones; None where none has one."""
    return next(iter(ranked(trials)), None)


def ranked(trials: Sequence[Trial]) -> list[Trial]:
    """Give the trials that have an accuracy, the best first."""
    return sorted((trial for trial in trials if trial.accuracy is not None), key=lambda trial: -(trial.accuracy or 0.0))


def find_range_faults(ranges: Mapping[str, Range], fixed: Mapping[str, str]) -> list[str]:
    """Tell which ranges cannot be searched."""
    faults = []
    for name, searched in ranges.items():
        if name not in DOCUMENTED_RANGES:
            faults.append(f"{name} cannot be tuned; {', '.join(DOCUMENTED_RANGES)} can")
        elif name in fixed:
            faults.append(f"{name} is both fixed (--set) and searched (--range); leave one out")
        elif not searched.low < searched.high:
            faults.append(f"{name}={searched.low:g}:{searched.high:g} is no range from low to high")
        else:
            faults += _check_ends(name, searched)
    return faults


def _check_ends(name: str, searched: Range) -> list[str]:
    is_whole = isinstance(RULES[SUPERVISED][name].default, int)
    for end in (searched.low, searched.high):
        if is_whole and end != int(end):
            return [f"{name} is a whole number; {end:g} is none"]
        try:
            RULES[SUPERVISED][name].parse(_write(end, is_whole))
        except ValueError:
            return [f"{name} cannot be {end:g}: {RULES[SUPERVISED][name].legal}"]
    if name == "learning_rate" and searched.high > 1:
        return [f"learning_rate up to {searched.high:g} makes the weights overflow; search 1 at most"]
    return []


def find_range_doubts(ranges: Mapping[str, Range]) -> list[str]:
    """Tell what is unusual about the ranges."""
    doubts = []
    rates = ranges.get("learning_rate")
    if rates and rates.high < USUAL_RATES.low * 5:
        doubts.append(explain_rate(rates.low))
    beyond = [
        f"{name} {searched.low:g} to {searched.high:g} (documented: {known.low:g} to {known.high:g})"
        for name, searched in ranges.items()
        if (known := DOCUMENTED_RANGES.get(name)) and (searched.low < known.low or searched.high > known.high)
    ]
    if beyond:
        doubts.append(
            f"outside the ranges that the documentation recommends: {'; '.join(beyond)}. "
            "Should the service refuse them, --range takes others"
        )
    return doubts


def to_searched(ranges: Mapping[str, Range]) -> list[Searched]:
    """Give the ranges as a request takes them; learning rates are searched by their magnitude."""
    searched = []
    for name, each in ranges.items():
        is_whole = isinstance(RULES[SUPERVISED][name].default, int)
        scale = "Logarithmic" if name == "learning_rate" else "Auto"
        searched.append(Searched(name, _write(each.low, is_whole), _write(each.high, is_whole), is_whole, scale))
    return searched


def _write(value: float, is_whole: bool) -> str:
    return str(int(value)) if is_whole else f"{value:g}"


def write_table(trials: Sequence[Trial]) -> str:
    """Give the trials as a table, the best first, those without an accuracy last."""
    names = sorted({name for trial in trials for name in trial.values})
    rows = [["accuracy", *names, "job"]]
    others = [trial for trial in trials if trial.accuracy is None]
    for trial in [*ranked(trials), *others]:
        told = f"{trial.accuracy:.4f}" if trial.accuracy is not None else trial.status
        rows.append([told, *(trial.values.get(name, "") for name in names), trial.name])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)) for row in rows)
    return "".join(f"{line.rstrip()}\n" for line in lines)
