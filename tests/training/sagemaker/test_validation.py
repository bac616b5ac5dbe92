"""Faults and warnings of hyperparameters, before a job costs money."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.blazingtext.hyperparameters import RULES, SUPERVISED
from training.sagemaker.validation import DOCUMENTED_RANGES, find_faults, find_warnings


@pytest.mark.parametrize("mode", RULES)
def test_the_defaults_of_every_mode_have_no_fault_and_no_warning(mode):
    assert find_faults(mode, {}, has_validation=False) == []
    assert find_warnings(mode, {}) == []


def test_every_tunable_name_is_a_hyperparameter():
    assert DOCUMENTED_RANGES.keys() <= RULES[SUPERVISED].keys()


def test_all_faults_are_reported_at_once():
    faults = find_faults(SUPERVISED, {"epochs": "0", "lr": "1", "buckets": "x"}, has_validation=True)

    assert len(faults) == 3


@given(rate=st.floats(0.01, 0.5))
def test_usual_learning_rates_have_no_warning(rate):
    assert find_faults(SUPERVISED, {"learning_rate": f"{rate:f}"}, has_validation=True) == []
    assert find_warnings(SUPERVISED, {"learning_rate": f"{rate:f}"}) == []


def test_a_learning_rate_that_overflows_is_refused():
    (fault,) = find_faults(SUPERVISED, {"learning_rate": "1.5"}, has_validation=True)

    assert fault == "learning_rate=1.5 makes the weights overflow; use 1 at most"


@pytest.mark.parametrize("rate", ["0.005", "0.009"])
def test_the_rates_that_the_documentation_recommends_for_tuning_are_explained(rate):
    (warning,) = find_warnings(SUPERVISED, {"learning_rate": rate})

    assert "hardly learns" in warning
    assert "excludes its own default" in warning


def test_a_high_learning_rate_is_explained():
    (warning,) = find_warnings(SUPERVISED, {"learning_rate": "0.9"})

    assert "ten times the default" in warning


def test_early_stopping_needs_validation_rows():
    (fault,) = find_faults(SUPERVISED, {"early_stopping": "True"}, has_validation=False)

    assert "needs validation rows" in fault


def test_early_stopping_without_effect_is_reported():
    (warning,) = find_warnings(SUPERVISED, {"early_stopping": "True", "epochs": "5"})

    assert "early_stopping has no effect" in warning


def test_patience_without_early_stopping_is_reported():
    (warning,) = find_warnings(SUPERVISED, {"patience": "2"})

    assert "have no effect" in warning
