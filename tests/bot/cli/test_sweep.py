import time
import uuid
from argparse import ArgumentTypeError
from types import SimpleNamespace

import pytest

from bot.__main__ import main
from bot.cli.sweep import oldest_of, read_since
from bot.pipeline.sweep import SETTLED_AFTER
from bot.sandbox.resources import create_tables


def after_all_has_settled() -> float:
    return time.time() + SETTLED_AFTER + 1


def test_a_person_sees_what_would_be_done_before_it_is_done(sweep_environ, slack, received, capsys, monkeypatch):
    ts = slack.write("a billing matter")
    monkeypatch.setattr("bot.__main__.time", SimpleNamespace(time=after_all_has_settled))
    sweep = ["sweep", "--channel", "C0SUPPORT", "--since", "24h"]

    assert main([*sweep, "--dry-run"], sweep_environ) == 0
    shown = capsys.readouterr().out
    nothing = received()
    assert main(sweep, sweep_environ) == 0

    assert f"  would queue T0SANDBOX#C0SUPPORT#{ts}" in shown
    assert "1 messages seen, 1 missed (queued), 0 changed since (queued), 0 posted twice" in capsys.readouterr().out
    assert (nothing, len(received())) == ([], 1)


def test_a_channel_that_the_bot_cannot_read_is_told_in_words(sweep_environ, capsys):
    assert main(["sweep", "--channel", "C0BOARD", "--since", "24h"], sweep_environ) == 1

    assert "Slack refused a call or did not answer (" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "oldest"), [("30min", 8_200), ("2h", 2_800), ("1970-01-01", 0), ("1970-01-01T01:00:00+00:00", 3_600)]
)
def test_since_is_a_span_or_a_date(text, oldest):
    assert oldest_of(read_since(text), now=10_000) == oldest


@pytest.mark.parametrize("text", ["", "yesterday", "0h", "5", "24 h", "2026-13-01"])
def test_since_is_nothing_else(text):
    with pytest.raises(ArgumentTypeError):
        read_since(text)


def test_by_hand_the_workspace_is_named_where_there_are_several(sweep_environ, capsys):
    sweep = ["sweep", "--channel", "C0SUPPORT", "--since", "24h"]

    assert main(sweep, {**sweep_environ, "SLACK_WORKSPACES": "T1"}) == 1

    assert "--team" in capsys.readouterr().err


def test_by_hand_the_channels_own_workspace_is_swept_with_its_own_token(
    sweep_environ, dynamodb, slack, received, monkeypatch
):
    ts = slack.write("a billing matter")
    table = create_tables(dynamodb, f"sweeping-{uuid.uuid4().hex[:8]}")["InstallationsTable"]
    several = {**sweep_environ, "SLACK_WORKSPACES": "T1", "INSTALLATIONS_TABLE": table}
    monkeypatch.setattr("bot.__main__.time", SimpleNamespace(time=after_all_has_settled))
    sweep = ["sweep", "--channel", "C0SUPPORT", "--since", "24h", "--team"]

    assert main([*sweep, "T9OTHER"], several) == 1
    assert received() == []
    assert main([*sweep, "T0SANDBOX"], several) == 0

    assert ts in received()[0]
