"""What people do with the app: run its commands, press its buttons, use its shortcuts, fill in its modals."""

import json
from collections.abc import Iterable

import httpx2

from bot.sandbox.slack.api import response_url as answers
from bot.sandbox.slack.api.views import checked_view
from bot.sandbox.slack.delivery import Unanswered
from bot.sandbox.slack.events import home_opened
from bot.sandbox.slack.handles import ResponseUrl
from bot.sandbox.slack.installation import Installation, View
from bot.sandbox.slack.objects import message_object
from bot.sandbox.slack.page.composer import compose
from bot.sandbox.slack.page.people import Person
from bot.sandbox.slack.workspace import SLACKBOT, Content, Json, Message, Refused

# --- Commands, buttons and shortcuts ------------------------------------------------------------------------


async def run_command(who: Person, name: str, typed: str) -> None:
    """Send a slash command and show the app's answer, or Slackbot's word that there was none."""
    installation = who.installation
    if name not in {command.name for command in installation.settings.commands}:
        _slackbot_says(who, f"`{name}` is not a valid command.")
        return
    token = installation.handles.issue_response_url(who.channel.id, who.user)
    form = _command_form(who, name, compose(typed, installation.workspace), token)
    try:
        response = await installation.courier.ask(installation.settings.commands_url, form)
    except Unanswered as failure:
        _slackbot_says(who, f"{name} failed with the error “{failure.code}”")
        return
    _show_immediate_answer(who, response)


def open_home(installation: Installation, user: str) -> None:
    """Let somebody look at the app's Home tab, and tell the app."""
    installation.workspace.user(user)
    event = home_opened(installation.workspace, user)
    if event["type"] in installation.settings.subscriptions:
        installation.courier.deliver(event)
    installation.pulse.beat()


async def press_in_view(installation: Installation, view_id: str, block_id: str, action_id: str, chosen: Json) -> None:
    """Press a button or choose from a menu of a modal or a Home tab. Raises Refused with Slack's code."""
    view = installation.view(view_id)
    element = _find_element(view.form["blocks"], block_id, action_id)
    form = {**view.form, "id": view.id, "hash": view.hash, "state": {"values": chosen.pop("state", {})}}
    payload = {
        **_acting(installation, view.user),
        "type": "block_actions",
        "container": {"type": "view", "view_id": view.id},
        "view": form,
        "trigger_id": installation.handles.issue_trigger(view.user),
        "actions": [_action(installation, element, block_id, action_id, chosen)],
    }
    try:
        await installation.courier.ask(installation.settings.interactivity_url, {"payload": json.dumps(payload)})
    except Unanswered as failure:
        raise Refused(failure.code) from None


async def press(who: Person, ts: str, block_id: str, action_id: str, chosen: Json) -> None:
    """Press a button or choose from a menu of a message. `chosen` has the fields of the element's kind."""
    message = who.message(ts)
    element = _find_element(message.content.blocks, block_id, action_id)
    payload = {
        "type": "block_actions",
        "container": _container(message),
        "message": message_object(who.installation.workspace, message),
        "state": {"values": {}},
        "actions": [_action(who.installation, element, block_id, action_id, chosen)],
    }
    await _interact(who, payload, message)


def _action(installation: Installation, element: Json, block_id: str, action_id: str, chosen: Json) -> Json:
    fields = {"value": element["value"]} if "value" in element else {}
    action = {
        "type": element["type"],
        "action_id": action_id,
        "block_id": block_id,
        "text": element.get("text"),
        **fields,
        **chosen,
        "action_ts": installation.workspace.next_ts(),
    }
    return {name: value for name, value in action.items() if value is not None}


async def use_shortcut(who: Person, ts: str, callback_id: str) -> None:
    """Run a message shortcut on a message."""
    message = who.message(ts)
    payload = {
        "type": "message_action",
        "callback_id": callback_id,
        "message_ts": ts,
        "message": message_object(who.installation.workspace, message),
        "action_ts": who.installation.workspace.next_ts(),
    }
    await _interact(who, payload, message)


