"""Slack's side of OAuth: the consent page, and the exchange of a code for a token.

GET  /oauth/v2/authorize     consent page: choose a workspace, Allow or Cancel
GET  /oauth/v2/allow         target of Allow: redirect to the app with a code
POST /api/oauth.v2.access    exchange the code for a token
"""

import base64
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from bot.sandbox.slack.installation import Installation
from bot.sandbox.slack.settings import OAuth
from bot.sandbox.slack.workspace import Json, SlackError

CODE_SECONDS = 600


@dataclass
class Code:
    installation: Installation
    redirect_uri: str
    issued_at: float
    used: bool = False


def routes(installations: Sequence[Installation], oauth: OAuth | None) -> list[Route]:
    """Build the routes; there are none if the app has no OAuth settings."""
    if oauth is None:
        return []
    codes: dict[str, Code] = {}

    async def authorize(request: Request) -> Response:
        try:
            _check(request.query_params, oauth)
        except SlackError as error:
            return _page("This link is not valid", f"<p>{escape(error.code)}</p>", 400)
        return _page("Install Blazing Triage", _consent_form(request.query_params, installations))

    async def allow(request: Request) -> Response:
        query = request.query_params
        try:
            _check(query, oauth)
            installation = _find(installations, query.get("team", ""))
        except SlackError as error:
            return _page("This link is not valid", f"<p>{escape(error.code)}</p>", 400)
        code = secrets.token_hex(16)
        codes[code] = Code(installation, query["redirect_uri"], time.monotonic())
        return RedirectResponse(_redirect_url(query, code=code), 302)

    async def access(request: Request) -> Response:
        form = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        try:
            _authenticate(request, oauth)
            installation = _redeem(codes, form)
        except SlackError as error:
            return JSONResponse({"ok": False, "error": error.code})
        return JSONResponse({"ok": True, **_granted(installation)})

    return [
        Route("/oauth/v2/authorize", authorize),
        Route("/oauth/v2/allow", allow),
        Route("/api/oauth.v2.access", access, methods=["POST"]),
    ]


def _check(query: Mapping[str, str], oauth: OAuth) -> None:
    if query.get("client_id") != oauth.client_id:
        raise SlackError("invalid_client_id")
    if query.get("redirect_uri") not in oauth.redirect_urls:
        raise SlackError("bad_redirect_uri")


def _find(installations: Sequence[Installation], team: str) -> Installation:
    for each in installations:
        if each.workspace.team.id == team:
            return each
    raise SlackError("invalid_team")


def _consent_form(query: Mapping[str, str], installations: Sequence[Installation]) -> str:
    chosen = query.get("team")
    teams = [each.workspace.team for each in installations if chosen in (None, each.workspace.team.id)]
    links = "".join(
        f'<p><a href="/oauth/v2/allow?{escape(urlencode({**query, "team": team.id}))}">'
        f"Allow in {escape(team.name)}</a></p>"
        for team in teams
    )
    scopes = escape(query.get("scope", "").replace(",", ", "))
    cancel = escape(_redirect_url(query, error="access_denied"))
    return f'<p>Requested scopes: {scopes}</p>{links}<p><a href="{cancel}">Cancel</a></p>'


def _redirect_url(query: Mapping[str, str], **answer: str) -> str:
    return f"{query['redirect_uri']}?{urlencode({**answer, 'state': query.get('state', '')})}"


def _page(title: str, body: str, status: int = 200) -> Response:
    return HTMLResponse(
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title></head>'
        f"<body><h1>{escape(title)}</h1>{body}</body></html>",
        status,
    )


def _authenticate(request: Request, oauth: OAuth) -> None:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    try:
        client_id, _, secret = base64.b64decode(credentials, validate=True).decode().partition(":")
    except ValueError:  # not Base64, or not UTF-8
        raise SlackError("invalid_client_id") from None
    if scheme.lower() != "basic" or client_id != oauth.client_id:
        raise SlackError("invalid_client_id")
    if secret != oauth.client_secret:
        raise SlackError("bad_client_secret")


def _redeem(codes: Mapping[str, Code], form: Mapping[str, str]) -> Installation:
    code = codes.get(form.get("code", ""))
    if code is None or time.monotonic() - code.issued_at > CODE_SECONDS:
        raise SlackError("invalid_code")
    if code.used:
        raise SlackError("code_already_used")
    if form.get("redirect_uri") != code.redirect_uri:
        raise SlackError("bad_redirect_uri")
    code.used = True
    return code.installation


def _granted(installation: Installation) -> Json:
    workspace = installation.workspace
    installer = next(user.id for user in workspace.users.values() if not user.is_bot)
    return {
        "access_token": installation.install(),
        "token_type": "bot",
        "scope": ",".join(sorted(installation.settings.scopes)),
        "bot_user_id": workspace.bot.user_id,
        "app_id": workspace.bot.app_id,
        "team": {"id": workspace.team.id, "name": workspace.team.name},
        "enterprise": None,
        "authed_user": {"id": installer},
        "is_enterprise_install": False,
    }
