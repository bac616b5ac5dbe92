"""Serve the page's JSON API: the state, a stream of its versions, and the actions of people."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass
from inspect import isawaitable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.sandbox.slack.delivery import Delivery
from bot.sandbox.slack.installation import Installation
from bot.sandbox.slack.objects import channel_object, group_object, message_object, user_object
from bot.sandbox.slack.page import files, interactions, people
from bot.sandbox.slack.page.people import Member
from bot.sandbox.slack.workspace import Channel, Json, Message, SlackError


def routes(installation: Installation) -> list[Route]:
    """Build the routes. POSTs take and return JSON; the answer to a SlackError is 409 with its code."""

    async def state(_request: Request) -> Response:
        return JSONResponse(state_of(installation))

    async def stream(_request: Request) -> Response:
        return StreamingResponse(_versions(installation), media_type="text/event-stream")

    return [
        Route("/sandbox/state", state),
        Route("/sandbox/stream", stream),
        *(_route(installation, name, action) for name, action in _ACTIONS.items()),
    ]


# --- State --------------------------------------------------------------------------------------------------


def state_of(installation: Installation) -> Json:
    """Return the whole state: users, channels with their messages, deliveries, calls of the Web API."""
    workspace, settings = installation.workspace, installation.settings
    return {
        "version": installation.version.number,
        "team": asdict(workspace.team),
        "bot": asdict(workspace.bot),
        "users": [user_object(workspace, user) for user in workspace.users.values()],
        "groups": [group_object(workspace, each, with_users=True) for each in workspace.groups.values()],
        "channels": [_channel(installation, channel) for channel in workspace.channels.values()],
        "modals": [{**view.form, "id": view.id, "user": view.user} for view in installation.modals.values()],
        "homes": [{**view.form, "id": view.id, "user": view.user} for view in installation.homes.values()],
        "deliveries": [_delivery(each) for each in installation.dispatcher.deliveries],
        "calls": [asdict(call) for call in installation.calls],
        "settings": {
            "commands": [asdict(command) for command in settings.commands],
            "shortcuts": [asdict(shortcut) for shortcut in settings.shortcuts],
            "examples": list(settings.examples),
            "demo_url": settings.demo_url,
            "connected": settings.events_url is not None,
            "installed": installation.token is not None,
            "attempts": 1 + len(settings.retry_delays),
        },
    }


def _channel(installation: Installation, channel: Channel) -> Json:
    workspace = installation.workspace
    return {
        **channel_object(workspace, channel),
        "topic": channel.topic,
        "members": sorted(channel.members),
        "messages": [message_object(workspace, each, all_metadata=True) for each in channel.messages.values()],
        "ephemerals": [
            {**message_object(workspace, each), "visible_to": each.visible_to} for each in channel.ephemerals.values()
        ],
    }


def _delivery(delivery: Delivery) -> Json:
    return {
        "event_id": delivery.event_id,
        "type": delivery.event.get("subtype") or delivery.event["type"],
        "channel": delivery.channel,
        "ts": delivery.ts,
        "state": delivery.state,
        "attempts": [asdict(attempt) for attempt in delivery.attempts],
    }


async def _versions(installation: Installation) -> AsyncIterator[str]:
    version = -1
    while not installation.version.stopped:
        version = await installation.version.wait_past(version)
        yield f"data: {version}\n\n"


# --- Actions ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class PageRequest:
    """An action that the page asks for, with the fields of its JSON object."""

    installation: Installation
    fields: Json
    origin: str

    def text(self, name: str) -> str:
        """Return a required field. Raises SlackError("missing_field")."""
        value = self.fields.get(name)
        if not isinstance(value, str) or not value:
            raise SlackError("missing_field", field=name)
        return value

    def optional_text(self, name: str) -> str | None:
        """Return an optional field. Raises SlackError("not_text")."""
        value = self.fields.get(name)
        if value is not None and not isinstance(value, str):
            raise SlackError("not_text", field=name)
        return value

    def mapping(self, name: str) -> Json:
        """Return a field that is a JSON object, by default an empty one. Raises SlackError("not_an_object")."""
        value = self.fields.get(name) or {}
        if not isinstance(value, dict):
            raise SlackError("not_an_object", field=name)
        return value

    def whole_number(self, name: str, default: int) -> int:
        """Return a field that is an integer. Raises SlackError("not_a_whole_number")."""
        value = self.fields.get(name, default)
        if not isinstance(value, int):
            raise SlackError("not_a_whole_number", field=name)
        return value

    def member(self) -> Member:
        return people.find_member(self.installation, self.text("channel"), self.text("user"), self.origin)


_Action = Callable[[PageRequest], Json | Awaitable[Json | None] | None]
"""Returns the JSON of the answer, or None if it is empty."""

_ACTIONS: dict[str, _Action] = {
    "messages": lambda it: _ts_of(people.write(it.member(), it.text("text"), it.optional_text("thread_ts"))),
    "messages/edit": lambda it: _ts_of(people.edit(it.member(), it.text("ts"), it.text("text"))),
    "messages/delete": lambda it: people.delete(it.member(), it.text("ts")),
    "reactions": lambda it: people.toggle_reaction(it.member(), it.text("ts"), it.text("name")),
    "commands": lambda it: interactions.run_command(it.member(), it.text("command"), str(it.fields.get("text") or "")),
    "actions": lambda it: interactions.press(
        it.member(), it.text("ts"), it.text("block_id"), it.text("action_id"), it.mapping("chosen")
    ),
    "home": lambda it: interactions.open_home(it.installation, it.text("user")),
    "views/actions": lambda it: interactions.press_in_view(
        it.installation, it.text("view_id"), it.text("block_id"), it.text("action_id"), it.mapping("chosen")
    ),
    "shortcuts": lambda it: interactions.use_shortcut(it.member(), it.text("ts"), it.text("callback_id")),
    "modals/submit": lambda it: interactions.submit_modal(it.installation, it.text("view_id"), it.mapping("values")),
    "modals/close": lambda it: interactions.close_modal(it.installation, it.text("view_id")),
    "files": lambda it: files.upload(
        it.installation, it.text("user"), it.text("name"), it.optional_text("content") or "", it.origin
    ),
    "rate-limits": lambda it: it.installation.limits.plan(
        it.text("method"), it.whole_number("times", 1), it.whole_number("retry_after", 1)
    ),
    "events-url/verify": lambda it: it.installation.dispatcher.verify_events_url(),
    "uninstall": lambda it: it.installation.uninstall(),
}


def _ts_of(message: Message) -> Json:
    return {"ts": message.ts}


def _route(installation: Installation, name: str, action: _Action) -> Route:
    async def answer(request: Request) -> Response:
        # Prevents cross-site request forgery: another site's form cannot send JSON.
        if not request.headers.get("content-type", "").startswith("application/json"):
            return _error(415, "not_json", {})
        try:
            fields: Any = json.loads(await request.body())
        except ValueError:
            return _error(400, "invalid_json", {})
        if not isinstance(fields, dict):
            return _error(400, "json_not_object", {})
        try:
            result = action(PageRequest(installation, fields, f"{request.base_url}{installation.path}"))
            return JSONResponse((await result if isawaitable(result) else result) or {})
        except SlackError as error:
            return _error(409, error.code, error.details)

    return Route(f"/sandbox/{name}", answer, methods=["POST"])


def _error(status: int, code: str, details: Json) -> Response:
    return JSONResponse({"error": {"code": code, **details}}, status)
