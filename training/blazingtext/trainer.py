"""The original way, rehearsed: one softmax over the labels of all facets, trained as a BlazingText job would train it.

Gives the same kind of artefact as the linear trainer: calibrated, with a threshold, canaries and figures. It takes tens
of thousands of rows to be any good.
"""

import hashlib
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
from classifier_infra.model.text import VERSION
from training.artefact import Check, check, complete
from training.blazingtext.hyperparameters import SUPERVISED, Value
from training.blazingtext.local_run import PYTHON, run_locally
from training.calibrate import fit_calibration
from training.data.dataset import TEST, TRAIN, VALIDATION, DataError, Facet, Problem
from training.data.prepare import DEFAULT_SHARE, Line, prepare_row
from training.evaluate import answer

# What a score of 0 is worth as a probability, before logarithms are taken.
_SMALLEST = 1e-9


@dataclass(frozen=True, slots=True)
class _Part:
    """A facet with its rows to train on and to validate, and the lines of the former."""

    facet: Facet
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Divided:
    """Facets whose training and validation rows are apart, and the lines of the former."""

    facets: tuple[Facet, ...]
    lines: tuple[Line, ...]


def train_blazingtext(
    name: str, facets: Sequence[Facet], values: Mapping[str, Value], python: Path = PYTHON, progress: bool = False
) -> tuple[bytes, Manifest]:
    """Give `model.bin` and its manifest, of version `name-…`; `values` are all of BlazingText's hyperparameters.

    Fitted to the rows of `train.csv`; calibrated on those of `validation.csv`, or on a tenth of the texts of
    `train.csv` where there is none. Raises DataError where a class has no row left to train on, or a facet none to
    validate; LocalRunError where fastText is not there or fails.
    """
    divided = divide(facets)
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as scratch:
        text = Path(scratch) / "train.txt"
        lines = sorted((line.key, str(line)) for line in divided.lines)
        text.write_text("".join(f"{line}\n" for _, line in lines), encoding="utf-8", newline="\n")
        rehearsed = run_locally(SUPERVISED, text, Path(scratch), values, python, progress=progress)
        content = rehearsed.model.read_bytes()
    trainer = {
        "trainer": "blazingtext",
        "hyperparameters": {"mode": SUPERVISED, **values},
        "libraries": {"fasttext-wheel": rehearsed.version},
    }
    return content, describe(name, content, divided.facets, trainer)


def describe(name: str, content: bytes, facets: Sequence[Facet], trainer: Mapping[str, Any]) -> Manifest:
    """Give the manifest of a `model.bin` that was fitted to the training rows of divided facets.

    `trainer` says how it was made. Raises UnexpectedScores where its labels are not those of the facets, ArtefactError
    where it cannot be loaded.
    """
    manifest = _begin(name, content, facets)
    with tempfile.TemporaryDirectory(prefix="joint-") as scratch:
        model = Path(scratch) / MODEL
        model.write_bytes(content)
        checks = _check(model, manifest, facets)
    calibrated = replace(manifest, facets=tuple(map(_calibrate, manifest.facets, checks)))
    trained = [facet.split(TRAIN) for facet in facets]
    return complete(content, calibrated, facets, trained, facets[0].split(VALIDATION), checks, trainer)


def divide(facets: Sequence[Facet], validation: float = DEFAULT_SHARE) -> Divided:
    """Set rows apart for validation as `prepare` does; `validation` is the share of those without `validation.csv`.

    Raises DataError where a class has no row left to train on, or a facet none to validate.
    """
    parts = [_divide(facet, facet.name if i else None, validation) for i, facet in enumerate(facets)]
    _check_rows(parts)
    return Divided(tuple(part.facet for part in parts), tuple(line for part in parts for line in part.lines))


def _divide(facet: Facet, prefix: str | None, validated: float) -> _Part:
    raw_labels = [raw_label(prefix, label.name) for label in facet.labels]
    validation = list(facet.split(VALIDATION))
    share = 0.0 if validation else validated
    lines, training = [], []
    for row in facet.split(TRAIN):
        line = prepare_row(row, TRAIN, raw_labels, share)
        if line.split == TRAIN:
            lines.append(line)
            training.append(row)
        else:
            validation.append(row)
    examples = {TRAIN: tuple(training), VALIDATION: tuple(validation), TEST: facet.split(TEST)}
    return _Part(replace(facet, examples=examples), tuple(lines))


def _check_rows(parts: Sequence[_Part]) -> None:
    problems = []
    for part in parts:
        path = part.facet.path / TRAIN
        counts = Counter(row.label for row in part.facet.split(TRAIN))
        for index, label in enumerate(part.facet.labels):
            if not counts[index]:
                what = f"class {index + 1} ({label.display}) has no row left to train on: all are validated"
                problems.append(Problem(path, 0, what, f"add examples, or write a {VALIDATION} of your own"))
        if not part.facet.split(VALIDATION):
            what = "too few rows to set some apart for validation"
            problems.append(Problem(path, 0, what, f"add examples, or write a {VALIDATION} of your own"))
    if problems:
        raise DataError(problems)


def _begin(name: str, content: bytes, facets: Sequence[Facet]) -> Manifest:
    sha256 = hashlib.sha256(content).hexdigest()
    return Manifest(
        version=f"{name}-{sha256[:10]}",
        normaliser=VERSION,
        facets=tuple(ManifestFacet(facet.name, facet.labels) for facet in facets),
        method="joint",
        tau=1.0,
        model_sha256=sha256,
        model_bytes=len(content),
    )


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
