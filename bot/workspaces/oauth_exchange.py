"""Slack's OAuth: the URL where a person allows the installation, and the exchange of the code for a token.

The SDK's logger is silenced, so that no code, token or secret is logged: at DEBUG it logs its requests, and at ERROR
answers that are not JSON.
"""

import logging
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin

from slack_sdk import WebClient
from slack_sdk.oauth.authorize_url_generator import AuthorizeUrlGenerator
from slack_sdk.oauth.installation_store.models.installation import Installation

from bot.settings import AppCredentials
from bot.slack.api import TIMEOUT, RetryableError, call

# The same as in docs/slack-app-manifest.yml.
SCOPES = (
    "commands",
    "chat:write",
    "chat:write.public",
    "channels:history",
    "channels:join",
    "channels:read",
    "files:read",
    "groups:history",
    "groups:read",
    "reactions:read",
    "reactions:write",
    "usergroups:read",
    "users:read",
)

TEAM_ID = re.compile(r"T[A-Z0-9]{1,39}")


class OrganisationWide(Exception):
    """The bot was installed for all workspaces of an organisation at once."""


def build_oauth_client(api_url: str | None) -> WebClient:
    """Build a client without token and without retries: a code is valid for one call, even if its answer is lost."""
    quiet = logging.getLogger("bot.workspaces.oauth_exchange.sdk")
    quiet.setLevel(logging.CRITICAL)
    return WebClient(base_url=api_url or WebClient.BASE_URL, timeout=TIMEOUT, retry_handlers=[], logger=quiet)


def build_authorize_urls(client: WebClient, credentials: AppCredentials, redirect_uri: str) -> AuthorizeUrlGenerator:
    """Build the generator of authorize URLs, on the same host as the Web API."""
    return AuthorizeUrlGenerator(
        client_id=credentials.client_id,
        redirect_uri=redirect_uri,
        scopes=SCOPES,
        authorization_url=urljoin(client.base_url, "/oauth/v2/authorize"),
    )


def exchange(client: WebClient, credentials: AppCredentials, code: str, redirect_uri: str, now: float) -> Installation:
    """Exchange a code for a workspace's token.

    Raises OrganisationWide and the errors of `bot.slack.api`, which hold Slack's error code and nothing else.
    """
    answer = call(
        client.oauth_v2_access,
        client_id=credentials.client_id,
        client_secret=credentials.client_secret,
        code=code,
        redirect_uri=redirect_uri,
    )
    if answer.get("is_enterprise_install"):
        raise OrganisationWide("the bot was allowed for a whole organisation")
    team, token = _part(answer.get("team")), answer.get("access_token")
    if not isinstance(token, str) or not TEAM_ID.fullmatch(str(team.get("id"))):
        raise RetryableError("unexpected_answer")
    who = call(client.auth_test, token=token)
    enterprise = _part(answer.get("enterprise"))
    return Installation(
        app_id=answer.get("app_id"),
        enterprise_id=enterprise.get("id"),
        team_id=str(team["id"]),
        team_name=str(team.get("name") or team["id"]),
        bot_token=token,
        bot_id=str(who.get("bot_id")),
        bot_user_id=str(answer.get("bot_user_id")),
        bot_scopes=str(answer.get("scope") or ""),
        user_id=str(_part(answer.get("authed_user")).get("id")),
        installed_at=now,
    )


def _part(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
