"""The evaluation report: one self-contained HTML file with embedded PNG figures."""

import base64
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from classifier_infra.model.explanation import Explainer, Explanation
from classifier_infra.model.manifest import Manifest
from training.data.dataset import Example
from training.metrics import (
    Answers,
    Comparison,
    accuracy_interval,
    calibration_error,
    confusion,
    coverage_curve,
    macro_f1_interval,
    measure,
    measure_classes,
    reliability,
)
from training.report.learning_curve import CurvePoint

_DOTS_PER_INCH = 110
_MISTAKES = 10
_MOST_NAMED_CLASSES = 30
_PRECISION = 0.95

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2733; }
h2 { margin-top: 3rem; border-top: 1px solid #c9d2dc; padding-top: 1rem; }
table { border-collapse: collapse; margin: 1rem 0; } caption { text-align: left; font-weight: 600; }
th, td { padding: .2rem .8rem .2rem 0; text-align: right; border-bottom: 1px solid #e3e8ee; }
th:first-child, td:first-child { text-align: left; } img { max-width: 100%; height: auto; }
.figures { display: flex; flex-wrap: wrap; gap: 1rem; } figure { margin: 0; flex: 1 1 24rem; }
figcaption { font-size: .9rem; color: #4a5a6a; } .for { background: #cfe6d4; } .against { background: #f5d5cf; }
.words span { padding: 0 .15rem; border-radius: .2rem; } li { margin-bottom: 1rem; }
"""


@dataclass(frozen=True, slots=True)
class Mistake:
    """A wrong prediction with its explanation."""

    actual: str
    predicted: str
    confidence: float
    why: Explanation


@dataclass(frozen=True, slots=True)
class Section:
    """The results of one facet."""

    facet: str
    answers: Answers
    mistakes: Sequence[Mistake]
    curve: Sequence[CurvePoint] = ()
    comparison: Comparison | None = None


def find_mistakes(answers: Answers, examples: Sequence[Example], facet: str, explainer: Explainer) -> list[Mistake]:
    """Return the most confident mistakes, each with the words' contributions to the predicted label."""
    wrong = np.flatnonzero(~answers.right)
    worst = wrong[np.argsort(-answers.confidences[wrong], kind="stable")][:_MISTAKES]
    return [
        Mistake(
            answers.labels[answers.actual[i]],
            answers.labels[answers.predicted[i]],
            float(answers.confidences[i]),
            explainer.explain(examples[i].text, facet, answers.labels[answers.predicted[i]]),
        )
        for i in worst
    ]


def write_report(manifest: Manifest, sections: Sequence[Section], split: str, against: str | None = None) -> str:
    """Return the report as HTML; `against` is the version of the other model in comparisons."""
    title = f"Evaluation of {manifest.version}"
    body = "\n".join(part for section in sections for part in _section(section, manifest, split, against))
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)}</title>\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{escape(title)}</h1>\n"
        f"<p>Measured on {escape(split)}. Intervals are 95 %.</p>\n{body}\n</body>\n</html>\n"
    )


def _section(section: Section, manifest: Manifest, split: str, against: str | None) -> Iterator[str]:
    facet, answers = escape(section.facet), section.answers
    threshold = next(known.threshold for known in manifest.facets if known.name == section.facet)
    yield f'<h2 id="{facet}">{facet}</h2>'
    yield _summary(answers, threshold)
    if section.comparison:
        yield _comparison(section.comparison, against or "")
    yield '<div class="figures">'
    yield _figure(_draw_reliability(answers), "Reliability: accuracy by confidence.")
    yield _figure(_draw_coverage(answers, threshold), "Precision by coverage: the effect of a higher threshold.")
    yield _figure(_draw_confusion(answers), "Confusion: actual class (rows) against predicted class (columns).")
    if section.curve:
        yield _figure(_draw_curve(section.curve), "Learning curve: accuracy by the number of training rows.")
    yield "</div>"
    yield _class_table(answers)
    yield _mistakes(section.mistakes)


def _summary(answers: Answers, threshold: float) -> str:
    metrics = measure(answers)
    automatic = answers.confidences >= threshold
    precision = f"{answers.right[automatic].mean():.1%}" if automatic.any() else "none"
    rows = [
        ("Rows", f"{metrics.rows:,}"),
        ("Accuracy", f"{metrics.accuracy:.1%} ({_percent(accuracy_interval(answers))})"),
        ("Macro-F1", f"{metrics.macro_f1:.1%} ({_percent(macro_f1_interval(answers))})"),
        ("Expected calibration error", f"{calibration_error(answers):.3f}"),
        (f"Automatic from {threshold:.2f}", f"{automatic.mean():.1%} of the texts, {precision} of them right"),
    ]
    return _table("Figures", ("", ""), rows)


