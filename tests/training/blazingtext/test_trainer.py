"""The BlazingText trainer makes the same kind of artefact as the linear one."""

from dataclasses import replace

import pytest

from classifier_infra.model.artefact import open_artefact
from training.artefact import write_artefact
from training.blazingtext.hyperparameters import SUPERVISED, resolve
from training.blazingtext.trainer import train_blazingtext
from training.data.dataset import TEST, TRAIN, VALIDATION, DataError, Facet
from training.evaluate import classify

SMALL = resolve(
    SUPERVISED, {"vector_dim": "8", "buckets": "1000", "min_count": "1", "epochs": "50", "learning_rate": "0.5"}
)


@pytest.fixture(scope="module")
def facets(message_examples, message_labels, tmp_path_factory) -> list[Facet]:
    path = tmp_path_factory.getbasetemp()
    rows = {TRAIN: message_examples, VALIDATION: message_examples[::2], TEST: message_examples[1::2]}
    return [
        Facet(name, path, labels, rows, {TRAIN: "ab" * 32})
        for name, labels in (("category", message_labels), ("tone", message_labels))
    ]


@pytest.fixture(scope="module")
def trained(ask_fasttext, facets):
    return train_blazingtext("tried", facets, SMALL)


def test_a_model_of_several_facets_is_decoded_facet_by_facet(trained, tmp_path):
    write_artefact(tmp_path, *trained)

    found = classify(open_artefact(tmp_path), "why did the price of my plan go up")

    assert trained[1].method == "joint"
    assert [prediction.name for prediction in found.values()] == ["Billing", "Billing"]
    assert all(sum(score.confidence for score in found[name].scores) == pytest.approx(1) for name in found)


def test_the_manifest_has_the_models_origin_and_metrics(trained):
    manifest = trained[1]

    assert manifest.version == f"tried-{manifest.model_sha256[:10]}"
    assert manifest.training["trainer"] == "blazingtext"
    assert manifest.training["hyperparameters"] == {"mode": "supervised", **SMALL}
    assert manifest.training["libraries"] == {"fasttext-wheel": "0.9.2"}
    assert manifest.training["facets"]["tone"]["rows"] == 30
    assert manifest.training["facets"]["tone"]["test"]["rows"] == 15
    assert len(manifest.canaries) == 10
    assert all(facet.calibration != 1 for facet in manifest.facets)


def test_the_same_rows_give_the_same_bytes(trained, facets):
    assert train_blazingtext("tried", facets, SMALL) == trained


def test_without_validation_rows_some_training_rows_are_held_out(ask_fasttext, facets):
    rows = [replace(row, words=f"{row.words} {i}") for row in facets[0].split(TRAIN) for i in range(5)]

    _, manifest = train_blazingtext("tried", [replace(facets[0], examples={TRAIN: tuple(rows)})], SMALL)

    described = manifest.training["facets"]["category"]
    assert described["rows"] + described["validation"]["rows"] == 150
    assert 5 < described["validation"]["rows"] < 30


def test_a_class_without_training_rows_and_a_facet_without_validation_rows_are_refused(facets):
    lacking = tuple(row for row in facets[0].split(TRAIN) if row.label)[:1]

    with pytest.raises(DataError) as raised:
        train_blazingtext("tried", [replace(facets[0], examples={TRAIN: lacking})], SMALL)

    assert [problem.what for problem in raised.value.problems] == [
        "class 1 (Billing) has no training row left: all are held out for validation",
        "class 3 (General) has no training row left: all are held out for validation",
        "too few rows to hold some out for validation",
    ]
