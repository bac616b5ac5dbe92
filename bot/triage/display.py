"""Prepare the bot's findings about a message for people: display names in place of labels. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.triage.case import Case, Correction, FacetResult
from classifier_infra.model.manifest import Facet, Manifest


@dataclass(frozen=True, slots=True)
class Choice:
    """One label of a facet, with the classifier's probability."""

    name: str
    display: str
    confidence: float


@dataclass(frozen=True, slots=True)
class LabelView:
    """One facet of a message: the label that stands, and all possible ones (`choices`, most likely first).

    If a person chose the label, `confidence` is None and `sure` is true.
    """

    facet: str
    title: str
    label: str
    display: str
    confidence: float | None
    sure: bool
    choices: tuple[Choice, ...]


def view_facet_results(facet_results: Sequence[FacetResult], manifest: Manifest) -> tuple[LabelView, ...]:
    """Return the classifier's findings for people. A label of an older model that is gone keeps its short name."""
    return tuple(_read(facet_result, None, manifest) for facet_result in facet_results)


def view_case(case: Case, manifest: Manifest) -> tuple[LabelView, ...]:
    """Return the findings of a decided case as they stand after people's corrections."""
    assert case.decision is not None
    latest = {correction.facet: correction for correction in case.corrections}
    return tuple(
        _read(facet_result, latest.get(facet_result.facet), manifest) for facet_result in case.decision.facet_results
    )


def _read(facet_result: FacetResult, correction: Correction | None, manifest: Manifest) -> LabelView:
    facet = next(
        (facet for facet in manifest.facets if facet.name == facet_result.facet), Facet(facet_result.facet, ())
    )
    label = correction.after if correction else facet_result.label
    return LabelView(
        facet=facet_result.facet,
        title=facet_result.facet.replace("_", " ").capitalize(),
        label=label,
        display=facet.display(label),
        confidence=None if correction else facet_result.confidence,
        sure=facet_result.sure or correction is not None,
        choices=tuple(Choice(score.name, facet.display(score.name), score.confidence) for score in facet_result.scores),
    )
