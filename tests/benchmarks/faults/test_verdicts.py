"""How a burst classifies a message by its visible copies."""

from collections import Counter

import pytest

from benchmarks.faults.burst import count_copies, judge
from bot.pipeline.reconcile import SUMMARY
from bot.sandbox.slack.seed import build_workspace
from bot.sandbox.slack.workspace import Content

BOTH = {"reaction": 1, "reply": 1}


@pytest.mark.parametrize(
    ("copies", "is_dead_lettered", "verdict"),
    [
        ({**BOTH, "post": 1}, False, "handled"),
        ({**BOTH, "in a summary": 1}, False, "handled"),
        ({**BOTH, "post": 1, "in a summary": 1}, False, "doubled"),
        ({**BOTH, "in a summary": 2}, False, "doubled"),
        ({**BOTH, "post": 2}, True, "doubled"),
        ({"reaction": 1, "reply": 2, "post": 1}, False, "doubled"),
        (BOTH, True, "dead-lettered"),
        (BOTH, False, "lost"),
        ({}, False, "lost"),
    ],
)
def test_verdicts(copies, is_dead_lettered, verdict):
    assert judge(Counter(copies), is_dead_lettered) == verdict


def test_all_visible_copies_of_a_message_are_counted():
    workspace = build_workspace()
    ts = workspace.post("C0SUPPORT", "U0MAYA", Content("charged twice")).ts
    link = f"https://slack.test/archives/C0SUPPORT/p{ts.replace('.', '')}"
    summary = {"event_type": "triage_post", "event_payload": {"key": "T0#C0BILLING#1.0", "step": SUMMARY}}
    workspace.react("C0SUPPORT", ts, workspace.bot.user_id, "credit_card")
    workspace.post("C0SUPPORT", workspace.bot.user_id, Content("Billing"), thread_ts=ts)
    workspace.post("C0BILLING", workspace.bot.user_id, Content(f"from support: {link}"))
    workspace.post("C0BILLING", workspace.bot.user_id, Content(f"some messages: {link}", metadata=summary))

    assert count_copies(workspace)[ts] == {"reaction": 1, "reply": 1, "post": 1, "in a summary": 1}
