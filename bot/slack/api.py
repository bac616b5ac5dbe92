"""Calls to Slack, and what their failures mean for whoever made them.

    SlackError
    ├── RetryableError   may succeed later; `refused` tells whether Slack surely did nothing this time
    ├── PermanentError     will fail again until a person changes something
    └── WorkspaceUninstalled the installation is gone: nothing can be done for this workspace any more

Errors are named by Slack's code; no message text, token or URL is in them.
"""

import json
from collections.abc import Callable, Mapping
from http.client import HTTPException
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse
from slack_sdk.webhook import WebhookClient

from bot.slack.blocks import View

# Seconds for one call. A ledger lease outlasts the most calls that one step makes.
TIMEOUT = 4

# Nothing was done, and it will not be done until somebody changes the app, the channel or the policy.
_HOPELESS = frozenset({
    "not_in_channel", "channel_not_found", "is_archived", "is_inactive", "restricted_action", "missing_scope",
    "restricted_action_read_only_channel", "restricted_action_thread_only_channel", "cannot_reply_to_message",
    "restricted_action_non_threadable_channel", "restricted_action_thread_locked", "thread_locked",
    "invalid_blocks", "invalid_blocks_format", "invalid_arguments", "invalid_metadata_format", "invalid_name",
    "msg_too_long", "msg_blocks_too_long", "no_text", "too_many_attachments", "too_many_emoji", "too_many_reactions",
    "message_not_found", "thread_not_found", "cant_update_message", "edit_window_closed", "block_mismatch",
    "method_not_supported_for_channel_type", "too_many_members", "ekm_access_denied", "access_denied",
    "team_access_not_granted", "not_allowed_token_type", "org_login_required",
    "expired_url", "used_url", "invalid_url", "no_service", "invalid_payload",
    "user_is_restricted", "not_found", "view_too_large", "expired_trigger_id", "exchanged_trigger_id",
    "invalid_trigger_id", "not_enabled", "user_not_found",
    "plan_upgrade_required", "paid_teams_only",
})  # fmt: skip

_GONE = frozenset({"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"})

# What was asked for is so already.
_DONE = frozenset({"already_reacted", "no_reaction"})

_RATE_LIMITED = frozenset({"ratelimited", "rate_limited"})


class SlackError(Exception):
    """Slack did not do what it was asked. `error` is its code, or the class of what went wrong on the way."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


class RetryableError(SlackError):
    """Refused for now (`refused`), or without an answer that says whether it was done. `after`: seconds to wait."""

    def __init__(self, error: str, refused: bool = False, after: int | None = None) -> None:
        super().__init__(error)
        self.refused = refused
        self.after = after


class PermanentError(SlackError):
    """Trying again is no use."""


class WorkspaceUninstalled(SlackError):
    """The bot's token is not valid (any more): it was revoked, or the app uninstalled."""


def build_client(token: str, api_url: str | None) -> WebClient:
    """Build a client that never repeats a call by itself: a post whose answer was lost would be seen twice."""
    url = api_url or WebClient.BASE_URL
    return WebClient(token, base_url=url, timeout=TIMEOUT, retry_handlers=[])


def call(method: Callable[..., SlackResponse], **arguments: Any) -> SlackResponse:
    """Call a method of the Web API; "already done" counts as success.

    Raises RetryableError, PermanentError, WorkspaceUninstalled.
    """
    try:
        return method(**arguments)
    except SlackApiError as error:
        response: SlackResponse = error.response
        if response.get("error") in _DONE:
            return response
        raise _failure(response) from error
    except (OSError, HTTPException, ValueError) as error:
        # Timeouts, refused and broken connections, and answers that end in the middle.
        raise RetryableError(type(error).__name__) from error


def _failure(response: SlackResponse) -> SlackError:
    # A proxy's HTML in place of JSON ends up in `error`, whole.
    error = str(response.get("error"))[:60]
    if response.status_code == 429 or error in _RATE_LIMITED:
        return RetryableError("ratelimited", refused=True, after=_seconds(response.headers))
    if response.status_code >= 500:
        return RetryableError(f"status {response.status_code}")
    if error in _GONE:
        return WorkspaceUninstalled(error)
    return PermanentError(error) if error in _HOPELESS else RetryableError(error)


def _seconds(headers: Mapping[str, str]) -> int | None:
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return int(value) if str(value).isdecimal() else None


def respond(url: str, view: View, replace: bool = False) -> None:
    """Answer at a `response_url`, visible to its user alone; `replace` what was pressed.

    Raises RetryableError, PermanentError.

    Slack takes five answers within half an hour; one whose own answer was lost may be seen twice.
    """
    client = WebhookClient(url, timeout=TIMEOUT, retry_handlers=[])
    try:
        answer = client.send(
            text=view.text, blocks=list(view.blocks) or None, response_type="ephemeral", replace_original=replace
        )
    except (OSError, HTTPException, ValueError) as error:
        raise RetryableError(type(error).__name__) from None  # the cause's traceback could lead to the URL
    if answer.status_code == 429:
        raise RetryableError("ratelimited", refused=True, after=_seconds(answer.headers))
    if answer.status_code >= 500:
        raise RetryableError(f"status {answer.status_code}")
    if answer.status_code != 200:
        raise PermanentError(f"status {answer.status_code}")
    _check_answer(answer.body)


def _check_answer(body: str) -> None:
    """Slack answers `ok`, or a JSON object that can say otherwise."""
    try:
        document = json.loads(body)
    except ValueError:
        return
    if isinstance(document, dict) and document.get("ok") is False:
        raise PermanentError(str(document.get("error"))[:60])
