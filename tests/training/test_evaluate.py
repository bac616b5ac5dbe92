"""Evaluation of a model on labelled texts."""

from dataclasses import replace

import pytest

from classifier_infra.model.artefact import open_artefact
from training.artefact import write_artefact
from training.data.dataset import TEST, TRAIN, Example, Facet
from training.evaluate import answer, evaluate
from training.linear import Hyperparameters
from training.linear.trainer import train


@pytest.fixture(scope="module")
def facet(message_examples, message_labels, tmp_path_factory) -> Facet:
    return Facet("category", tmp_path_factory.getbasetemp(), message_labels, {TRAIN: message_examples}, {})


@pytest.fixture(scope="module")
def artefact(facet, tmp_path_factory):
    folder = tmp_path_factory.mktemp("model")
    write_artefact(folder, *train("messages", [facet], Hyperparameters()))
    return open_artefact(folder)


def test_a_facet_is_measured_on_the_chosen_rows(artefact, facet):
    tests = (Example("", "refund refund", 0), Example("", "it crashes", 1), Example("", "it crashes", 2))

    metrics = evaluate(artefact, [replace(facet, examples={**facet.examples, TEST: tests})])

    assert metrics["category"].accuracy == pytest.approx(2 / 3)
    assert evaluate(artefact, [facet], TRAIN)["category"].accuracy == 1.0


def test_a_facet_without_such_rows_is_left_out(artefact, facet):
    assert evaluate(artefact, [facet], TEST) == {}


def test_classes_may_be_in_another_order_than_the_models(artefact, facet):
    other_order = replace(
        facet, labels=facet.labels[::-1], examples={TEST: (Example("", "refund refund", 2), Example("", "crash", 1))}
    )

    assert evaluate(artefact, [other_order])["category"].accuracy == 1.0


def test_a_predicted_label_missing_from_the_data_is_wrong(artefact, facet):
    without_billing = replace(facet, labels=facet.labels[1:], examples={TEST: (Example("", "refund refund", 0),)})

    assert evaluate(artefact, [without_billing])["category"].accuracy == 0.0


def test_priors_shift_the_answers(artefact, facet):
    tests = replace(facet, examples={TEST: (Example("", "hello", 0),)})
    labels = [label.name for label in facet.labels]

    for rare, often in ((0, 1), (1, 0)):
        shares = dict.fromkeys(labels, 0.001) | {labels[often]: 0.997}
        answers = answer(artefact, [tests], priors={"category": shares})["category"]
        assert answers.predicted.tolist() == [often]
        assert answers.probabilities[0, rare] < 0.1
        assert answers.probabilities.sum() == pytest.approx(1)
