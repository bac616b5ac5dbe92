"""Compare a model's answers to its canaries (texts with known answers) with those expected.

A model that answers them differently is not the one that was measured. A person may accept other answers than the
manifest's; they are kept in `accepted.json` with who accepted them, when and why, and the last entry for a model and
server counts.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TypeAlias

from classifier_infra.model.manifest import Manifest
from classifier_infra.model.prediction import Prediction

TOLERANCE = 1e-3  # a hundred times what rounding and float32 can change

FORMAT = 1

Answers: TypeAlias = tuple[Mapping[str, Mapping[str, float]], ...]
"""For each canary, in the manifest's order: facet → label name → probability."""


class BaselineError(ValueError):
    """`accepted.json` cannot be read."""


@dataclass(frozen=True, slots=True)
class Baseline:
    """The answers that a person accepted of a model, served by `endpoint` or `embedded`; `accepted_at` is ISO 8601."""

    version: str
    served_by: str
    accepted_by: str
    accepted_at: str
    reason: str
    answers: Answers


def expected_answers(manifest: Manifest, served_by: str, baselines: Sequence[Baseline]) -> Answers:
    """Return the canaries' expected answers: those accepted last, or the manifest's."""
    for baseline in reversed(baselines):
        if (baseline.version, baseline.served_by) == (manifest.version, served_by):
            return baseline.answers
    return tuple(canary.expected for canary in manifest.canaries)


def answers_of(predictions: Sequence[Prediction]) -> Answers:
    """Convert predictions to the form of a manifest's canaries."""
    return tuple(
        {
            facet: {score.name: round(score.confidence, 6) for score in prediction.scores}
            for facet, prediction in each.facets.items()
        }
        for each in predictions
    )


def find_moved(expected: Answers, seen: Answers) -> tuple[str, ...]:
    """Describe each facet of a canary (counted from 1) that moved by more than TOLERANCE, without quoting texts."""
    if len(expected) != len(seen):
        return (f"{len(seen)} answers for {len(expected)} canaries",)
    return tuple(
        f"canary {number}, {facet}: {moved}"
        for number, (before, now) in enumerate(zip(expected, seen, strict=True), start=1)
        for facet in before
        if (moved := _describe_move(before[facet], now.get(facet, {})))
    )


def _describe_move(before: Mapping[str, float], now: Mapping[str, float]) -> str | None:
    if before.keys() != now.keys():
        return "other labels"
    distance, label = max((abs(before[label] - now[label]), label) for label in before)
    return f"{label} from {before[label]:.4f} to {now[label]:.4f}" if distance > TOLERANCE else None


def parse_baselines(content: bytes) -> tuple[Baseline, ...]:
    """Read `accepted.json`. Raises BaselineError."""
    try:
        document = json.loads(content)
        if document["format"] != FORMAT:
            raise BaselineError(f"format {document['format']!r} is not {FORMAT}")
        return tuple(Baseline(**{**each, "answers": tuple(each["answers"])}) for each in document["baselines"])
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BaselineError(f"not a list of accepted answers ({error})") from error


def baselines_json(baselines: Sequence[Baseline]) -> bytes:
    """Return the content of `accepted.json`."""
    document = {"format": FORMAT, "baselines": [asdict(baseline) for baseline in baselines]}
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()