def _comparison(comparison: Comparison, against: str) -> str:
    low, high = comparison.interval
    return (
        f"<p>Against {escape(against)} on the same rows: {comparison.difference:+.1%} accuracy "
        f"(95 % interval {low:+.1%} to {high:+.1%}). Only this model is right {comparison.only_first_right} times, "
        f"only the other {comparison.only_second_right} times (McNemar's exact test: p = {comparison.p:.2g}).</p>"
    )


def _class_table(answers: Answers) -> str:
    rows = [
        (found.name, f"{found.precision:.1%}", f"{found.recall:.1%}", f"{found.f1:.1%}", f"{found.rows:,}")
        for found in measure_classes(answers)
    ]
    return _table("Classes", ("Class", "Precision", "Recall", "F1", "Rows"), rows)


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n" for row in rows)
    return f"<table><caption>{escape(caption)}</caption>\n<tr>{head}</tr>\n{body}</table>"


def _mistakes(mistakes: Sequence[Mistake]) -> str:
    if not mistakes:
        return "<p>No mistakes.</p>"
    items = "".join(f"<li>{_mistake(mistake)}</li>\n" for mistake in mistakes)
    return f"<h3>Most confident mistakes</h3>\n<ol>\n{items}</ol>"


def _mistake(mistake: Mistake) -> str:
    words = " ".join(
        f'<span class="{"for" if word.contribution > 0 else "against"}" title="{word.contribution:+.2f}">'
        f"{escape(word.word)}</span>"
        for word in mistake.why.words
    )
    strongest = sorted(mistake.why.words, key=lambda word: -abs(word.contribution))[:5]
    parts = ", ".join(f"{escape(word.word)} {word.contribution:+.2f}" for word in strongest)
    return (
        f"<b>{escape(mistake.predicted)}</b> ({mistake.confidence:.0%}), actually <b>{escape(mistake.actual)}</b>"
        f'<div class="words">{words}</div>Log-odds {mistake.why.log_odds:+.2f} = baseline '
        f"{mistake.why.baseline:+.2f} + words; the strongest: {parts}"
    )


def _percent(interval: tuple[float, float]) -> str:
    return f"{interval[0]:.1%} to {interval[1]:.1%}"


# --- Figures --------------------------------------------------------------------------------------------------


def _figure(figure: Figure, caption: str) -> str:
    file = io.BytesIO()
    # The matplotlib version in the metadata would change the bytes.
    figure.savefig(file, format="png", dpi=_DOTS_PER_INCH, metadata={"Software": None})
    encoded = base64.b64encode(file.getvalue()).decode("ascii")
    return (
        f'<figure><img alt="{escape(caption)}" src="data:image/png;base64,{encoded}">'
        f"<figcaption>{escape(caption)}</figcaption></figure>"
    )


def _axes(x: str, y: str) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(5, 4), layout="constrained")
    axes = figure.subplots()
    axes.set(xlabel=x, ylabel=y)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _draw_reliability(answers: Answers) -> Figure:
    figure, axes = _axes("confidence", "accuracy")
    found = reliability(answers)
    axes.plot([0, 1], [0, 1], color="0.7", linestyle="--")
    sizes = [10 + 300 * bin.rows / len(answers.actual) for bin in found]
    axes.scatter([bin.confidence for bin in found], [bin.accuracy for bin in found], s=sizes, color="#1f6f8b")
    axes.set(xlim=(0, 1.02), ylim=(0, 1.02))
    return figure


def _draw_coverage(answers: Answers, threshold: float) -> Figure:
    figure, axes = _axes("coverage (share of the texts)", "precision")
    points = coverage_curve(answers)
    axes.plot([point.coverage for point in points], [point.precision for point in points], color="#1f6f8b")
    axes.axhline(_PRECISION, color="0.7", linestyle="--")
    if (answers.confidences >= threshold).any():
        axes.axvline(float((answers.confidences >= threshold).mean()), color="#c05a3c", linestyle=":")
    axes.set(xlim=(0, 1.02))
    return figure


def _draw_confusion(answers: Answers) -> Figure:
    figure, axes = _axes("predicted", "actual")
    counts = confusion(answers)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    if len(answers.labels) <= _MOST_NAMED_CLASSES:
        axes.set_xticks(range(len(answers.labels)), answers.labels, rotation=90, fontsize=7)
        axes.set_yticks(range(len(answers.labels)), answers.labels, fontsize=7)
    return figure


def _draw_curve(curve: Sequence[CurvePoint]) -> Figure:
    figure, axes = _axes("training rows", "accuracy")
    rows, accuracies = [point.rows for point in curve], np.array([point.accuracy for point in curve])
    intervals = np.array([point.interval for point in curve]).T
    errors = np.abs(intervals - accuracies)
    axes.errorbar(rows, accuracies, yerr=errors, marker="o", capsize=3, color="#1f6f8b")
    axes.set_xscale("log")
    return figure
