"""Malformed requests.

They have a laboratory of their own, because some are signed commands such as `/classify stop`, which change the state
of the bot for other tests.
"""

import pytest

from benchmarks.faults.fuzz import HANG_SECONDS, run_fuzz

pytestmark = pytest.mark.stack


def test_malformed_requests_are_answered_without_a_5xx(start_laboratory):
    with start_laboratory(workers=2, redelivery_seconds=1) as laboratory:
        run_fuzz(laboratory, 500, seed=100)  # warms up, so that what is created once does not count as growth
        fuzzed = run_fuzz(laboratory, 1_000)

    assert fuzzed.faults == ()
    assert fuzzed.slowest < HANG_SECONDS
    assert all(after < before + 8 for before, after in fuzzed.memory.values()), "memory in MB"
