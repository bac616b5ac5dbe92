"""The Bolt app for presses, shortcuts and submissions; the same in Lambda, sandbox and Socket Mode."""

import logging

from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult

from bot.listeners import register
from bot.listeners.dependencies import Dependencies
from bot.slack.api import build_client
from bot.workspaces.workspaces import Workspaces


def create_app(workspaces: Workspaces, dependencies: Dependencies, api_url: str | None = None) -> App:
    """Build the app without calling Slack. It takes requests that bot.http.interactive has verified.

    A press in a workspace in which the bot is not installed is answered with status 500.
    """

    def authorize(team_id: str | None) -> AuthorizeResult:
        # By default Bolt calls auth.test first, within the three seconds that Slack allows.
        token = workspaces.client_for(team_id or "").token
        return AuthorizeResult(enterprise_id=None, team_id=None, bot_token=token)

    app = App(
        client=build_client("", api_url),  # each request uses a copy with its workspace's token
        authorize=authorize,
        request_verification_enabled=False,
        process_before_response=True,
        logger=_quiet_logger(),
    )
    register(app, dependencies)
    return app


def _quiet_logger() -> logging.Logger:
    """Return a logger for errors only: Bolt warns at every start about a client together with `authorize`."""
    logger = logging.getLogger("bot.bolt")
    logger.setLevel(logging.ERROR)
    return logger
