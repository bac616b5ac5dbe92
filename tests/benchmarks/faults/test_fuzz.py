"""MessageHandler that nobody should send.

They have a laboratory of their own: among them are signed commands such as `/classify stop`, so whoever used it
afterwards would meet the bot in whatever state the last of them left it.
"""

import pytest

from benchmarks.faults.fuzz import HANG_SECONDS, run_fuzz

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("faults-fuzz")]


def test_requests_that_nobody_should_send_are_answered_without_a_5xx(start_laboratory):
    with start_laboratory(workers=2, redelivery_seconds=1) as laboratory:
        run_fuzz(laboratory, 500, seed=100)  # what the first requests make once is no growth
        fuzzed = run_fuzz(laboratory, 1_000)

    assert fuzzed.faults == ()
    assert fuzzed.slowest < HANG_SECONDS
    assert all(after < before + 8 for before, after in fuzzed.memory.values()), "memory in MB"
