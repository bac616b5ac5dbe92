"""Lambda entry: GET /slack/install and GET /slack/oauth_redirect."""

import logging
import os
import time
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, cast

from botocore.config import Config

from bot.http.proxy import Answer
from bot.settings import read_app_credentials, read_workspaces, require, session
from bot.workspaces.installations import DynamoInstallationStore
from bot.workspaces.oauth_exchange import build_oauth_client
from bot.workspaces.oauth_flow import Installer, handle
from bot.workspaces.oauth_states import DynamoStateStore

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

# Lambda's own log handler is used, as in front.py.
logging.getLogger("bot").setLevel(os.environ.get("POWERTOOLS_LOG_LEVEL") or os.environ.get("LOG_LEVEL") or "INFO")


@cache
def _installer() -> Installer | None:
    """Return the installer, or None if the bot serves one workspace; the app's credentials are not needed then."""
    allowed = read_workspaces(os.environ)
    if not allowed:
        return None
    table = require(os.environ, "INSTALLATIONS_TABLE")
    config = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 3, "mode": "standard"})
    dynamodb = cast("DynamoDBClient", session().create_client("dynamodb", config=config))
    return Installer(
        credentials=read_app_credentials(os.environ),
        allowed=allowed,
        redirect_uri=require(os.environ, "SLACK_REDIRECT_URI"),
        states=DynamoStateStore(dynamodb, table, time.time),
        installations=DynamoInstallationStore(dynamodb, table),
        client=build_oauth_client(os.environ.get("SLACK_API_URL")),
        now=time.time,
    )


def handler(event: Mapping[str, Any], context: object) -> Answer:
    """Raises MissingSetting."""
    return handle(event, _installer)
