"""Call Slack's Web API and sort its errors by what the caller can do about them.

    SlackError
    ├── RetryableError        may succeed later; `refused` means that Slack certainly did nothing this time
    ├── PermanentError        fails again until a person changes something
    └── WorkspaceUninstalled  the installation is gone, so that nothing more can be done for this workspace

Errors have Slack's error code, and never a message text, token or URL.
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

# Seconds for one call. A lease in the ledger is longer than the calls that one step makes at most.
TIMEOUT = 4

# Slack did nothing, and will not until a person changes the app, the channel or the policy.
_PERMANENT = frozenset({
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

# The request was already fulfilled.
_DONE = frozenset({"already_reacted", "no_reaction"})

_RATE_LIMITED = frozenset({"ratelimited", "rate_limited"})


class SlackError(Exception):
    """A call failed. `error` is Slack's code, or the class of the exception if there was no answer."""

    def __init__(self, error: str) -> None:
        super().__init__(error)
        self.error = error


class RetryableError(SlackError):
    """Slack refused the call for now (`refused`), or its outcome is unknown. `after`: seconds to wait."""

    def __init__(self, error: str, refused: bool = False, after: int | None = None) -> None:
        super().__init__(error)
        self.refused = refused
        self.after = after


class PermanentError(SlackError):
    """A retry is of no use."""


class WorkspaceUninstalled(SlackError):
    """The bot's token is not valid: it was revoked, or the app was uninstalled."""


def build_client(token: str, api_url: str | None) -> WebClient:
    """Build a client without retries of its own: if the answer to a post was lost, a retry would post it twice."""
    url = api_url or WebClient.BASE_URL
    return WebClient(token, base_url=url, timeout=TIMEOUT, retry_handlers=[])


def call(method: Callable[..., SlackResponse], **arguments: Any) -> SlackResponse:
    """Call a method of the Web API; errors that mean "already done" count as success.

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
        # Timeouts, refused and broken connections, truncated answers.
        raise RetryableError(type(error).__name__) from error


def _failure(response: SlackResponse) -> SlackError:
    # If a proxy answers with HTML, all of it is in `error`.
    error = str(response.get("error"))[:60]
    if response.status_code == 429 or error in _RATE_LIMITED:
        return RetryableError("ratelimited", refused=True, after=_seconds(response.headers))
    if response.status_code >= 500:
        return RetryableError(f"status {response.status_code}")
    if error in _GONE:
        return WorkspaceUninstalled(error)
    return PermanentError(error) if error in _PERMANENT else RetryableError(error)


def _seconds(headers: Mapping[str, str]) -> int | None:
    value = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    return int(value) if str(value).isdecimal() else None


def respond(url: str, view: View, replace: bool = False) -> None:
    """Answer at a `response_url`, visible to its user alone; `replace` replaces the message with the button.

    Slack takes five answers within half an hour. A retry may show one twice. Raises RetryableError, PermanentError.
    """
    client = WebhookClient(url, timeout=TIMEOUT, retry_handlers=[])
    try:
        answer = client.send(
            text=view.text, blocks=list(view.blocks) or None, response_type="ephemeral", replace_original=replace
        )
    except (OSError, HTTPException, ValueError) as error:
        raise RetryableError(type(error).__name__) from None  # the cause could reveal the URL
    if answer.status_code == 429:
        raise RetryableError("ratelimited", refused=True, after=_seconds(answer.headers))
    if answer.status_code >= 500:
        raise RetryableError(f"status {answer.status_code}")
    if answer.status_code != 200:
        raise PermanentError(f"status {answer.status_code}")
    _check_answer(answer.body)


def _check_answer(body: str) -> None:
    """Raise PermanentError for a JSON answer with an error; on success Slack answers `ok`."""
    try:
        document = json.loads(body)
    except ValueError:
        return
    if isinstance(document, dict) and document.get("ok") is False:
        raise PermanentError(str(document.get("error"))[:60])
