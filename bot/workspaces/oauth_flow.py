"""The installation in a workspace: the page that offers it, and the handling of Slack's redirect back.

Only workspaces on a list, by their own id or their organisation's, can install the bot. Codes and tokens are never
logged.
"""

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from slack_sdk import WebClient
from slack_sdk.oauth import InstallationStore, OAuthStateStore, OAuthStateUtils
from slack_sdk.oauth.installation_store.models.installation import Installation

from bot.http.proxy import Answer
from bot.settings import AppCredentials
from bot.slack.api import RetryableError, SlackError
from bot.ui.text import install as install_text
from bot.workspaces.installations import InstallationsUnavailable
from bot.workspaces.oauth_exchange import TEAM_ID, OrganisationWide, build_authorize_urls, exchange
from bot.workspaces.oauth_states import GOOD_FOR_SECONDS, Reason, StateRefused
from bot.workspaces.pages import show

log = logging.getLogger(__name__)

_COOKIES = OAuthStateUtils(expiration_seconds=GOOD_FOR_SECONDS)

_STATE = re.compile(r"[A-Za-z0-9_-]{20,100}")
_CODE = re.compile(r"[\x21-\x7e]{1,500}")
_ERROR = re.compile(r"[a-z][a-z0-9_]{0,59}")
# The class of an exception, or a status: see RetryableError in bot.slack.api.
_OURS = re.compile(r"[A-Za-z]+|status [0-9]{3}")

# Slack's errors about a code that is invalid or used; others are about this app.
_OF_THE_CODE = frozenset({"invalid_code", "code_already_used", "code_expired"})

_REFUSALS: Mapping[Reason, tuple[int, install_text.PageText]] = {
    "unknown": (400, install_text.NOT_FROM_HERE),
    "expired": (410, install_text.EXPIRED),
    "used": (409, install_text.USED),
}


