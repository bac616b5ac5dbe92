"""What the tests of the local endpoint share."""

import pytest


@pytest.fixture
def delays(monkeypatch):
    """Record, in place of waiting, the seconds that an answer is delayed."""
    seconds = []

    async def wait(delay, receive):
        seconds.append(delay)

    monkeypatch.setattr("classifier_infra.local.runtime._wait", wait)
    return seconds
