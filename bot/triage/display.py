"""What the bot reads out of a message, as people see it: display names in place of labels. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.triage.case import Case, Correction, Finding
from classifier_infra.model.manifest import Facet, Manifest


@dataclass(frozen=True, slots=True)
class Choice:
    """One label of a facet, with the classifier's probability."""

    name: str
    display: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Reading:
    """One facet of a message: the label that stands, and all that could have (`choices`, most likely first).

    `confidence` is None where a person said so; `sure` then is true.
    """

    facet: str
    title: str
    label: str
    display: str
    confidence: float | None
    sure: bool
    choices: tuple[Choice, ...]


def read_findings(findings: Sequence[Finding], manifest: Manifest) -> tuple[Reading, ...]:
    """Give the classifier's findings for people. A label of an older model that is gone keeps its short name."""
    return tuple(_read(finding, None, manifest) for finding in findings)


def read_case(case: Case, manifest: Manifest) -> tuple[Reading, ...]:
    """Give the findings of a decided case as they stand after people's corrections."""
    assert case.decision is not None
    latest = {correction.facet: correction for correction in case.corrections}
    return tuple(_read(finding, latest.get(finding.facet), manifest) for finding in case.decision.findings)


def _read(finding: Finding, correction: Correction | None, manifest: Manifest) -> Reading:
    facet = next((facet for facet in manifest.facets if facet.name == finding.facet), Facet(finding.facet, ()))
    label = correction.after if correction else finding.label
    return Reading(
        facet=finding.facet,
        title=finding.facet.replace("_", " ").capitalize(),
        label=label,
        display=facet.display(label),
        confidence=None if correction else finding.confidence,
        sure=finding.sure or correction is not None,
        choices=tuple(Choice(score.name, facet.display(score.name), score.confidence) for score in finding.scores),
    )
