"""What an app says in answer to a command, a button or a shortcut: at once, or later at its response URL."""

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.sandbox.slack.api.call import checked_blocks
from bot.sandbox.slack.handles import ResponseUrl
from bot.sandbox.slack.installation import Installation
from bot.sandbox.slack.workspace import Content, Json, Refused

_GONE = frozenset({"invalid_url", "expired_url", "used_url"})


def routes(installation: Installation) -> list[Route]:
    """Build the route of the response URLs."""

    async def respond(request: Request) -> Response:
        try:
            handle = installation.handles.use_response_url(request.path_params["token"])
            place(installation, handle, form_of(await request.body()))
        except Refused as refusal:
            installation.record("response_url", {}, refusal.code)
            form = {"ok": False, "error": refusal.code, **refusal.details}
            return JSONResponse(form, 404 if refusal.code in _GONE else 200)
        installation.record("response_url", {}, None)
        return JSONResponse({"ok": True})

    return [Route("/response/{token}", respond, methods=["POST"])]


def place(installation: Installation, handle: ResponseUrl, form: Json) -> None:
    """Do what an answer says: show, replace or delete. Raises Refused with Slack's code.

    Only a button has an original to replace; after a command a new message is shown instead.
    """
    if handle.message_ts and (form.get("delete_original") or form.get("replace_original")):
        content = None if form.get("delete_original") else _content(form)
        _replace(installation, handle.channel, handle.message_ts, content)
    elif not form.get("delete_original"):
        _show(installation, handle, form)


def form_of(body: bytes) -> Json:
    """Read an answer that must be a JSON object. Raises Refused("invalid_payload")."""
    try:
        form: Any = json.loads(body)
    except ValueError:
        raise Refused("invalid_payload") from None
    if not isinstance(form, dict):
        raise Refused("invalid_payload")
    return form


def _content(form: Json) -> Content:
    return Content(
        text=str(form.get("text") or ""),
        blocks=checked_blocks(form.get("blocks")),
        attachments=tuple(form.get("attachments") or ()),
    )


def _show(installation: Installation, handle: ResponseUrl, form: Json) -> None:
    workspace, content = installation.workspace, _content(form)
    bot, thread_ts = workspace.bot, form.get("thread_ts") or handle.thread_ts
    if form.get("response_type") == "in_channel":
        workspace.post(handle.channel, bot.user_id, content, thread_ts=thread_ts, bot_id=bot.bot_id)
    else:
        workspace.whisper(handle.channel, bot.user_id, content, handle.user, thread_ts=thread_ts, bot_id=bot.bot_id)


def _replace(installation: Installation, channel_id: str, ts: str, content: Content | None) -> None:
    workspace = installation.workspace
    if ts in workspace.channel(channel_id).ephemerals:
        workspace.edit_ephemeral(channel_id, ts, content)
    elif content is None:
        workspace.delete(channel_id, ts)
    else:
        workspace.edit(channel_id, ts, content, workspace.bot.user_id)
