"""Reactions that the policy takes for a correction."""

import time

import pytest

from bot.policy.parsing.parser import WrittenPolicy
from bot.queue.messages import CorrectionRecord, ReactionRecord

REACTIONS = "version: 1\nreaction_corrections:\n  category:\n    technical: wrench\n"


@pytest.fixture
def react(command_handler, ledger, team, settings_now, decide_about):
    """React to a message that was classified as billing, and return its labels."""
    key = decide_about(f"{time.time():.6f}", team=team)

    def react(name: str, user: str = "U0ANNA", policy: str = REACTIONS) -> dict[str, str]:
        command_handler.settings.save_policy(team, WrittenPolicy.of(policy), "U0ANNA", time.time())
        record = ReactionRecord(team, key.channel, key.ts, user, name, int(time.time()))
        command_handler.take_reaction(record, settings_now())
        command_handler.take_reaction(record, settings_now())
        return ledger.load(key, time.time()).labels

    return react


def test_a_reaction_that_the_policy_names_corrects_once(react, later):
    assert react("wrench")["category"] == "technical"
    assert [type(record) for record in later.records] == [CorrectionRecord] * 2


def test_any_other_reaction_is_just_a_reaction(react, later):
    assert react("tada")["category"] == "billing"
    assert react("wrench", policy="version: 1")["category"] == "billing"
    assert later.records == []


def test_a_reaction_of_somebody_who_may_not_correct_changes_nothing(react, later):
    assert react("wrench", user="U0MAYA", policy=f"{REACTIONS}corrections: [U0ANNA]")["category"] == "billing"
    assert later.records == []
