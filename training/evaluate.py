"""Evaluation of a model on labelled texts, with the loader and decoding that serve it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from classifier_infra.model import manifest
from classifier_infra.model.artefact import Artefact
from classifier_infra.model.decoding import Decoder, count_tokens
from classifier_infra.model.prediction import FacetPrediction
from training.data.dataset import TEST, Example, Facet
from training.metrics import (
    Answers,
    Metrics,
    accuracy_interval,
    calibration_error,
    confusion,
    coverage_curve,
    macro_f1_interval,
    measure,
    measure_classes,
    reliability,
    reweigh,
)

Priors = Mapping[str, Mapping[str, float]]
"""Facet → label → share of the texts."""


def classify(artefact: Artefact, words: str) -> dict[str, FacetPrediction]:
    """Classify one normalised text as the endpoint and its client do."""
    return _classify(artefact, Decoder(artefact.manifest), words)


def _classify(artefact: Artefact, decoder: Decoder, words: str) -> dict[str, FacetPrediction]:
    scores = artefact.scores(words, len(artefact.manifest.raw_labels()))
    return decoder.decode({label: score for score, label in scores}, count_tokens(words))


def evaluate(artefact: Artefact, facets: Sequence[Facet], split: str = TEST) -> dict[str, Metrics]:
    """Measure each facet with examples in the named CSV file; see `answer`."""
    return {name: measure(answers) for name, answers in answer(artefact, facets, split).items()}


def answer(
    artefact: Artefact, facets: Sequence[Facet], split: str = TEST, priors: Priors | None = None
) -> dict[str, Answers]:
    """Return the model's answers for each facet with examples in the named CSV file, classifying each text once.

    The model must know the facets and labels (`dataset.unknown_labels`). `priors` are the expected shares of a facet's
    labels, if they differ from the training rows'.
    """
    examples = {facet.name: facet.split(split) for facet in facets}
    texts = dict.fromkeys(example.words for rows in examples.values() for example in rows)
    decoder = Decoder(artefact.manifest)
    found = {words: _classify(artefact, decoder, words) for words in texts}
    known = {facet.name: facet for facet in artefact.manifest.facets}
    answers = {
        facet.name: _collect(known[facet.name], facet, examples[facet.name], found)
        for facet in facets
        if examples[facet.name]
    }
    return {name: _apply_priors(given, name, artefact, priors or {}) for name, given in answers.items()}


def _collect(
    known: manifest.Facet,
    facet: Facet,
    examples: Sequence[Example],
    found: Mapping[str, Mapping[str, FacetPrediction]],
) -> Answers:
    labels = tuple(label.name for label in known.labels)
    number = {name: i for i, name in enumerate(labels)}
    probabilities = np.empty((len(examples), len(labels)))
    for row, example in enumerate(examples):
        for score in found[example.words][facet.name].scores:
            probabilities[row, number[score.name]] = score.confidence
    actual = np.array([number[facet.labels[example.label].name] for example in examples])
    return Answers(labels, actual, probabilities)


def _apply_priors(answers: Answers, facet: str, artefact: Artefact, priors: Priors) -> Answers:
    if facet not in priors:
        return answers
    trained = artefact.manifest.training["facets"][facet]["priors"]
    expected = [priors[facet][label] for label in answers.labels]
    of_training = [trained[label] for label in answers.labels]
    return Answers(answers.labels, answers.actual, reweigh(answers.probabilities, of_training, expected))


def describe(answers: Answers) -> dict[str, Any]:
    """Return all metrics of a facet as JSON values: shares from 0 to 1, and 95 % intervals."""
    return asdict(measure(answers)) | {
        "accuracy_interval": accuracy_interval(answers),
        "macro_f1_interval": macro_f1_interval(answers),
        "calibration_error": calibration_error(answers),
        "classes": [asdict(found) for found in measure_classes(answers)],
        "confusion": confusion(answers).tolist(),
        "reliability": [asdict(found) for found in reliability(answers)],
        "coverage": [asdict(point) for point in coverage_curve(answers)],
    }
