import time
import uuid
from types import SimpleNamespace

import pytest
from slack_sdk.oauth.installation_store.models.installation import Installation

from bot.lambdas import scheduled
from bot.pipeline.sweep import SETTLED_AFTER
from bot.sandbox.resources import create_tables
from bot.slack.api import WorkspaceUninstalled
from bot.store.channel_homes import ChannelHomes
from bot.workspaces.installations import DynamoInstallationStore


def after_all_has_settled() -> float:
    return time.time() + SETTLED_AFTER + 1


def strike(sweep_environ: dict[str, str], monkeypatch) -> dict[str, int]:
    """Let the clock strike when all has settled."""
    for name, value in sweep_environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("bot.lambdas.scheduled.time", SimpleNamespace(time=after_all_has_settled))
    scheduled._scheduled.cache_clear()
    context = SimpleNamespace(
        function_name="scheduled", memory_limit_in_mb=512, invoked_function_arn="arn", aws_request_id="1"
    )
    context.get_remaining_time_in_millis = lambda: 300_000
    return scheduled.handler({}, context)


def test_the_clock_queues_what_was_missed(sweep_environ, slack, received, monkeypatch):
    ts = slack.write("a billing matter")

    answer = strike(sweep_environ, monkeypatch)

    assert answer == {"channels": 5, "missing": 1, "surplus": 0, "changed": 0}
    assert ts in received()[0]


def test_the_clock_sweeps_what_was_installed_also_where_the_secret_has_a_token_that_is_none_any_more(
    sweep_environ, dynamodb, slack, received, monkeypatch
):
    ts = slack.write("a billing matter")
    table = create_tables(dynamodb, f"sweeping-{uuid.uuid4().hex[:8]}")["InstallationsTable"]
    installed = Installation(
        team_id="T0SANDBOX", bot_token=slack.client.token, bot_id="B0TRIAGE", bot_user_id="U0BOT", user_id="U0OMAR"
    )
    DynamoInstallationStore(dynamodb, table).save(installed)
    several = {"SLACK_WORKSPACES": "T0SANDBOX", "INSTALLATIONS_TABLE": table, "SLACK_BOT_TOKEN": "xoxb-stale"}

    with pytest.raises(WorkspaceUninstalled, match="invalid_auth"):
        strike({**sweep_environ, **several}, monkeypatch)

    assert ts in received()[0]


def test_the_clock_sweeps_a_shared_channel_for_its_home(sweep_environ, dynamodb, slack, received, monkeypatch):
    slack.write("a billing matter")
    tables = create_tables(dynamodb, f"sweeping-{uuid.uuid4().hex[:8]}")
    ledger, table = tables["LedgerTable"], tables["InstallationsTable"]
    ChannelHomes(dynamodb, ledger).settle("C0SUPPORT", "T0HOME")
    for team in ("T0HOME", "T0SANDBOX"):
        installed = Installation(
            team_id=team, bot_token=slack.client.token, bot_id="B0TRIAGE", bot_user_id="U0BOT", user_id="U0OMAR"
        )
        DynamoInstallationStore(dynamodb, table).save(installed)
    several = {"SLACK_WORKSPACES": "T0HOME,T0SANDBOX", "INSTALLATIONS_TABLE": table, "LEDGER_TABLE": ledger}

    strike({**sweep_environ, **several}, monkeypatch)

    assert ["T0HOME" in body for body in received()] == [True]
