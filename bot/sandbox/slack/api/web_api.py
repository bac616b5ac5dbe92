"""Serve Slack's Web API over HTTP: `POST /api/<method>` with a form or JSON, as the SDKs send it."""

import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.sandbox.slack.api.call import Call
from bot.sandbox.slack.api.methods import METHODS, Method
from bot.sandbox.slack.installation import Installation
from bot.sandbox.slack.workspace import Json, SlackError


def routes(installations: Sequence[Installation]) -> list[Route]:
    """Build the route of all methods. The token identifies the workspace."""

    async def answer(request: Request) -> Response:
        name = request.path_params["method"]
        try:
            arguments = await _arguments(request)
            installation = _authenticate(request, arguments, installations)
        except SlackError as error:
            installations[0].record(name, {}, error.code)
            return _refusal(error, installations[0])
        return _answer(installation, name, arguments, f"{request.base_url}{installation.path}")

    return [Route("/api/{method}", answer, methods=["POST", "GET"])]


def _answer(installation: Installation, name: str, arguments: Json, origin: str) -> Response:
    wait = installation.limits.retry_after(name)
    if wait is not None:
        installation.record(name, arguments, "ratelimited")
        return JSONResponse({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": str(wait)})
    try:
        method = _permitted_method(name, installation)
        result = method.answer(Call(installation, arguments, origin))
    except SlackError as error:
        installation.record(name, arguments, error.code)
        return _refusal(error, installation)
    installation.record(name, arguments, None)
    return JSONResponse({"ok": True, **result}, headers=_scope_header(installation))


def _permitted_method(name: str, installation: Installation) -> Method:
    method = METHODS.get(name)
    if method is None:
        raise SlackError("unknown_method", req_method=name)
    granted = installation.settings.scopes
    if method.scopes and granted.isdisjoint(method.scopes):
        raise SlackError("missing_scope", needed=",".join(method.scopes), provided=",".join(sorted(granted)))
    return method


def _refusal(error: SlackError, installation: Installation) -> Response:
    return JSONResponse({"ok": False, "error": error.code, **error.details}, headers=_scope_header(installation))


def _scope_header(installation: Installation) -> dict[str, str]:
    return {"X-OAuth-Scopes": ",".join(sorted(installation.settings.scopes))}


async def _arguments(request: Request) -> Json:
    """Read the arguments from the query and the body. Raises SlackError: invalid_json, json_not_object."""
    body = await request.body()
    if request.headers.get("content-type", "").startswith("application/json"):
        return dict(request.query_params) | _json_object(body)
    return dict(request.query_params) | dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _json_object(body: bytes) -> Json:
    try:
        # The SDKs send the JSON content type with an empty body for methods without arguments.
        value: Any = json.loads(body or b"{}")
    except ValueError:
        raise SlackError("invalid_json") from None
    if not isinstance(value, dict):
        raise SlackError("json_not_object")
    return value


def _authenticate(request: Request, arguments: Json, installations: Sequence[Installation]) -> Installation:
    scheme, _, header_token = request.headers.get("authorization", "").partition(" ")
    token = header_token if scheme.lower() == "bearer" else arguments.get("token")
    if not token:
        raise SlackError("not_authed")
    for installation in installations:
        if token == installation.token:
            return installation
    # A JSON argument may be of any type.
    was_ours = isinstance(token, str) and any(token in each.revoked for each in installations)
    raise SlackError("token_revoked" if was_ours else "invalid_auth")
