"""A finished training job becomes a model folder like any other: labels, decoding, calibration, canaries, figures."""

import json
import tarfile
import zlib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from classifier_infra.model.artefact import MODEL
from classifier_infra.model.manifest import Manifest
from training.blazingtext.trainer import describe, divide
from training.data.dataset import TRAIN, Facet
from training.sagemaker import JobError, Refused
from training.sagemaker.states import JobState


def extract(archive: Path, name: str = MODEL) -> bytes:
    """Give a file at the root of a job's `model.tar.gz`; others are ignored. Raises JobError."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                if member.name.removeprefix("./") == name and (content := tar.extractfile(member)):
                    return content.read()
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise JobError(f"what the job left is damaged ({error}); fetch it again") from error
    raise JobError(f"the job left no {name} (training on several GPUs leaves none)")


def make_manifest(
    name: str, content: bytes, facets: Sequence[Facet], prepared: Mapping[str, Any], state: JobState
) -> Manifest:
    """Give the manifest of a job's `model.bin`; `facets` is the data folder that it was prepared from.

    Raises Refused where the data are others, DataError where they cannot be divided, JobError where the model is not
    one of these labels.
    """
    divided = divide(facets, prepared["validation"])
    _check_same_data(divided.facets, Counter(line.raw_label for line in divided.lines), prepared)
    try:
        return describe(name, content, divided.facets, _describe_job(state))
    except ValueError as error:  # fastText's own, where this is no model, and those that tell of other labels
        raise JobError(f"what the job left is no model of these data: {error}") from error


def _check_same_data(facets: Sequence[Facet], counts: Mapping[str, int], prepared: Mapping[str, Any]) -> None:
    labels = {facet.name: [label.name for label in facet.labels] for facet in facets}
    trained = {name: [label["name"] for label in listed] for name, listed in prepared["facets"].items()}
    if labels != trained:
        raise Refused([f"the job was trained on other labels ({', '.join(trained)}); name the folder it was made from"])
    recorded = prepared["lines"][TRAIN]
    if any(counts.get(label, 0) != count for label, count in recorded.items()):
        raise Refused(
            [
                f"the job was trained on {sum(recorded.values()):,} lines, and this folder gives "
                f"{sum(counts.values()):,} or others; name the folder that was prepared for it, as it was then"
            ]
        )


def _describe_job(state: JobState) -> dict[str, Any]:
    return {
        "trainer": "sagemaker",
        "job": state.name,
        "hyperparameters": dict(state.hyperparameters),
        "instance": state.instance,
        "metrics": dict(state.metrics),
        "billable_seconds": state.billable_seconds,
    }


def parse_prepared(text: bytes) -> dict[str, Any]:
    """Read the `prepared.json` that lies beside a job's data. Raises JobError."""
    try:
        found = json.loads(text)
        if not {"facets", "lines", "validation"} <= found.keys():
            raise ValueError("keys are missing")
    except (ValueError, AttributeError) as error:
        raise JobError(f"the description beside the job's data cannot be read ({error})") from error
    prepared: dict[str, Any] = found
    return prepared
