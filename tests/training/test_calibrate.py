"""Calibration of logits, and the choice of thresholds."""

import numpy as np
import pytest

from training.calibrate import NEVER, Calibration, choose_threshold, fit_calibration, fit_factor, softmax


def drawn(calibration, rows=20_000, labels=3):
    """Random logits and lengths, and labels drawn with their calibrated probabilities."""
    random = np.random.default_rng(0)
    logits = random.normal(size=(rows, labels))
    tokens = random.integers(2, 60, rows)
    cumulated = calibration.apply(logits, tokens).cumsum(axis=1)
    return logits, (random.random((rows, 1)) > cumulated[:, :-1]).sum(axis=1), tokens


@pytest.mark.parametrize("factor", [0.3, 1.0, 4.0, 20.0])
def test_the_calibration_is_the_one_the_labels_were_drawn_with(factor):
    found = fit_calibration(*drawn(Calibration(factor)))

    assert found.factor == pytest.approx(factor, rel=0.05)
    assert found.exponent == pytest.approx(0, abs=0.05)


@pytest.mark.parametrize("exponent", [0.3, 0.6])
def test_the_exponent_is_the_one_the_labels_were_drawn_with(exponent):
    found = fit_calibration(*drawn(Calibration(0.5, exponent)))

    assert found.exponent == pytest.approx(exponent, abs=0.05)
    assert found.factor * found.at_one_token == pytest.approx(0.5, rel=0.15)


@pytest.mark.parametrize("factor", [0.3, 4.0])
def test_a_factor_alone_can_be_fitted(factor):
    logits, labels, _ = drawn(Calibration(factor))

    assert fit_factor(logits, labels).factor == pytest.approx(factor, rel=0.05)


def test_few_rows_fit_no_exponent():
    assert fit_calibration(*drawn(Calibration(0.5, 0.6), rows=199)).exponent == 0


def test_calibrated_confidence_is_the_share_of_right_predictions_for_short_texts_too():
    logits, labels, tokens = drawn(Calibration(0.5, 0.6))

    probabilities = fit_calibration(logits, labels, tokens).apply(logits, tokens)
    sure = (probabilities.max(axis=1) > 0.8) & (tokens < 20)

    right = probabilities[sure].argmax(axis=1) == labels[sure]
    assert right.mean() == pytest.approx(probabilities[sure].max(axis=1).mean(), abs=0.02)


def test_a_few_right_answers_do_not_prove_certainty():
    logits, labels, tokens = np.eye(3), np.arange(3), np.full(3, 5)

    confidence = fit_calibration(logits, labels, tokens).apply(logits, tokens).max()

    assert confidence == pytest.approx(4 / 5, abs=0.01)  # three right of three, smoothed by one right of two


def test_huge_logits_do_not_overflow():
    np.testing.assert_allclose(softmax(np.array([[1e6, 0.0], [-1e6, 0.0]])), [[1, 0], [0, 1]])


def confident(confidences, right):
    probabilities = np.array([[confidence, 1 - confidence] for confidence in confidences])
    return probabilities, np.where(right, 0, 1)


def test_the_threshold_is_the_lowest_confidence_with_the_precision():
    probabilities, labels = confident([0.9] * 100 + [0.705] * 100, [True] * 99 + [False] + [True] * 80 + [False] * 20)

    assert choose_threshold(probabilities, labels) == 0.71


def test_everything_above_even_odds_is_automatic_where_everything_is_right():
    probabilities, labels = confident([0.51] * 50, [True] * 50)

    assert choose_threshold(probabilities, labels) == 0.5


def test_a_guess_is_never_automatic():
    probabilities = np.full((100, 4), [0.4, 0.2, 0.2, 0.2])

    assert choose_threshold(probabilities, np.zeros(100, dtype=int)) == NEVER


def test_nothing_is_automatic_where_the_precision_is_never_reached():
    probabilities, labels = confident([0.9] * 100, [True] * 94 + [False] * 6)

    assert choose_threshold(probabilities, labels) == NEVER


def test_nothing_is_automatic_with_too_few_rows():
    probabilities, labels = confident([0.99] * 19, [True] * 19)

    assert choose_threshold(probabilities, labels) == NEVER
