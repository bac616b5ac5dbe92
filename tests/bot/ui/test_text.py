import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.triage.display import Choice
from bot.ui.text import thread as thread_text


@pytest.mark.parametrize(
    ("confidence", "said"),
    [(0.0, "under 1%"), (0.0099, "under 1%"), (0.57, "57%"), (0.799, "79%"), (0.9999, "99%")],
)
def test_a_probability_is_rounded_down_so_that_it_never_seems_to_reach_a_threshold(confidence, said):
    assert thread_text.percent(confidence) == said


@given(st.floats(0, 1))
def test_every_bar_is_of_one_width(confidence):
    bar = thread_text.bars([Choice("a", "A", confidence)]).split(" ")[0]

    assert len(bar) == 10


@pytest.mark.parametrize(
    ("error", "said"),
    [("is_archived", "that channel is archived"), ("strange_error", "Slack answered `strange_error`")],
)
def test_slacks_errors_are_said_in_words(error, said):
    assert thread_text.explain(error) == said


def test_the_menu_names_what_it_changes():
    assert thread_text.change(["Urgency"]) == "Change urgency"
    assert thread_text.change(["Category", "Urgency", "Tone"]) == "Change category, urgency or tone"
