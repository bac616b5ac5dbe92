"""Draw a rehearsal: each model's share of the traffic over time, and below it its error rate."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.rollout.play import Stage
from benchmarks.rollout.world import ALARM_WENT_OFF, STEP_SECONDS

_COLOURS = ("#4c72b0", "#55a868", "#c44e52", "#8172b3")
_MINUTE = 60


def draw(stage: Stage, path: Path) -> None:
    """Draw a rehearsal to a PNG file."""
    figure = Figure(figsize=(9, 5.2), layout="constrained")
    shares, errors = figure.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    versions = sorted({stage.version_of(config) for moment in stage.world.moments for config in moment.shares})
    colours = dict(zip(versions, _COLOURS, strict=False))
    _draw_shares(shares, stage, colours)
    _draw_errors(errors, stage, colours)
    for axes in (shares, errors):
        axes.spines[["top", "right"]].set_visible(False)
        for at, _ in stage.world.events:
            axes.axvline(at / _MINUTE, color="#888888", linewidth=0.8, linestyle=":")
    figure.savefig(path, dpi=120, metadata={"Software": None})


def _draw_shares(axes: Axes, stage: Stage, colours: dict[str, str]) -> None:
    # A moment is the end of a step, in which the shares were constant.
    minutes = [(moment.at - STEP_SECONDS) / _MINUTE for moment in stage.world.moments]
    by_version = {version: [0.0] * len(minutes) for version in colours}
    for position, moment in enumerate(stage.world.moments):
        for config, share in moment.shares.items():
            by_version[stage.version_of(config)][position] += 100 * share
    axes.stackplot(
        minutes, list(by_version.values()), labels=list(colours), colors=list(colours.values()), step="post", alpha=0.85
    )
    axes.set_ylabel("invocations answered, %")
    axes.set_ylim(0, 100)
    axes.set_xlim(0, minutes[-1])
    axes.legend(loc="lower left", framealpha=0.9)
    for at, name in stage.world.events:
        if name != ALARM_WENT_OFF:
            axes.annotate(name, (at / _MINUTE, 101), annotation_clip=False, fontsize=9, ha="left", va="bottom")


def _draw_errors(axes: Axes, stage: Stage, colours: dict[str, str]) -> None:
    for version, colour in colours.items():
        points = [
            (moment.at / _MINUTE, 100 * failed)
            for moment in stage.world.moments
            for config, failed in moment.failed.items()
            if stage.version_of(config) == version
        ]
        axes.plot(*zip(*points, strict=True), ".", color=colour, label=version, markersize=5)
    axes.axhline(1, color="#333333", linewidth=0.8, linestyle="--")
    axes.annotate("alarm: 1%", (0.2, 1), fontsize=8, va="bottom")
    for at, name in stage.world.events:
        if name == ALARM_WENT_OFF:
            _point_at_alarm(axes, at / _MINUTE)
    axes.set_ylabel("failed, %")
    axes.set_xlabel("minutes")
    axes.set_ylim(bottom=-2)


def _point_at_alarm(axes: Axes, minute: float) -> None:
    axes.annotate(
        "the alarm goes off, traffic moves back",
        (minute, 30),
        xytext=(-75, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=9,
        arrowprops={"arrowstyle": "->", "color": "#555555"},
    )
