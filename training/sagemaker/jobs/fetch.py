"""Conversion of a finished training job's output to a model: extraction, checks and manifest."""

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
    """Return the content of a file at the root of a job's `model.tar.gz`. Raises JobError."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                if member.name.removeprefix("./") == name and (content := tar.extractfile(member)):
                    return content.read()
    except (tarfile.TarError, zlib.error, EOFError, OSError) as error:
        raise JobError(f"the job's output is damaged ({error}); fetch it again") from error
    raise JobError(f"the job's output has no {name}; training on several GPUs writes none")


def make_manifest(
    name: str, content: bytes, facets: Sequence[Facet], prepared: Mapping[str, Any], state: JobState
) -> Manifest:
    """Return the manifest of a job's `model.bin`; `facets` is the data folder that it was prepared from.

    Raises Refused if the data differ, DataError if they cannot be divided, and JobError if the model has other labels.
    """
    divided = divide(facets, prepared["validation"])
    _check_same_data(divided.facets, Counter(line.raw_label for line in divided.lines), prepared)
    try:
        return describe(name, content, divided.facets, _describe_job(state))
    except ValueError as error:  # from fastText for an invalid file, from our decoding for other labels
        raise JobError(f"the job's output is not a model of these data: {error}") from error


def _check_same_data(facets: Sequence[Facet], counts: Mapping[str, int], prepared: Mapping[str, Any]) -> None:
    labels = {facet.name: [label.name for label in facet.labels] for facet in facets}
    trained = {name: [label["name"] for label in listed] for name, listed in prepared["facets"].items()}
    if labels != trained:
        raise Refused(f"the job was trained on other labels ({', '.join(trained)}); pass the folder prepared for it")
    recorded = prepared["lines"][TRAIN]
    if any(counts.get(label, 0) != count for label, count in recorded.items()):
        raise Refused(
            f"the job was trained on {sum(recorded.values()):,} lines, but this folder has "
            f"{sum(counts.values()):,}, or other ones; pass the folder prepared for it, unchanged"
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
    """Parse the `prepared.json` of a job's data. Raises JobError."""
    try:
        found = json.loads(text)
        if not {"facets", "lines", "validation"} <= found.keys():
            raise ValueError("keys are missing")
    except (ValueError, AttributeError) as error:
        raise JobError(f"the prepared.json of the job's data is invalid ({error})") from error
    prepared: dict[str, Any] = found
    return prepared
