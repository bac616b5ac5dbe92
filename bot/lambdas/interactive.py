"""Lambda entry: POST /slack/interactive."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.utilities.typing import LambdaContext
from slack_bolt import App

from bot.http.interactive import handle
from bot.http.proxy import Answer
from bot.listeners.app import create_app
from bot.listeners.dependencies import Dependencies
from bot.pipeline.corrections import CorrectionHandler
from bot.policy.parsing.parser import load_policy
from bot.queue.sender import build_queue
from bot.settings import read_signing_secret, require
from bot.store.ledger import build_ledger
from bot.store.settings import SettingsStore
from bot.store.stats import StatsStore
from bot.workspaces.workspaces import build_workspaces

# Named after the package, so that whatever a module of it logs comes out here, as JSON.
logger = Logger(service="bot")


@dataclass(frozen=True, slots=True)
class Interactive:
    """What one instance of the function keeps between calls."""

    signing_secret: str = field(repr=False)
    app: App


@cache
def _interactive() -> Interactive:
    ledger = build_ledger(require(os.environ, "LEDGER_TABLE"))
    policy_file = Path(require(os.environ, "POLICY_FILE"))
    default = load_policy(policy_file)
    queue = build_queue(require(os.environ, "TRIAGE_QUEUE_URL"))
    settings = SettingsStore(ledger.client, ledger.table, default)
    stats = StatsStore(ledger.client, ledger.table)
    dependencies = Dependencies(
        CorrectionHandler(ledger, queue, settings, time.time), settings, stats, policy_file.read_text("utf-8")
    )
    workspaces = build_workspaces(os.environ, ledger.client, time.time)
    app = create_app(workspaces, dependencies, os.environ.get("SLACK_API_URL"))
    return Interactive(read_signing_secret(os.environ), app)


@logger.inject_lambda_context
def handler(event: Mapping[str, Any], context: LambdaContext) -> Answer:
    """Raises MissingSetting, PolicyError."""
    interactive = _interactive()
    return handle(event, interactive.signing_secret, interactive.app, time.time())
