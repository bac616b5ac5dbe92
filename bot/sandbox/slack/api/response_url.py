"""Apply an app's response to a command, a button or a shortcut, sent at once or to a response URL."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.sandbox.slack.api.call import checked_blocks
from bot.sandbox.slack.installation import Installation
from bot.sandbox.slack.interaction_tokens import ResponseUrl
from bot.sandbox.slack.workspace import Content, Json, SlackError

_NOT_FOUND = frozenset({"invalid_url", "expired_url", "used_url"})


def routes(installation: Installation) -> list[Route]:
    """Build the route of the response URLs."""

    async def respond(request: Request) -> Response:
        try:
            response_url = installation.interaction_tokens.use_response_url(request.path_params["token"])
            apply_response(installation, response_url, parse_response(await request.body()))
        except SlackError as error:
            installation.record("response_url", {}, error.code)
            form = {"ok": False, "error": error.code, **error.details}
            return JSONResponse(form, 404 if error.code in _NOT_FOUND else 200)
        installation.record("response_url", {}, None)
        return JSONResponse({"ok": True})

    return [Route("/response/{token}", respond, methods=["POST"])]


def apply_response(installation: Installation, response_url: ResponseUrl, form: Json) -> None:
    """Post a message, or replace or delete the original. Raises SlackError with Slack's code.

    Only a button has an original; after a command, a new message is posted instead.
    """
    if response_url.message_ts and (form.get("delete_original") or form.get("replace_original")):
        content = None if form.get("delete_original") else _content(form)
        _replace(installation, response_url.channel, response_url.message_ts, content)
    elif not form.get("delete_original"):
        _post(installation, response_url, form)


def parse_response(body: bytes) -> Json:
    """Parse a response, which must be a JSON object. Raises SlackError("invalid_payload")."""
    try:
        form: Any = json.loads(body)
    except ValueError:
        raise SlackError("invalid_payload") from None
    if not isinstance(form, dict):
        raise SlackError("invalid_payload")
    return form


def _content(form: Json) -> Content:
    return Content(
        text=str(form.get("text") or ""),
        blocks=checked_blocks(form.get("blocks")),
        attachments=tuple(form.get("attachments") or ()),
    )


def _post(installation: Installation, response_url: ResponseUrl, form: Json) -> None:
    workspace, content = installation.workspace, _content(form)
    bot, thread_ts = workspace.bot, form.get("thread_ts") or response_url.thread_ts
    if form.get("response_type") == "in_channel":
        workspace.post(response_url.channel, bot.user_id, content, thread_ts=thread_ts, bot_id=bot.bot_id)
    else:
        workspace.post_ephemeral(
            response_url.channel, bot.user_id, content, response_url.user, thread_ts=thread_ts, bot_id=bot.bot_id
        )


def _replace(installation: Installation, channel_id: str, ts: str, content: Content | None) -> None:
    workspace = installation.workspace
    if ts in workspace.channel(channel_id).ephemerals:
        workspace.edit_ephemeral(channel_id, ts, content)
    elif content is None:
        workspace.delete(channel_id, ts)
    else:
        workspace.edit(channel_id, ts, content, workspace.bot.user_id)
