"""A loaded model folder: the manifest, the vocabulary and, if it is small enough, the model itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from classifier_infra.model.artefact import Artefact, ArtefactError, load_artefact, read_manifest, unpacked
from classifier_infra.model.confidence import Vocabulary
from classifier_infra.model.decoding import Decoder, count_tokens
from classifier_infra.model.explanation import Explainer
from classifier_infra.model.manifest import Manifest
from classifier_infra.model.model_file import ModelFileError, open_model_file
from classifier_infra.model.prediction import Caution, Prediction
from classifier_infra.model.text import normalise

MOST_BYTES_IN_MEMORY = 64_000_000  # fits into a small function's memory
MOST_BYTES_ON_DISK = 400_000_000  # fits, unpacked, into a function's 512 MB of /tmp


@dataclass(frozen=True, slots=True)
class Model:
    """A model and what is needed to read its answers. Parts for which the model is too large are None."""

    manifest: Manifest
    raw_labels: tuple[str, ...]
    decoder: Decoder
    vocabulary: Vocabulary | None = None
    explainer: Explainer | None = None
    artefact: Artefact | None = None

    def normalise(self, texts: Sequence[str]) -> list[str]:
        """Return the words of clean texts. Raises ValueError for a text without words, naming its position."""
        words = [normalise(text) for text in texts]
        if not all(words):
            raise ValueError(f"text {words.index('') + 1} of {len(words)} has no word to classify")
        return words

    def score(self, words: str) -> dict[str, float]:
        """Return raw label → score of a normalised text, from the model in this process."""
        assert self.artefact is not None, "a model that is too large for this process is not asked in it"
        return {label: score for score, label in self.artefact.scores(words, len(self.raw_labels))}

    def predict(
        self, words: str, scores: Mapping[str, float], served_by: str, caution: Caution | None = None
    ) -> Prediction:
        """Build the prediction for a normalised text from its scores. Raises UnexpectedScores."""
        facets = self.decoder.decode(scores, count_tokens(words))
        if self.vocabulary is None:
            return Prediction(facets, self.manifest.version, served_by, None, caution or "words-unchecked")
        return Prediction(facets, self.manifest.version, served_by, self.vocabulary.measure(words), caution)


def load_model(folder: Path, in_memory: bool) -> Model:
    """Load a model folder as far as its size allows, with `in_memory` to answer in this process.

    Raises ArtefactError, naming the file and what is wrong with it.
    """
    manifest = read_manifest(folder)
    labels = tuple(manifest.raw_labels())
    if manifest.model_bytes > MOST_BYTES_ON_DISK:
        return Model(manifest, labels, Decoder(manifest))
    with unpacked(folder, manifest) as path:
        fits = manifest.model_bytes <= MOST_BYTES_IN_MEMORY
        artefact = load_artefact(path, manifest, folder) if in_memory and fits else None
        try:
            file = open_model_file(path)  # memory-mapped, so readable after the file is deleted
            explainer = Explainer(file, manifest)
        except ModelFileError as error:
            raise ArtefactError(f"{folder}: {error}") from error
    vocabulary = Vocabulary(word.decode(errors="replace") for word in file.word_ids)
    return Model(manifest, labels, Decoder(manifest), vocabulary, explainer, artefact)
