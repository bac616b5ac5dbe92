"""What a manifest says of how its model came about and what it is worth, whichever trainer made it."""

import gzip
import io
import tarfile
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.metrics import log_loss

from classifier_infra.model.artefact import ARCHIVE, MANIFEST, MODEL, Artefact, load_artefact
from classifier_infra.model.manifest import Canary, Label, Manifest
from training.calibrate import Calibration, choose_threshold
from training.data.atomic_files import write_together
from training.data.dataset import TEST, Example, Facet
from training.evaluate import classify, evaluate
from training.metrics import Answers, Metrics, measure

# Enough to notice a changed normaliser or loader, few enough to try at every start.
_CANARIES = 10


@dataclass(frozen=True, slots=True)
class Check:
    """What rows say of a facet's head that it has not seen."""

    calibration: Calibration
    threshold: float
    log_loss: float
    metrics: Metrics
    is_refitted: bool
    """Whether the exported head has seen these rows after all, once it was checked."""


def check(
    labels: Sequence[Label],
    calibration: Calibration,
    logits: NDArray[np.float64],
    actual: NDArray[np.int64],
    tokens: NDArray[np.int64],
    is_refitted: bool,
) -> Check:
    """Measure calibrated logits (rows × labels) against the rows' classes; `tokens` are the rows' lengths."""
    probabilities = calibration.apply(logits, tokens)
    return Check(
        calibration=calibration,
        threshold=choose_threshold(probabilities, actual),
        log_loss=float(log_loss(actual, probabilities, labels=range(logits.shape[1]))),
        metrics=measure(Answers(tuple(label.name for label in labels), actual, probabilities)),
        is_refitted=is_refitted,
    )


def complete(
    content: bytes,
    manifest: Manifest,
    facets: Sequence[Facet],
    trained: Sequence[Sequence[Example]],
    validated: Sequence[Example],
    checks: Sequence[Check],
    trainer: Mapping[str, Any],
) -> Manifest:
    """Give the manifest of a model with its canaries, and with all that is known of its training.

    `trained` are the rows of each facet that it was fitted to, `validated` those of the main facet that it was checked
    on, `trainer` its name, hyperparameters and libraries.
    """
    artefact = _open(content, manifest)
    tests = evaluate(artefact, facets, TEST)
    described = {
        facet.name: _describe_facet(facet, rows, checked, tests)
        for facet, rows, checked in zip(facets, trained, checks, strict=True)
    }
    canaries = tuple(_record_canary(artefact, example) for example in _pick(validated))
    return replace(manifest, canaries=canaries, training={**trainer, "facets": described})


def _open(content: bytes, manifest: Manifest) -> Artefact:
    """Load the model as everyone will, so that what is recorded of it is what everyone will see."""
    with tempfile.TemporaryDirectory(prefix="model-") as folder:
        path = Path(folder) / MODEL
        path.write_bytes(content)
        return load_artefact(path, manifest, Path(folder))


def _pick(validation: Sequence[Example]) -> list[Example]:
    """Pick the canaries: evenly spaced, so that where the classes stand in order all of them have one."""
    step = max(len(validation) // _CANARIES, 1)
    return list(validation[::step][:_CANARIES])


def _record_canary(artefact: Artefact, example: Example) -> Canary:
    expected = {
        facet: {score.name: round(score.confidence, 6) for score in prediction.scores}
        for facet, prediction in classify(artefact, example.words).items()
    }
    return Canary(example.text, expected)


def _describe_facet(
    facet: Facet, rows: Sequence[Example], checked: Check, tests: Mapping[str, Metrics]
) -> dict[str, Any]:
    counts = Counter(example.label for example in rows)
    described: dict[str, Any] = {
        "checksums": facet.checksums,
        "rows": len(rows),
        "priors": {label.name: counts[i] / len(rows) for i, label in enumerate(facet.labels)},
        "refitted": checked.is_refitted,
        "validation": asdict(checked.metrics) | {"log_loss": checked.log_loss},
    }
    return described | ({"test": asdict(tests[facet.name])} if facet.name in tests else {})


def write_artefact(folder: Path, content: bytes, manifest: Manifest) -> None:
    """Write the model folder. Raises OSError, and then leaves the model that was there before."""
    write_together({folder / ARCHIVE: _archive(content), folder / MANIFEST: manifest.to_json().encode()})


def _archive(content: bytes) -> bytes:
    # Times and owners would change the bytes from run to run.
    file = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        member = tarfile.TarInfo(MODEL)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return file.getvalue()
