"""BlazingText's hyperparameters, as its documentation has them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.blazingtext.hyperparameters import (
    RULES,
    SUPERVISED,
    HyperparameterError,
    as_strings,
    estimate_bytes,
    resolve,
)


def faults_of(mode, **values):
    with pytest.raises(HyperparameterError) as raised:
        resolve(mode, values)
    return raised.value.faults


def test_missing_values_have_the_documented_defaults():
    assert resolve(SUPERVISED, {}) == {
        "buckets": 2_000_000,
        "early_stopping": False,
        "epochs": 5,
        "learning_rate": 0.05,
        "min_count": 5,
        "min_epochs": 5,
        "patience": 4,
        "vector_dim": 100,
        "word_ngrams": 2,
    }


def test_word_vectors_have_hyperparameters_of_their_own():
    values = resolve("skipgram", {"subwords": "True", "window_size": "3"})

    assert (values["subwords"], values["window_size"], values["sampling_threshold"]) == (True, 3, 0.0001)
    assert "batch_size" not in values
    assert resolve("batch_skipgram", {})["batch_size"] == 11


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many", "", " 5", "1_000", "٣"])
def test_a_number_of_epochs_is_a_whole_number_above_zero(text):
    assert faults_of(SUPERVISED, epochs=text) == (f"epochs={text}: write a whole number of at least 1",)


@pytest.mark.parametrize("text", ["0", "-0.1", "nan", "inf", "fast"])
def test_a_learning_rate_is_a_number_above_zero(text):
    assert faults_of(SUPERVISED, learning_rate=text) == (f"learning_rate={text}: write a number above 0",)


def test_booleans_are_spelled_as_documented():
    assert faults_of(SUPERVISED, early_stopping="true") == ("early_stopping=true: write True or False",)


def test_every_fault_is_reported_and_a_misspelt_name_is_guessed():
    faults = faults_of(SUPERVISED, epoch="5", window_size="5", vector_dim="0")

    assert [fault.partition(";")[2] for fault in faults[:1]] == [" did you mean epochs?"]
    assert [fault.partition(":")[0] for fault in faults] == ["epoch", "window_size", "vector_dim=0"]


def test_the_shortest_subword_is_not_longer_than_the_longest():
    assert faults_of("cbow", min_char="7") == ("min_char=7: more than max_char=6",)


def test_an_unknown_mode_is_refused():
    assert faults_of("unsupervised") == (f"mode='unsupervised': choose one of {', '.join(RULES)}",)


@given(
    mode=st.sampled_from(sorted(RULES)), epochs=st.integers(1, 99), rate=st.floats(1e-6, 10), dim=st.integers(1, 300)
)
def test_the_strings_of_a_request_parse_to_the_same_values(mode, epochs, rate, dim):
    values = resolve(mode, {"epochs": str(epochs), "learning_rate": str(rate), "vector_dim": str(dim)})

    sent = as_strings(mode, values)

    assert sent.pop("mode") == mode
    assert resolve(mode, sent) == values


def test_the_size_of_a_model_is_known_before_it_is_trained():
    assert estimate_bytes(resolve(SUPERVISED, {}), words=0) == 800_000_000
    assert estimate_bytes(resolve(SUPERVISED, {"word_ngrams": "1", "vector_dim": "10"}), words=100) == 4_000
