"""Ranges of tuning jobs, and the ranking, table and figure of their results."""

import pytest

from training.sagemaker import JobError
from training.sagemaker.jobs.tuning import (
    DEFAULT_RANGES,
    best,
    find_range_faults,
    find_range_warnings,
    ranked,
    to_search_ranges,
    write_table,
)
from training.sagemaker.states import Trial
from training.sagemaker.validation import Range

TRIALS = [
    Trial("tune-001", "Completed", {"epochs": "5", "learning_rate": "0.05"}, 0.91),
    Trial("tune-002", "Completed", {"epochs": "12", "learning_rate": "0.3"}, 0.953),
    Trial("tune-003", "Failed", {"epochs": "9", "learning_rate": "0.4"}, None),
    Trial("tune-004", "Completed", {"epochs": "7", "learning_rate": "0.2"}, 0.953),
]


def test_the_default_ranges_can_be_searched():
    assert find_range_faults(DEFAULT_RANGES, {}) == []


def test_the_best_is_the_first_of_the_highest_accuracy():
    winner = best(TRIALS)

    assert winner is not None
    assert winner.name == "tune-002"
    assert [trial.name for trial in ranked(TRIALS)] == ["tune-002", "tune-004", "tune-001"]


def test_without_an_accuracy_there_is_no_best():
    assert best(TRIALS[2:3]) is None


def test_the_table_has_the_best_first_and_the_failed_last():
    assert write_table(TRIALS) == (
        "accuracy  epochs  learning_rate  job\n"
        "0.9530    12      0.3            tune-002\n"
        "0.9530    7       0.2            tune-004\n"
        "0.9100    5       0.05           tune-001\n"
        "Failed    9       0.4            tune-003\n"
    )


@pytest.mark.parametrize(
    ("name", "searched", "expected"),
    [
        ("patience", Range(1, 3), "patience cannot be tuned"),
        ("epochs", Range(15, 5), "not a range from low to high"),
        ("epochs", Range(0, 5), "epochs must be a whole number of at least 1, not 0"),
        ("epochs", Range(1.5, 5), "epochs must be a whole number, not 1.5"),
        ("learning_rate", Range(0.1, 3), "makes the weights overflow"),
        ("word_ngrams", Range(1, 3), "both fixed (--set) and searched (--range)"),
    ],
)
def test_a_range_that_cannot_be_searched_is_refused(name, searched, expected):
    (fault,) = find_range_faults({name: searched}, {"word_ngrams": "2"})

    assert expected in fault


def test_the_documented_learning_rates_are_explained():
    (warning,) = find_range_warnings({"learning_rate": Range(0.005, 0.01)})

    assert "excludes its own default" in warning


def test_a_range_beyond_the_documented_one_is_reported():
    (warning,) = find_range_warnings({"epochs": Range(5, 40)})

    assert "epochs 5 to 40 (documented: 5 to 15)" in warning


def test_learning_rates_are_searched_on_a_logarithmic_scale():
    epochs, rates = to_search_ranges({"epochs": Range(5, 15), "learning_rate": Range(0.01, 0.5)})

    assert (epochs.low, epochs.high, epochs.is_whole, epochs.scale) == ("5", "15", True, "Auto")
    assert (rates.low, rates.high, rates.is_whole, rates.scale) == ("0.01", "0.5", False, "Logarithmic")


def test_results_are_drawn_to_a_png_with_a_panel_per_hyperparameter(tmp_path):
    pytest.importorskip("matplotlib", reason="figures take the extra `report`")
    from training.sagemaker.jobs.tuning_figure import draw

    draw(TRIALS, tmp_path / "tuning.png")

    content = (tmp_path / "tuning.png").read_bytes()
    width, height = int.from_bytes(content[16:20]), int.from_bytes(content[20:24])
    assert content.startswith(b"\x89PNG")
    assert width == 2 * height


def test_nothing_is_drawn_without_an_accuracy(tmp_path):
    pytest.importorskip("matplotlib", reason="figures take the extra `report`")
    from training.sagemaker.jobs.tuning_figure import draw

    with pytest.raises(JobError, match="nothing to draw"):
        draw(TRIALS[2:3], tmp_path / "tuning.png")
    assert not (tmp_path / "tuning.png").exists()
