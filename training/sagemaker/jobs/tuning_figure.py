"""Figure of tuning results: accuracy by each hyperparameter."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from training.data.atomic_files import atomic_path
from training.sagemaker import JobError
from training.sagemaker.jobs.tuning import ranked
from training.sagemaker.states import Trial

_INK, _BEST = "#4a5568", "#c05621"
_INCHES = 3.0


def draw(trials: Sequence[Trial], path: Path) -> None:
    """Write a PNG with one panel per hyperparameter and one point per trial, the best one marked.

    Raises OSError, and JobError if no trial has an accuracy.
    """
    finished = ranked(trials)
    if not finished:
        raise JobError("nothing to draw: no job has reported its accuracy")
    names = sorted(finished[0].values)
    figure = Figure(figsize=(_INCHES * len(names), _INCHES), layout="constrained")
    panels = figure.subplots(1, len(names), sharey=True, squeeze=False)[0]
    for name, axes in zip(names, panels, strict=True):
        _draw_panel(axes, name, finished)
    panels[0].set_ylabel("validation accuracy")
    figure.suptitle(f"{len(finished)} jobs; the best reached {finished[0].accuracy:.4f}", fontsize=11)
    with atomic_path(path) as part:
        figure.savefig(part, format="png", dpi=110)


def _draw_panel(axes: Axes, name: str, finished: Sequence[Trial]) -> None:
    values = [float(trial.values[name]) for trial in finished]
    accuracies = [trial.accuracy or 0.0 for trial in finished]
    axes.scatter(values[1:], accuracies[1:], s=26, color=_INK, alpha=0.75, linewidths=0)
    axes.scatter(values[:1], accuracies[:1], s=90, color=_BEST, marker="*", zorder=3, label="best")
    best = (values[0], accuracies[0])
    axes.annotate(
        f"{values[0]:g}", best, xytext=(0, 8), textcoords="offset points", ha="center", color=_BEST, fontsize=9
    )
    axes.margins(x=0.12, y=0.14)
    _scale(axes, name)
    axes.set_xlabel(name)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _scale(axes: Axes, name: str) -> None:
    if name == "learning_rate":
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.xaxis.set_major_formatter("{x:g}")
        axes.xaxis.set_minor_locator(NullLocator())
    else:
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=6))
