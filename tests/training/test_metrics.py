"""Metrics of answers to labelled texts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from sklearn.metrics import f1_score, precision_recall_fscore_support

from training.metrics import (
    Answers,
    accuracy_interval,
    calibration_error,
    compare,
    coverage_curve,
    macro_f1_interval,
    measure,
    measure_classes,
    reliability,
    reweigh,
)

LABELS = ("billing", "technical", "general")


def answer(actual, predicted, confidence=0.8):
    """Answers with this confidence (a number, or one per text) in the predicted class; the others share the rest."""
    confidence = np.broadcast_to(confidence, len(actual))
    probabilities = np.repeat(((1 - confidence) / 2)[:, None], 3, axis=1)
    probabilities[np.arange(len(actual)), predicted] = confidence
    return Answers(LABELS, np.array(actual), probabilities)


def drawn(rows, accuracy, seed=0):
    random = np.random.default_rng(seed)
    actual = random.integers(0, 3, rows)
    return answer(actual, np.where(random.random(rows) < accuracy, actual, (actual + 1) % 3))


CLASSES = st.integers(1, 30).flatmap(lambda n: arrays(np.int64, (2, n), elements=st.integers(0, 2)))


@given(CLASSES)
def test_class_metrics_match_scikit_learn(drawn):
    actual, predicted = drawn
    expected = precision_recall_fscore_support(actual, predicted, labels=[0, 1, 2], zero_division=0)

    found = measure_classes(answer(actual, predicted))

    figures = [(one.precision, one.recall, one.f1, one.rows) for one in found]
    np.testing.assert_allclose(np.transpose(figures), expected)
    assert measure(answer(actual, predicted)).macro_f1 == pytest.approx(f1_score(actual, predicted, average="macro"))


def test_accuracy_counts_rows_and_macro_f1_counts_classes():
    metrics = measure(answer([0, 0, 0, 1], [0, 0, 0, 0]))

    assert metrics.accuracy == 0.75
    assert metrics.macro_f1 == pytest.approx((6 / 7 + 0) / 2)
    assert metrics.rows == 4


def test_about_95_of_100_intervals_contain_the_truth():
    intervals = [accuracy_interval(drawn(200, 0.8, seed)) for seed in range(100)]

    assert 90 <= sum(low <= 0.8 <= high for low, high in intervals) <= 100


def test_the_interval_of_macro_f1_contains_it_and_shrinks_with_rows():
    few, many = drawn(100, 0.8), drawn(1600, 0.8)

    (low, high), (from_many, to_many) = macro_f1_interval(few), macro_f1_interval(many)

    assert low < measure(few).macro_f1 < high
    assert to_many - from_many == pytest.approx((high - low) / 4, rel=0.3)


def test_accurate_confidence_has_no_calibration_error():
    assert calibration_error(answer([0] * 10, [0] * 8 + [1] * 2, 0.8)) == pytest.approx(0)
    assert calibration_error(answer([0] * 10, [0] * 5 + [1] * 5, 0.8)) == pytest.approx(0.3)


def test_a_reliability_bin_has_the_texts_of_its_confidence():
    sure, unsure = reliability(answer([0, 0, 0, 0], [0, 0, 0, 1], [0.99, 0.99, 0.5, 0.5]))[::-1]

    assert (sure.rows, sure.accuracy) == (2, 1.0)
    assert (unsure.rows, unsure.confidence, unsure.accuracy) == (2, pytest.approx(0.5), 0.5)


def test_precision_is_given_for_every_coverage():
    points = coverage_curve(answer([0, 0, 0, 0], [0, 0, 1, 0], [0.9, 0.9, 0.7, 0.6]))

    assert [(point.threshold, point.coverage) for point in points] == [(0.9, 0.5), (0.7, 0.75), (0.6, 1.0)]
    assert [point.precision for point in points] == pytest.approx([1, 2 / 3, 0.75])


def test_models_are_compared_on_the_texts_where_they_differ():
    comparison = compare(answer([0] * 100, [0] * 100), answer([0] * 100, [0] * 90 + [1] * 10))

    assert (comparison.only_first_right, comparison.only_second_right) == (10, 0)
    assert comparison.difference == pytest.approx(0.1)
    assert 0.03 < comparison.interval[0] < 0.1 < comparison.interval[1] < 0.18
    assert comparison.p == pytest.approx(2 * 0.5**10)


def test_a_model_is_no_better_than_itself():
    comparison = compare(drawn(50, 0.7), drawn(50, 0.7))

    assert (comparison.difference, comparison.interval, comparison.p) == (0, (0, 0), 1)


def test_priors_multiply_the_odds():
    reweighed = reweigh(np.array([[0.5, 0.5]]), [0.5, 0.5], [0.9, 0.1])

    np.testing.assert_allclose(reweighed, [[0.9, 0.1]])
