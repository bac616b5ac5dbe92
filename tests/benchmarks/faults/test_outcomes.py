"""How a trial classifies its outcome."""

import pytest

from benchmarks.faults.trials import Outcome, find_outcome

CLEAN = ("post", "reaction", "reply")


@pytest.mark.parametrize(
    ("seen", "dead_lettered", "outcome"),
    [
        (CLEAN, 0, Outcome.HANDLED),
        (("post", "reaction", "reply", "reply"), 0, Outcome.DOUBLED),
        (("post", "reaction", "reply", "reply"), 1, Outcome.DOUBLED),
        (("reaction",), 1, Outcome.DEAD_LETTERED),
        (("reaction",), 0, Outcome.LOST),
        ((), 0, Outcome.LOST),
        (("reaction", "ephemeral it did not work"), 0, Outcome.NOTIFIED),
    ],
)
def test_outcomes(seen, dead_lettered, outcome):
    assert find_outcome(CLEAN, seen, dead_lettered, at_least_once=False) is outcome


def test_a_response_that_is_at_least_once_may_come_twice():
    assert find_outcome(("ephemeral a",), ("ephemeral a", "ephemeral a"), 0, at_least_once=True) is Outcome.REPEATED
