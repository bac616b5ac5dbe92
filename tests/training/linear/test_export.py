"""A `model.bin` predicts like its linear model, in fasttext-predict and in the original fastText."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from classifier_infra.model.artefact import Artefact, extract_model, open_artefact
from classifier_infra.model.decoding import Decoder, count_tokens
from classifier_infra.model.manifest import Facet, Label, Manifest
from classifier_infra.model.text import clean, normalise
from training.artefact import write_artefact
from training.calibrate import Calibration
from training.data.dataset import Example
from training.evaluate import classify
from training.linear import FeatureSettings, Hyperparameters
from training.linear.export import flatten_heads, to_fasttext
from training.linear.heads import LinearModel, fit_model
from training.starter import FACETS, read_messages

TOLERANCE = 1e-4
EAGER = Hyperparameters(cost=10.0)

# Empty, unknown, foreign, long; and nothing but a head's strongest words, over and over.
ODD_TEXTS = [
    "", "x", "zzz qqq", "größer als erwartet", "請求書が届きません", "👍 👍 👍", "a" * 2000, "ж " * 50, "00000 0 00",
    "refund " * 300, "crashes crash crashed " * 100, "thank you " * 200, "charged twice " * 1500, "down " * 1000,
    "refund crash thank you asap", "refnud plaese", "immediately immediately immediately",
]  # fmt: skip


@dataclass(frozen=True)
class Exported:
    """A linear model with its calibrations, its model folder, and the texts that it was fitted to."""

    model: LinearModel
    calibrations: Sequence[Calibration]
    artefact: Artefact
    folder: Path
    texts: list[str]

    def probabilities(self, texts: Sequence[str]) -> list[np.ndarray]:
        """Return the probabilities (texts × labels) of each facet, computed without fastText."""
        logits = (self.model.logits(texts, i) for i in range(len(self.calibrations)))
        tokens = np.array([count_tokens(text) for text in texts])
        pairs = zip(self.calibrations, logits, strict=True)
        return [calibration.apply(facet, tokens) for calibration, facet in pairs]


def export(
    examples: Sequence[Sequence[Example]],
    facets: Sequence[Facet],
    folder: Path,
    hyperparameters: Hyperparameters = EAGER,
) -> Exported:
    model = fit_model(examples, [len(facet.labels) for facet in facets], hyperparameters)
    # Sharper than calibration would make them: the heads are to be as sure of themselves as they can be.
    sharp = Calibration(8.0)
    calibrations = [sharp, Calibration(3.0, 0.6, 20.0), Calibration(20.0, 0.3, 5.0)] if len(facets) > 1 else [sharp]
    flat = flatten_heads(model.heads, [calibration.factor for calibration in calibrations])
    facets = tuple(
        replace(facet, calibration=left * calibration.at_one_token, length_exponent=calibration.exponent)
        for facet, left, calibration in zip(facets, flat.calibrations, calibrations, strict=True)
    )
    manifest = Manifest("test-1", "1", facets, flat.method, flat.tau, model_sha256="", model_bytes=0)
    content = to_fasttext(model.dictionary, flat.rows, [(label, 1) for label in manifest.raw_labels()])
    sha256 = hashlib.sha256(content).hexdigest()
    write_artefact(folder, content, replace(manifest, model_sha256=sha256, model_bytes=len(content)))
    texts = [example.words for example in examples[0]]
    return Exported(model, calibrations, open_artefact(folder), folder, texts + ODD_TEXTS)


@pytest.fixture(scope="module")
def of_one_facet(message_examples, message_labels, tmp_path_factory) -> Exported:
    return export([message_examples], [Facet("category", message_labels)], tmp_path_factory.mktemp("one"))


@pytest.fixture(scope="module")
def of_three_facets(tmp_path_factory) -> Exported:
    facets = [Facet(name, tuple(Label(label, label) for label in labels)) for name, labels in FACETS.items()]
    cleaned = [(clean(message.text), message.labels) for message in read_messages()]
    examples = [
        [Example(text, normalise(text), list(labels).index(given[name])) for text, given in cleaned]
        for name, labels in FACETS.items()
    ]
    return export(examples, facets, tmp_path_factory.mktemp("three"))


@pytest.fixture(params=["of_one_facet", "of_three_facets"])
def exported(request) -> Exported:
    return request.getfixturevalue(request.param)


def assert_same(exported: Exported, texts: Sequence[str], answers: Sequence[dict]) -> None:
    for facet, expected in zip(exported.artefact.manifest.facets, exported.probabilities(texts), strict=True):
        names = [label.name for label in facet.labels]
        scores = [{score.name: score.confidence for score in answer[facet.name].scores} for answer in answers]
        decoded = np.array([[score[name] for name in names] for score in scores])
        np.testing.assert_array_equal(decoded.argmax(axis=1), expected.argmax(axis=1))
        np.testing.assert_allclose(decoded, expected, atol=TOLERANCE)


def test_fasttext_predict_returns_the_heads_labels_and_probabilities(exported):
    answers = [classify(exported.artefact, text) for text in exported.texts]

    assert_same(exported, exported.texts, answers)


def test_the_original_fasttext_returns_the_heads_labels_and_probabilities(exported, ask_fasttext, tmp_path):
    path = extract_model(exported.folder / "model.tar.gz", exported.artefact.manifest, tmp_path)

    predicted = ask_fasttext({"what": "predict", "model": str(path), "texts": exported.texts})

    decoder = Decoder(exported.artefact.manifest)
    answers = [
        decoder.decode({label: score for score, label in scores}, count_tokens(text))
        for text, scores in zip(exported.texts, predicted, strict=True)
    ]
    assert_same(exported, exported.texts, answers)


@given(text=st.text().map(normalise))
def test_any_text_has_the_heads_probabilities(of_three_facets, text):
    answer = classify(of_three_facets.artefact, text)

    for facet, expected in zip(answer.values(), of_three_facets.probabilities([text]), strict=True):
        np.testing.assert_allclose(
            sorted(score.confidence for score in facet.scores), np.sort(expected[0]), atol=TOLERANCE
        )


def test_the_odd_texts_make_every_head_almost_certain(exported):
    for probabilities in exported.probabilities(exported.texts):
        assert probabilities.max() > 0.9999


def test_raw_scores_of_a_single_facet_are_calibrated(of_one_facet):
    manifest = of_one_facet.artefact.manifest
    (expected,) = of_one_facet.probabilities(["where is my refund"])

    scores = {label: score for score, label in of_one_facet.artefact.scores("where is my refund", 3)}

    assert (manifest.method, manifest.tau, manifest.facets[0].calibration) == ("direct", 1.0, 1.0)
    np.testing.assert_allclose([scores[label] for label in manifest.raw_labels()], expected[0], atol=TOLERANCE)


def test_no_text_suppresses_the_labels_of_another_facet(of_three_facets):
    rows = flatten_heads(of_three_facets.model.heads, [8.0, 3.0, 20.0]).rows

    assert np.abs(rows).max() == pytest.approx(2.0)


def test_two_classes_are_exported_too(message_examples, tmp_path):
    examples = [example for example in message_examples if example.label < 2]
    facet = Facet("category", (Label("billing", "Billing"), Label("technical", "Technical")))

    exported = export([examples], [facet], tmp_path)

    assert_same(exported, exported.texts, [classify(exported.artefact, text) for text in exported.texts])


def test_a_model_of_words_alone_is_exported_too(message_examples, message_labels, tmp_path):
    words_alone = Hyperparameters(features=FeatureSettings(word_ngrams=1, maxn=0), buckets=1)

    exported = export([message_examples], [Facet("category", message_labels)], tmp_path, words_alone)

    assert_same(exported, exported.texts, [classify(exported.artefact, text) for text in exported.texts])
