"""What a trial says became of a message."""

import pytest

from benchmarks.faults.trials import Outcome, find_outcome

CLEAN = ("post", "reaction", "reply")


@pytest.mark.parametrize(
    ("seen", "dead_lettered", "outcome"),
    [
        (CLEAN, 0, Outcome.HANDLED),
        (("post", "reaction", "reply", "reply"), 0, Outcome.DOUBLED),
        (("post", "reaction", "reply", "reply"), 1, Outcome.DOUBLED),
        (("reaction",), 1, Outcome.SET_ASIDE),
        (("reaction",), 0, Outcome.LOST),
        ((), 0, Outcome.LOST),
        (("reaction", "whisper it did not work"), 0, Outcome.TOLD),
    ],
)
def test_outcomes(seen, dead_lettered, outcome):
    assert find_outcome(CLEAN, seen, dead_lettered, at_least_once=False) is outcome


def test_an_answer_that_is_at_least_once_may_come_twice():
    assert find_outcome(("whisper a",), ("whisper a", "whisper a"), 0, at_least_once=True) is Outcome.REPEATED
