"""The BlazingText trainer: one softmax over the labels of all facets, trained by fastText in a local run.

It produces the same kind of artefact as the linear trainer, with calibration, thresholds, canaries and metrics, but
needs tens of thousands of rows for good accuracy.
"""

import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from classifier_infra.model.artefact import MODEL, load_artefact
from classifier_infra.model.decoding import count_tokens
from classifier_infra.model.manifest import Facet as ManifestFacet
from classifier_infra.model.manifest import Manifest, raw_label
from training.artefact import Check, begin_manifest, check, complete_manifest
from training.blazingtext.hyperparameters import SUPERVISED, Value
from training.blazingtext.local_run import PYTHON, run_locally
from training.calibrate import fit_calibration
from training.data.dataset import TEST, TRAIN, VALIDATION, DataError, Facet, Problem
from training.data.prepare import DEFAULT_SHARE, Line, prepare_row
from training.evaluate import answer

# Lower bound of probabilities before taking logarithms.
_SMALLEST = 1e-9


@dataclass(frozen=True, slots=True)
class Divided:
    """Facets with separate training and validation rows, and the lines of all training rows."""

    facets: tuple[Facet, ...]
    lines: tuple[Line, ...]


def train_blazingtext(
    name: str, facets: Sequence[Facet], values: Mapping[str, Value], python: Path = PYTHON, progress: bool = False
) -> tuple[bytes, Manifest]:
    """Return `model.bin` and its manifest, of version `name-…`; `values` are all of BlazingText's hyperparameters.

    The model is fitted to `train.csv` and calibrated on `validation.csv`, or on a tenth of the texts of `train.csv` if
    there is none. Raises DataError if a class has no training row or a facet no validation row, and LocalRunError.
    """
    divided = divide(facets)
    with tempfile.TemporaryDirectory(prefix="local-run-") as scratch:
        text = Path(scratch) / "train.txt"
        lines = sorted((line.key, str(line)) for line in divided.lines)
        text.write_text("".join(f"{line}\n" for _, line in lines), encoding="utf-8", newline="\n")
        done = run_locally(SUPERVISED, text, Path(scratch), values, python, progress=progress)
        content = done.model.read_bytes()
    trainer = {
        "trainer": "blazingtext",
        "hyperparameters": {"mode": SUPERVISED, **values},
        "libraries": {"fasttext-wheel": done.version},
    }
    return content, describe(name, content, divided.facets, trainer)


def describe(name: str, content: bytes, facets: Sequence[Facet], trainer: Mapping[str, Any]) -> Manifest:
    """Return the manifest of a `model.bin` fitted to the training rows of divided facets.

    `trainer` describes how it was trained. Raises UnexpectedScores if its labels are not the facets', and ArtefactError
    if it cannot be loaded.
    """
    manifest = begin_manifest(name, content, [ManifestFacet(facet.name, facet.labels) for facet in facets], "joint")
    with tempfile.TemporaryDirectory(prefix="model-") as scratch:
        model = Path(scratch) / MODEL
        model.write_bytes(content)
        checks = _check(model, manifest, facets)
    calibrated = replace(manifest, facets=tuple(map(_calibrate, manifest.facets, checks)))
    trained = [facet.split(TRAIN) for facet in facets]
    return complete_manifest(content, calibrated, facets, trained, facets[0].split(VALIDATION), checks, trainer)


def divide(facets: Sequence[Facet], validation: float = DEFAULT_SHARE) -> Divided:
    """Hold rows out for validation as `prepare` does, a share `validation` for facets without `validation.csv`.

    Raises DataError if a class has no training row left, or a facet no validation row.
    """
    divided: list[Facet] = []
    lines: list[Line] = []
    for facet in facets:
        apart, training_lines = _divide(facet, facet.name if divided else None, validation)
        divided.append(apart)
        lines += training_lines
    _check_rows(divided)
    return Divided(tuple(divided), tuple(lines))


def _divide(facet: Facet, prefix: str | None, share: float) -> tuple[Facet, list[Line]]:
    raw_labels = [raw_label(prefix, label.name) for label in facet.labels]
    validation = list(facet.split(VALIDATION))
    lines, training = [], []
    for row in facet.split(TRAIN):
        line = prepare_row(row, TRAIN, raw_labels, 0.0 if facet.split(VALIDATION) else share)
        if line.split == TRAIN:
            lines.append(line)
            training.append(row)
        else:
            validation.append(row)
    examples = {TRAIN: tuple(training), VALIDATION: tuple(validation), TEST: facet.split(TEST)}
    return replace(facet, examples=examples), lines


def _check_rows(facets: Sequence[Facet]) -> None:
    problems = []
    for facet in facets:
        counts = Counter(row.label for row in facet.split(TRAIN))
        faults = [
            f"class {index + 1} ({label.display}) has no training row left: all are held out for validation"
            for index, label in enumerate(facet.labels)
            if not counts[index]
        ]
        faults += [] if facet.split(VALIDATION) else ["too few rows to hold some out for validation"]
        remedy = f"add examples, or write a {VALIDATION}"
        problems += [Problem(facet.path / TRAIN, 0, fault, remedy) for fault in faults]
    if problems:
        raise DataError(problems)


def _check(model: Path, manifest: Manifest, facets: Sequence[Facet]) -> list[Check]:
    answers = answer(load_artefact(model, manifest, model.parent), facets, VALIDATION)
    checks = []
    for facet in facets:
        given = answers[facet.name]
        logits = np.log(np.maximum(given.probabilities, _SMALLEST))
        tokens = np.array([count_tokens(row.words) for row in facet.split(VALIDATION)])
        calibration = fit_calibration(logits, given.actual, tokens)
        checks.append(check(facet.labels, calibration, logits, given.actual, tokens, is_refitted=False))
    return checks


def _calibrate(facet: ManifestFacet, checked: Check) -> ManifestFacet:
    return replace(
        facet,
        calibration=checked.calibration.factor * checked.calibration.at_one_token,
        threshold=checked.threshold,
        length_exponent=checked.calibration.exponent,
    )
