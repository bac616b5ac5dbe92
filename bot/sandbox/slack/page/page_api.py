"""The page's own JSON API: the whole state, a stream of its changes, and what people can do."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.sandbox.slack.delivery import Delivery
from bot.sandbox.slack.installation import Installation
from bot.sandbox.slack.objects import channel_object, group_object, message_object, user_object
from bot.sandbox.slack.page import files, interactions, people
from bot.sandbox.slack.page.people import Person
from bot.sandbox.slack.workspace import Channel, Json, Refused


def routes(installation: Installation) -> list[Route]:
    """Build the routes; every POST takes and gives JSON, and answers a refusal with 409 and its code."""

    async def state(_request: Request) -> Response:
        return JSONResponse(state_of(installation))

    async def stream(_request: Request) -> Response:
        return StreamingResponse(_versions(installation), media_type="text/event-stream")

    return [
        Route("/sandbox/state", state),
        Route("/sandbox/stream", stream),
        *(_act(installation, path, act) for path, act in _ACTS.items()),
    ]


# --- What the page sees -------------------------------------------------------------------------------------


def state_of(installation: Installation) -> Json:
    """Give all there is to see: people, channels with their messages, deliveries, calls of the Web API."""
    workspace, settings = installation.workspace, installation.settings
    return {
        "version": installation.pulse.version,
        "team": asdict(workspace.team),
        "bot": asdict(workspace.bot),
        "users": [user_object(workspace, user) for user in workspace.users.values()],
        "groups": [group_object(workspace, each, with_users=True) for each in workspace.groups.values()],
        "channels": [_channel(installation, channel) for channel in workspace.channels.values()],
        "modals": [{**view.form, "id": view.id, "user": view.user} for view in installation.modals.values()],
        "homes": [{**view.form, "id": view.id, "user": view.user} for view in installation.homes.values()],
        "deliveries": [_delivery(each) for each in installation.courier.deliveries],
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
    while not installation.pulse.stopped:
        version = await installation.pulse.after(version)
        yield f"data: {version}\n\n"


# --- What people do on it -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wish:
    """What somebody asks for on the page: fields of a JSON object."""

    installation: Installation
    fields: Json
    origin: str

    def text(self, name: str) -> str:
        """Give a field that must be there. Raises Refused("missing_field")."""
        value = self.fields.get(name)
        if not isinstance(value, str) or not value:
            raise Refused("missing_field", field=name)
        return value

    def optional_text(self, name: str) -> str | None:
        """Give a field that may be absent. Raises Refused("not_text")."""
        value = self.fields.get(name)
        if value is not None and not isinstance(value, str):
            raise Refused("not_text", field=name)
        return value

    def mapping(self, name: str) -> Json:
        """Give a field that is a JSON object, empty where it is absent. Raises Refused("not_an_object")."""
        value = self.fields.get(name) or {}
        if not isinstance(value, dict):
            raise Refused("not_an_object", field=name)
        return value

    def whole_number(self, name: str, default: int) -> int:
        """Raises Refused("not_a_whole_number")."""
        value = self.fields.get(name, default)
        if not isinstance(value, int):
            raise Refused("not_a_whole_number", field=name)
        return value

    def person(self) -> Person:
        return people.person(self.installation, self.text("channel"), self.text("user"), self.origin)


_Act = Callable[[Wish], Awaitable[Json]]


def _act(installation: Installation, path: str, act: _Act) -> Route:
    async def answer(request: Request) -> Response:
        # A form of a foreign page can be sent here unasked; JSON cannot.
        if not request.headers.get("content-type", "").startswith("application/json"):
            return _error(415, "not_json", {})
        try:
            fields: Any = json.loads(await request.body())
        except ValueError:
            return _error(400, "invalid_json", {})
        if not isinstance(fields, dict):
            return _error(400, "json_not_object", {})
        try:
            return JSONResponse(await act(Wish(installation, fields, f"{request.base_url}{installation.path}")))
        except Refused as refusal:
            return _error(409, refusal.code, refusal.details)

    return Route(path, answer, methods=["POST"])


def _error(status: int, code: str, details: Json) -> Response:
    return JSONResponse({"error": {"code": code, **details}}, status)


async def _write(wish: Wish) -> Json:
    return {"ts": people.write(wish.person(), wish.text("text"), wish.optional_text("thread_ts")).ts}


async def _edit(wish: Wish) -> Json:
    return {"ts": people.edit(wish.person(), wish.text("ts"), wish.text("text")).ts}


async def _delete(wish: Wish) -> Json:
    people.delete(wish.person(), wish.text("ts"))
    return {}


async def _react(wish: Wish) -> Json:
    people.toggle_reaction(wish.person(), wish.text("ts"), wish.text("name"))
    return {}


async def _command(wish: Wish) -> Json:
    await interactions.run_command(wish.person(), wish.text("command"), str(wish.fields.get("text") or ""))
    return {}


async def _press(wish: Wish) -> Json:
    place = (wish.text("ts"), wish.text("block_id"), wish.text("action_id"))
    await interactions.press(wish.person(), *place, wish.mapping("chosen"))
    return {}


async def _open_home(wish: Wish) -> Json:
    interactions.open_home(wish.installation, wish.text("user"))
    return {}


async def _press_in_view(wish: Wish) -> Json:
    place = (wish.text("view_id"), wish.text("block_id"), wish.text("action_id"))
    await interactions.press_in_view(wish.installation, *place, wish.mapping("chosen"))
    return {}


async def _shortcut(wish: Wish) -> Json:
    await interactions.use_shortcut(wish.person(), wish.text("ts"), wish.text("callback_id"))
    return {}


async def _submit_modal(wish: Wish) -> Json:
    errors = await interactions.submit_modal(wish.installation, wish.text("view_id"), wish.mapping("values"))
    return {"errors": errors}


async def _upload(wish: Wish) -> Json:
    name, content = wish.text("name"), wish.optional_text("content") or ""
    return files.upload(wish.installation, wish.text("user"), name, content, wish.origin)


async def _close_modal(wish: Wish) -> Json:
    await interactions.close_modal(wish.installation, wish.text("view_id"))
    return {}


async def _limit(wish: Wish) -> Json:
    times, seconds = wish.whole_number("times", 1), wish.whole_number("retry_after", 1)
    wish.installation.limits.plan(wish.text("method"), times, seconds)
    return {}


async def _verify(wish: Wish) -> Json:
    await wish.installation.courier.verify_events_url()
    return {}


async def _uninstall(wish: Wish) -> Json:
    wish.installation.uninstall()
    return {}


_ACTS: dict[str, _Act] = {
    "/sandbox/messages": _write,
    "/sandbox/messages/edit": _edit,
    "/sandbox/messages/delete": _delete,
    "/sandbox/reactions": _react,
    "/sandbox/commands": _command,
    "/sandbox/actions": _press,
    "/sandbox/home": _open_home,
    "/sandbox/views/actions": _press_in_view,
    "/sandbox/shortcuts": _shortcut,
    "/sandbox/modals/submit": _submit_modal,
    "/sandbox/files": _upload,
    "/sandbox/modals/close": _close_modal,
    "/sandbox/rate-limits": _limit,
    "/sandbox/events-url/verify": _verify,
    "/sandbox/uninstall": _uninstall,
}
