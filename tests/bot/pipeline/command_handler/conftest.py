"""Fixtures of the command handler's tests."""

import time

import pytest

from bot.queue.messages import MessageKey
from bot.triage.case import Decision


@pytest.fixture
def settings_now(command_handler, team):
    """Return the current settings of the test's own workspace or another."""
    return lambda of=team: command_handler.settings.load(of, time.time())


@pytest.fixture
def decide_about(ledger, facet_results):
    """Let a message be decided about that is urgent and waits for a person's word; give its key."""

    def decide(ts: str, channel: str = "C0SUPPORT", team: str = "T0SANDBOX") -> MessageKey:
        key = MessageKey(team, channel, ts)
        ledger.record_decision(key, Decision("suggest", "mode", facet_results, "model-1", urgent=True), time.time())
        return key

    return decide
