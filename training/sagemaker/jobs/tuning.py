"""Search ranges of tuning jobs, and the ranking of their trials. Pure."""

from collections.abc import Mapping, Sequence

from training.blazingtext.hyperparameters import RULES, SUPERVISED
from training.sagemaker.requests import SearchRange
from training.sagemaker.states import Trial
from training.sagemaker.validation import DOCUMENTED_RANGES, USUAL_RATES, Range, describe_rate

DEFAULT_RANGES: Mapping[str, Range] = {
    "epochs": DOCUMENTED_RANGES["epochs"],
    "learning_rate": USUAL_RATES,
    "vector_dim": Range(8, 64),
    "word_ngrams": DOCUMENTED_RANGES["word_ngrams"],
}
"""Default ranges. Learning rates are fastText's usual ones: the documented 0.005 to 0.01 exclude the default of 0.05.
Dimensions are small, because they hardly raise a model's accuracy, but its size."""


def best(trials: Sequence[Trial]) -> Trial | None:
    """Return the trial with the highest validation accuracy, the first of equal ones, if any has one."""
    return next(iter(ranked(trials)), None)


def ranked(trials: Sequence[Trial]) -> list[Trial]:
    """Return the trials with an accuracy, best first."""
    return sorted((trial for trial in trials if trial.accuracy is not None), key=lambda trial: -(trial.accuracy or 0.0))


def find_range_faults(ranges: Mapping[str, Range], fixed: Mapping[str, str]) -> list[str]:
    """Return the faults of ranges that cannot be searched."""
    faults = []
    for name, searched in ranges.items():
        if name not in DOCUMENTED_RANGES:
            faults.append(f"{name} cannot be tuned; choose from {', '.join(DOCUMENTED_RANGES)}")
        elif name in fixed:
            faults.append(f"{name} is both fixed (--set) and searched (--range); omit one")
        elif not searched.low < searched.high:
            faults.append(f"{name}={searched.low:g}:{searched.high:g} is not a range from low to high")
        else:
            faults += _check_ends(name, searched)
    return faults


def _check_ends(name: str, searched: Range) -> list[str]:
    is_whole = isinstance(RULES[SUPERVISED][name].default, int)
    for end in (searched.low, searched.high):
        if is_whole and end != int(end):
            return [f"{name} must be a whole number, not {end:g}"]
        try:
            RULES[SUPERVISED][name].parse(_write(end, is_whole))
        except ValueError:
            return [f"{name} must be {RULES[SUPERVISED][name].legal}, not {end:g}"]
    if name == "learning_rate" and searched.high > 1:
        return [f"learning_rate up to {searched.high:g} makes the weights overflow; search up to 1 at most"]
    return []


def find_range_warnings(ranges: Mapping[str, Range]) -> list[str]:
    """Return notes on unusual ranges."""
    warnings = []
    rates = ranges.get("learning_rate")
    if rates and rates.high < USUAL_RATES.low * 5:
        warnings.append(describe_rate(rates.low))
    beyond = [
        f"{name} {searched.low:g} to {searched.high:g} (documented: {known.low:g} to {known.high:g})"
        for name, searched in ranges.items()
        if (known := DOCUMENTED_RANGES.get(name)) and (searched.low < known.low or searched.high > known.high)
    ]
    if beyond:
        warnings.append(
            f"outside the documentation's recommended ranges: {'; '.join(beyond)}. "
            "If the service rejects them, set others with --range"
        )
    return warnings


def to_search_ranges(ranges: Mapping[str, Range]) -> list[SearchRange]:
    """Return the ranges as a request takes them; learning rates are searched on a logarithmic scale."""
    searched = []
    for name, each in ranges.items():
        is_whole = isinstance(RULES[SUPERVISED][name].default, int)
        scale = "Logarithmic" if name == "learning_rate" else "Auto"
        searched.append(SearchRange(name, _write(each.low, is_whole), _write(each.high, is_whole), is_whole, scale))
    return searched


def _write(value: float, is_whole: bool) -> str:
    return str(int(value)) if is_whole else f"{value:g}"


def write_table(trials: Sequence[Trial]) -> str:
    """Return a table of the trials, best first, those without an accuracy last."""
    names = sorted({name for trial in trials for name in trial.values})
    rows = [["accuracy", *names, "job"]]
    others = [trial for trial in trials if trial.accuracy is None]
    for trial in [*ranked(trials), *others]:
        result = f"{trial.accuracy:.4f}" if trial.accuracy is not None else trial.status
        rows.append([result, *(trial.values.get(name, "") for name in names), trial.name])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(f"{text:<{width}}" for text, width in zip(row, widths, strict=True)) for row in rows)
    return "".join(f"{line.rstrip()}\n" for line in lines)
