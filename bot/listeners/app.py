"""The Bolt app: everything of Slack that a person presses or opens. Works alike in Lambda, sandbox and Socket Mode."""

import logging

from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult

from bot.listeners import register
from bot.listeners.dependencies import Dependencies
from bot.slack.api import build_client
from bot.workspaces.workspaces import Workspaces


def create_app(workspaces: Workspaces, dependencies: Dependencies, api_url: str | None = None) -> App:
    """Build the app without a call to Slack. Requests come to it verified: see bot.http.interactive.

    A press in a workspace that the bot is not in (any more) is answered with a status of 500.
    """

    def authorize(team_id: str | None) -> AuthorizeResult:
        # Bolt's own way begins with a call of auth.test, inside the three seconds.
        token = workspaces.client_for(team_id or "").token
        return AuthorizeResult(enterprise_id=None, team_id=None, bot_token=token)

    app = App(
        client=build_client("", api_url),  # each request gets a copy with the token of its workspace
        authorize=authorize,
        request_verification_enabled=False,
        process_before_response=True,
        logger=_quiet_logger(),
    )
    register(app, dependencies)
    return app


def _quiet_logger() -> logging.Logger:
    """Bolt warns of every start with a token and an own `authorize`; what it makes an error is worth reading."""
    logger = logging.getLogger("bot.bolt")
    logger.setLevel(logging.ERROR)
    return logger
