"""Lambda entry: POST /slack/interactive."""

import os
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from slack_bolt import App

from bot.http.interactive import handle
from bot.http.proxy import Answer, answer_verified
from bot.listeners.app import create_app
from bot.listeners.dependencies import Dependencies
from bot.pipeline.corrections import CorrectionHandler
from bot.policy.parsing.parser import load_policy
from bot.queue.sender import build_queue
from bot.settings import Renewed, read_signing_secret, require
from bot.store.ledger import build_ledger
from bot.store.settings import SettingsStore
from bot.store.stats import StatsStore
from bot.workspaces.workspaces import build_workspaces

# Named after the package, so that all its modules log through it, as JSON.
logger = Logger(service="bot")


@cache
def _interactive() -> tuple[Renewed[str], App]:
    """Return the signing secret and the app, which an instance of the function keeps between calls."""
    ledger = build_ledger(require(os.environ, "LEDGER_TABLE"))
    policy_file = Path(require(os.environ, "POLICY_FILE"))
    queue = build_queue(require(os.environ, "TRIAGE_QUEUE_URL"))
    settings = SettingsStore(ledger.client, ledger.table, load_policy(policy_file))
    stats = StatsStore(ledger.client, ledger.table)
    workspaces = build_workspaces(os.environ, ledger.client, time.time, settings)
    dependencies = Dependencies(
        CorrectionHandler(ledger, queue, settings, time.time, workspaces.home_of),
        settings,
        stats,
        policy_file.read_text("utf-8"),
    )
    secret = Renewed(lambda: read_signing_secret(os.environ), time.time)
    return secret, create_app(workspaces, dependencies, os.environ.get("SLACK_API_URL"))


@logger.inject_lambda_context
def handler(event: Mapping[str, Any], context: LambdaContext) -> Answer:
    """Raises MissingSetting, PolicyError."""
    secret, app = _interactive()
    return answer_verified(secret, lambda known: handle(event, known, app, time.time()))