class NotInstalled(Exception):
    """The installation ends here; `text` is the page for the person who began it, `reason` is for the log."""

    def __init__(self, status: int, text: install_text.PageText, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.text = text
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Installer:
    """Installs the bot. `allowed` has ids of workspaces and organisations; `now` returns seconds since the epoch."""

    credentials: AppCredentials
    allowed: frozenset[str]
    redirect_uri: str
    states: OAuthStateStore
    installations: InstallationStore
    client: WebClient
    now: Callable[[], float]

    def offer(self, team: str | None) -> Answer:
        """Show the page that leads to Slack's consent page, with a state for this browser.

        Raises InstallationsUnavailable.
        """
        state = self.states.issue()
        urls = build_authorize_urls(self.client, self.credentials, self.redirect_uri)
        url = urls.generate(state, team if team and TEAM_ID.fullmatch(team) else None)
        # Lax, because Slack's redirect comes from another site.
        cookie = f"{_COOKIES.build_set_cookie_for_new_state(state)}; SameSite=Lax"
        return show(200, install_text.OFFER, url, {"Set-Cookie": cookie})

    def finish(self, parameters: Mapping[str, str], cookies: list[str]) -> Answer:
        """Handle Slack's redirect back. Raises NotInstalled and InstallationsUnavailable."""
        _require_consent(parameters)
        self._require_state(parameters.get("state", ""), cookies)
        installation = self._exchange(parameters.get("code", ""))
        _require_allowed(installation, self.allowed)
        self.installations.save(installation)
        log.info("installed in %s by %s", installation.team_id, installation.user_id)
        name, team = str(installation.team_name), installation.team_id
        return show(200, install_text.installed(name), f"https://app.slack.com/client/{team}")

    def _require_state(self, state: str, cookies: list[str]) -> None:
        if not _STATE.fullmatch(state) or not _COOKIES.is_valid_browser(state, {"cookie": cookies}):
            raise NotInstalled(400, install_text.NOT_FROM_HERE, "other-browser")
        try:
            self.states.consume(state)
        except StateRefused as refused:
            raise NotInstalled(*_REFUSALS[refused.reason], f"state-{refused.reason}") from None

    def _exchange(self, code: str) -> Installation:
        if not _CODE.fullmatch(code):
            raise NotInstalled(400, install_text.NO_CODE, "no-code")
        try:
            return exchange(self.client, self.credentials, code, self.redirect_uri, self.now())
        except OrganisationWide:
            ended = NotInstalled(403, install_text.ORGANISATION_WIDE, "organisation-wide")
        except SlackError as failure:
            ended = _ended_by_slack(failure)
        raise ended  # outside the handlers, so that it has no cause that could hold the request


def _require_consent(parameters: Mapping[str, str]) -> None:
    error = parameters.get("error")
    if error is None:
        return
    if error == "access_denied":
        raise NotInstalled(200, install_text.CANCELLED, "cancelled")
    code = error if _ERROR.fullmatch(error) else "unknown_error"
    raise NotInstalled(400, install_text.error_of_slack(code), f"slack-{code}")


def _require_allowed(installation: Installation, allowed: frozenset[str]) -> None:
    if allowed.isdisjoint({installation.team_id, installation.enterprise_id}):
        text = install_text.not_allowed(str(installation.team_name), str(installation.team_id))
        raise NotInstalled(403, text, "not-allowed")


def _ended_by_slack(failure: SlackError) -> NotInstalled:
    if failure.error in _OF_THE_CODE:
        return NotInstalled(400, install_text.CODE_REFUSED, f"slack-{failure.error}")
    if isinstance(failure, RetryableError) and not _ERROR.fullmatch(failure.error):  # Slack did not answer
        # If the answer is not JSON, the failure quotes it, and it could be anything.
        return NotInstalled(
            503, install_text.SLACK_AWAY, failure.error if _OURS.fullmatch(failure.error) else "unreadable"
        )
    if failure.error in _FOR_NOW:
        return NotInstalled(503, install_text.SLACK_AWAY, f"slack-{failure.error}")
    code = failure.error if _ERROR.fullmatch(failure.error) else "unknown_error"
    return NotInstalled(502, install_text.error_of_slack(code), f"slack-{code}")


_FOR_NOW = frozenset({"ratelimited", "service_unavailable", "internal_error", "fatal_error", "request_timeout"})


def handle(event: Mapping[str, Any], build: Callable[[], Installer | None]) -> Answer:
    """Answer one proxy event of API Gateway; `build` returns None if installation is not available."""
    path = str(event.get("path") or "")
    is_offer = path.endswith("/slack/install")
    if not is_offer and not path.endswith("/slack/oauth_redirect"):
        return show(404, install_text.NOT_HERE)
    installer = build()
    if installer is None:
        return show(404, install_text.CLOSED)
    parameters = _read_parameters(event)
    again = installer.redirect_uri.removesuffix("oauth_redirect") + "install"
    try:
        if is_offer:
            return installer.offer(parameters.get("team"))
        return installer.finish(parameters, list(_read_cookies(event)))
    except NotInstalled as ended:
        level = logging.ERROR if ended.status >= 500 else logging.WARNING
        log.log(level, "not installed, answered with %d: %s", ended.status, ended.reason)
        return show(ended.status, ended.text, again)
    except InstallationsUnavailable as error:
        log.error("not installed, answered with 503: %s", error)
        return show(503, install_text.NOT_KEPT, again)


def _read_parameters(event: Mapping[str, Any]) -> dict[str, str]:
    parameters = event.get("queryStringParameters")
    if not isinstance(parameters, dict):
        return {}
    return {name: value for name, value in parameters.items() if isinstance(value, str)}


def _read_cookies(event: Mapping[str, Any]) -> Iterator[str]:
    """Yield every Cookie header: in HTTP/2 a browser may send several."""
    many, single = event.get("multiValueHeaders"), event.get("headers")
    for name, values in {**(single or {}), **(many or {})}.items():
        if name.lower() == "cookie":
            yield from values if isinstance(values, list) else [str(values)]
