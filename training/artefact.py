"""Model folders for all trainers: completed manifests (metrics, canaries, provenance) and the archive."""

import gzip
import hashlib
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
from classifier_infra.model.manifest import Canary, Label, Manifest, Method
from classifier_infra.model.manifest import Facet as ManifestFacet
from classifier_infra.model.text import VERSION
from training.calibrate import Calibration, choose_threshold
from training.data.atomic_files import write_files
from training.data.dataset import TEST, Example, Facet
from training.evaluate import classify, evaluate
from training.metrics import Answers, Metrics, measure

# Enough to notice a changed normaliser or loader, few enough to check at every start.
_CANARIES = 10


@dataclass(frozen=True, slots=True)
class Check:
    """A head's calibration, threshold and metrics, measured on held-out rows."""

    calibration: Calibration
    threshold: float
    log_loss: float
    metrics: Metrics
    is_refitted: bool
    """True if the exported head was fitted to these rows too, after this check."""


def check(
    labels: Sequence[Label],
    calibration: Calibration,
    logits: NDArray[np.float64],
    actual: NDArray[np.int64],
    tokens: NDArray[np.int64],
    is_refitted: bool,
) -> Check:
    """Measure calibrated logits (rows × labels) against the rows' classes; `tokens` are the rows' numbers of tokens."""
    probabilities = calibration.apply(logits, tokens)
    return Check(
        calibration=calibration,
        threshold=choose_threshold(probabilities, actual),
        log_loss=float(log_loss(actual, probabilities, labels=range(logits.shape[1]))),
        metrics=measure(Answers(tuple(label.name for label in labels), actual, probabilities)),
        is_refitted=is_refitted,
    )


def begin_manifest(
    name: str, content: bytes, facets: Sequence[ManifestFacet], method: Method, tau: float = 1.0
) -> Manifest:
    """Return the manifest of a `model.bin`, of version `name-…`, without canaries and training."""
    sha256 = hashlib.sha256(content).hexdigest()
    return Manifest(
        version=f"{name}-{sha256[:10]}",
        normaliser=VERSION,
        facets=tuple(facets),
        method=method,
        tau=tau,
        model_sha256=sha256,
        model_bytes=len(content),
    )


def complete_manifest(
    content: bytes,
    manifest: Manifest,
    facets: Sequence[Facet],
    trained: Sequence[Sequence[Example]],
    validated: Sequence[Example],
    checks: Sequence[Check],
    trainer: Mapping[str, Any],
) -> Manifest:
    """Return the manifest with canaries and a description of the training.

    `trained` are the rows of each facet that the model was fitted to, `validated` the main facet's validation rows,
    `trainer` its name, hyperparameters and libraries.
    """
    artefact = _open(content, manifest)
    tests = evaluate(artefact, facets, TEST)
    described = {
        facet.name: _describe_facet(facet, rows, checked, tests)
        for facet, rows, checked in zip(facets, trained, checks, strict=True)
    }
    canaries = tuple(_record_canary(artefact, example) for example in _pick_canaries(validated))
    return replace(manifest, canaries=canaries, training={**trainer, "facets": described})


def _open(content: bytes, manifest: Manifest) -> Artefact:
    """Load the model with the loader that serves it, so that the recorded values are those served."""
    with tempfile.TemporaryDirectory(prefix="model-") as folder:
        path = Path(folder) / MODEL
        path.write_bytes(content)
        return load_artefact(path, manifest, Path(folder))


def _pick_canaries(validation: Sequence[Example]) -> list[Example]:
    """Pick evenly spaced canaries, so that rows sorted by class yield all classes."""
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


# --- Model folder ---------------------------------------------------------------------------------------------


def write_artefact(folder: Path, content: bytes, manifest: Manifest) -> None:
    """Write the model folder, atomically. Raises OSError."""
    write_files({folder / ARCHIVE: _archive(content), folder / MANIFEST: manifest.to_json().encode()})


def _archive(content: bytes) -> bytes:
    # Without times and owners, the bytes are the same in every run.
    file = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=file, mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        member = tarfile.TarInfo(MODEL)
        member.size = len(content)
        tar.addfile(member, io.BytesIO(content))
    return file.getvalue()
