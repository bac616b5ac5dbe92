"""A burst of messages with every fault among them."""

import pytest

from benchmarks.faults.burst import run_burst

pytestmark = pytest.mark.stack


@pytest.mark.timeout(400)
def test_a_burst_with_every_fault_loses_and_doubles_nothing(two_workers):
    burst = run_burst(two_workers, 200)

    assert (burst.lost, burst.doubled) == (0, 0)
    assert burst.handled + burst.dead_lettered == 200
    # A message whose call met a fault is redelivered, in the worst case alone.
    assert burst.endpoint_calls <= 200 / 5 + sum(burst.faults.values())
    assert len(burst.faults) == 9, "each kind of fault struck"