async def _interact(who: Person, payload: Json, message: Message) -> None:
    installation = who.installation
    thread_ts = message.thread_ts
    token = installation.handles.issue_response_url(
        who.channel.id, who.user, message_ts=message.ts, thread_ts=thread_ts
    )
    whole = {
        **_acting(who.installation, who.user),
        **payload,
        "channel": {"id": who.channel.id, "name": who.channel.name},
        "trigger_id": installation.handles.issue_trigger(who.user),
        "response_url": f"{who.origin}response/{token}",
    }
    try:
        await installation.courier.ask(installation.settings.interactivity_url, {"payload": json.dumps(whole)})
    except Unanswered as failure:
        _slackbot_says(who, f"The app did not respond: “{failure.code}”", thread_ts)


def _command_form(who: Person, name: str, text: str, token: str) -> dict[str, str]:
    workspace = who.installation.workspace
    return {
        "token": "deprecated-verification-token",
        "api_app_id": workspace.bot.app_id,
        "team_id": workspace.team.id,
        "team_domain": workspace.team.domain,
        "channel_id": who.channel.id,
        "channel_name": who.channel.name,
        "user_id": who.user,
        "user_name": workspace.user(who.user).name,
        "command": name,
        "text": text.encode(errors="replace").decode(),  # a form cannot say half of a pair of surrogates
        "response_url": f"{who.origin}response/{token}",
        "trigger_id": who.installation.handles.issue_trigger(who.user),
        "is_enterprise_install": "false",
    }


def _show_immediate_answer(who: Person, response: httpx2.Response) -> None:
    if not response.text.strip():
        return
    is_json = response.headers.get("content-type", "").startswith("application/json")
    handle = ResponseUrl(who.channel.id, who.user, None, None, who.installation.workspace.clock())
    try:
        form = answers.form_of(response.content) if is_json else {"text": response.text}
        answers.place(who.installation, handle, form)
    except Refused as refusal:
        _slackbot_says(who, f"The app's answer could not be shown: “{refusal.code}”")


def _slackbot_says(who: Person, text: str, thread_ts: str | None = None) -> None:
    who.installation.workspace.whisper(who.channel.id, SLACKBOT, Content(text), who.user, thread_ts=thread_ts)


def _find_element(blocks: Iterable[Json], block_id: str, action_id: str) -> Json:
    for block in blocks:
        if block.get("block_id") == block_id:
            for element in (*block.get("elements", ()), block.get("accessory"), block.get("element")):
                if element and element.get("action_id") == action_id:
                    return dict(element)
    raise Refused("action_not_found")


def _container(message: Message) -> Json:
    container = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": message.visible_to is not None,
    }
    return container | {"thread_ts": message.thread_ts} if message.thread_ts else container


def _acting(installation: Installation, user: str) -> Json:
    workspace = installation.workspace
    name = workspace.user(user).name
    return {
        "user": {"id": user, "username": name, "name": name, "team_id": workspace.team.id},
        "team": {"id": workspace.team.id, "domain": workspace.team.domain},
        "api_app_id": workspace.bot.app_id,
        "token": "deprecated-verification-token",
        "enterprise": None,
        "is_enterprise_install": False,
    }


# --- Modals -------------------------------------------------------------------------------------------------


async def submit_modal(installation: Installation, view_id: str, values: Json) -> dict[str, str]:
    """Submit a modal with its `state.values`; give the errors by block that the app found, if any."""
    view = installation.modal(view_id)
    try:
        response = await installation.courier.ask(
            installation.settings.interactivity_url,
            {"payload": json.dumps(_view_payload(installation, view, "view_submission", values))},
        )
    except Unanswered as failure:
        raise Refused(failure.code) from None
    answer = answers.form_of(response.content) if response.text.strip() else {}
    if answer.get("response_action") == "errors":
        return dict(answer["errors"])
    if answer.get("response_action") == "update":
        view.form = checked_view(answer["view"], "modal")
    else:
        del installation.modals[view.id]
    installation.pulse.beat()
    return {}


async def close_modal(installation: Installation, view_id: str) -> None:
    """Close a modal, and tell the app when it asked to be told."""
    view = installation.modal(view_id)
    del installation.modals[view.id]
    installation.pulse.beat()
    if view.form.get("notify_on_close"):
        payload = _view_payload(installation, view, "view_closed", {})
        try:
            await installation.courier.ask(installation.settings.interactivity_url, {"payload": json.dumps(payload)})
        except Unanswered as failure:
            raise Refused(failure.code) from None


def _view_payload(installation: Installation, view: View, kind: str, values: Json) -> Json:
    form = {**view.form, "id": view.id, "hash": view.hash, "state": {"values": values}}
    return {**_acting(installation, view.user), "type": kind, "view": form}
