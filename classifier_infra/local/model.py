"""Open the model to serve: a model folder, or the bare `model.bin` that SageMaker unpacks for a container."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import fasttext

from classifier_infra.local.container import Scorer
from classifier_infra.model.artefact import MANIFEST, MODEL, open_artefact
from classifier_infra.model.model_file import open_model_file


@dataclass(frozen=True, slots=True)
class BareModel:
    """A model of which nothing is known but what it says itself."""

    model: Any
    label_count: int

    def scores(self, text: str, k: int) -> list[tuple[float, str]]:
        """See Artefact.scores."""
        text.encode()
        scores: list[tuple[float, str]] = self.model.f.predict(text + "\n", min(k, self.label_count), 0.0, "strict")
        return scores


def open_model(folder: Path) -> Scorer:
    """Check a folder's model and load it.

    Raises ArtefactError or ModelFileError, naming the file and what is wrong with it.
    """
    if (folder / MANIFEST).exists() or not (folder / MODEL).exists():
        return open_artefact(folder)
    path = folder / MODEL
    labels = open_model_file(path).labels  # fastText itself would load a damaged file without a word
    return BareModel(fasttext.load_model(str(path)), len(labels))
