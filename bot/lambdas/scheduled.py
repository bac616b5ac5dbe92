"""Lambda entry: the scheduled sweep of channel history."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext

from bot.pipeline.sweep import Sweeper, sweep_workspaces
from bot.policy.parsing.parser import load_policy
from bot.queue.sender import Queue, build_queue
from bot.settings import require
from bot.slack.client import SlackActions
from bot.store.ledger import Ledger, build_ledger
from bot.store.settings import SettingsStore
from bot.workspaces.workspaces import ConnectedWorkspace, Workspaces, build_workspaces

# Named after the package, so that all its modules log through it, as JSON.
logger = Logger(service="bot")

# After a longer outage, sweep by hand: python -m bot sweep --since.
LOOK_BACK_SECONDS = 24 * 3600

# What reading one more channel may take, with Slack slow at every call.
_SPARE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Scheduled:
    """Objects that an instance of the function keeps between calls."""

    workspaces: Workspaces
    ledger: Ledger
    triage: Queue
    settings: SettingsStore

    def sweeper_for(self, workspace: ConnectedWorkspace) -> Sweeper:
        slack, home_of = SlackActions(workspace.client), self.workspaces.home_of
        return Sweeper(slack, self.ledger, self.triage, self.settings, home_of=home_of)


@cache
def _scheduled() -> Scheduled:
    ledger = build_ledger(require(os.environ, "LEDGER_TABLE"))
    default = load_policy(Path(require(os.environ, "POLICY_FILE")))
    settings = SettingsStore(ledger.client, ledger.table, default)
    return Scheduled(
        workspaces=build_workspaces(os.environ, ledger.client, time.time, settings),
        ledger=ledger,
        triage=build_queue(require(os.environ, "TRIAGE_QUEUE_URL")),
        settings=settings,
    )


@logger.inject_lambda_context
def handler(event: Mapping[str, Any], context: LambdaContext) -> dict[str, int]:
    """Return what was found, as counts. Raises MissingSetting, PolicyError and what a sweep raises."""
    now, scheduled = time.time(), _scheduled()
    workspaces = scheduled.workspaces.list_workspaces()
    until = now + context.get_remaining_time_in_millis() / 1000 - _SPARE_SECONDS
    swept = sweep_workspaces(workspaces, scheduled.sweeper_for, now - LOOK_BACK_SECONDS, now, until)
    return {
        "channels": len(swept),
        "missing": sum(len(each.missing) for each in swept),
        "surplus": sum(len(each.surplus) for each in swept),
        "changed": sum(len(each.changed) for each in swept),
    }
