"""Interact with the app: run commands, press buttons, use shortcuts, submit modals, open the Home tab."""

import json
from collections.abc import Iterable

import httpx2

from bot.sandbox.slack.api.response_url import apply_response, parse_response
from bot.sandbox.slack.api.views import checked_view
from bot.sandbox.slack.composer import compose
from bot.sandbox.slack.delivery import DispatchError
from bot.sandbox.slack.events import home_opened
from bot.sandbox.slack.installation import Installation, View
from bot.sandbox.slack.interaction_tokens import ResponseUrl
from bot.sandbox.slack.objects import message_object
from bot.sandbox.slack.page.people import Member
from bot.sandbox.slack.workspace import SLACKBOT, Content, Json, Message, SlackError

# --- Commands, buttons and shortcuts ------------------------------------------------------------------------


async def run_command(member: Member, name: str, typed: str) -> None:
    """Send a slash command and post the app's response, or an error message from Slackbot."""
    installation = member.installation
    if name not in {command.name for command in installation.settings.commands}:
        _post_as_slackbot(member, f"`{name}` is not a valid command.")
        return
    token = installation.interaction_tokens.issue_response_url(member.channel.id, member.user)
    form = _command_form(member, name, compose(typed, installation.workspace), token)
    try:
        response = await installation.dispatcher.ask(installation.settings.commands_url, form)
    except DispatchError as failure:
        _post_as_slackbot(member, f"{name} failed with the error “{failure.code}”")
        return
    _post_response(member, response)


def open_home(installation: Installation, user: str) -> None:
    """Open the app's Home tab as a user and send the app the event."""
    installation.workspace.user(user)
    installation.send(home_opened(installation.workspace, user))
    installation.version.increment()


async def press_in_view(installation: Installation, view_id: str, block_id: str, action_id: str, chosen: Json) -> None:
    """Press a button or choose from a menu of a modal or a Home tab. Raises SlackError."""
    view = installation.view(view_id)
    element = _find_element(view.form["blocks"], block_id, action_id)
    payload = {
        **_view_payload(installation, view, "block_actions", chosen.pop("state", {})),
        "container": {"type": "view", "view_id": view.id},
        "trigger_id": installation.interaction_tokens.issue_trigger(view.user),
        "actions": [_action(installation, element, block_id, action_id, chosen)],
    }
    await _send_interaction(installation, payload)


async def press(member: Member, ts: str, block_id: str, action_id: str, chosen: Json) -> None:
    """Press a button or choose from a menu of a message. `chosen` has the fields of that type of element."""
    message = member.message(ts)
    element = _find_element(message.content.blocks, block_id, action_id)
    payload = {
        "type": "block_actions",
        "container": _container(message),
        "message": message_object(member.installation.workspace, message),
        "state": {"values": {}},
        "actions": [_action(member.installation, element, block_id, action_id, chosen)],
    }
    await _interact(member, payload, message)


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


async def use_shortcut(member: Member, ts: str, callback_id: str) -> None:
    """Use a message shortcut on a message."""
    message = member.message(ts)
    payload = {
        "type": "message_action",
        "callback_id": callback_id,
        "message_ts": ts,
        "message": message_object(member.installation.workspace, message),
        "action_ts": member.installation.workspace.next_ts(),
    }
    await _interact(member, payload, message)


async def _interact(member: Member, payload: Json, message: Message) -> None:
    installation = member.installation
    thread_ts = message.thread_ts
    token = installation.interaction_tokens.issue_response_url(
        member.channel.id, member.user, message_ts=message.ts, thread_ts=thread_ts
    )
    whole = {
        **_interaction_context(member.installation, member.user),
        **payload,
        "channel": {"id": member.channel.id, "name": member.channel.name},
        "trigger_id": installation.interaction_tokens.issue_trigger(member.user),
        "response_url": f"{member.origin}response/{token}",
    }
    try:
        await _send_interaction(installation, whole)
    except DispatchError as failure:
        _post_as_slackbot(member, f"The app did not respond: “{failure.code}”", thread_ts)


async def _send_interaction(installation: Installation, payload: Json) -> httpx2.Response:
    url = installation.settings.interactivity_url
    return await installation.dispatcher.ask(url, {"payload": json.dumps(payload)})


def _command_form(member: Member, name: str, text: str, token: str) -> dict[str, str]:
    workspace = member.installation.workspace
    return {
        "token": "deprecated-verification-token",
        "api_app_id": workspace.bot.app_id,
        "team_id": workspace.team.id,
        "team_domain": workspace.team.domain,
        "channel_id": member.channel.id,
        "channel_name": member.channel.name,
        "user_id": member.user,
        "user_name": workspace.user(member.user).name,
        "command": name,
        "text": text.encode(errors="replace").decode(),  # UTF-8 has no lone surrogates
        "response_url": f"{member.origin}response/{token}",
        "trigger_id": member.installation.interaction_tokens.issue_trigger(member.user),
        "is_enterprise_install": "false",
    }


def _post_response(member: Member, response: httpx2.Response) -> None:
    if not response.text.strip():
        return
    is_json = response.headers.get("content-type", "").startswith("application/json")
    response_url = ResponseUrl(member.channel.id, member.user, None, None, member.installation.workspace.clock())
    try:
        form = parse_response(response.content) if is_json else {"text": response.text}
        apply_response(member.installation, response_url, form)
    except SlackError as error:
        _post_as_slackbot(member, f"The app's response could not be shown: “{error.code}”")


def _post_as_slackbot(member: Member, text: str, thread_ts: str | None = None) -> None:
    member.installation.workspace.post_ephemeral(
        member.channel.id, SLACKBOT, Content(text), member.user, thread_ts=thread_ts
    )


def _find_element(blocks: Iterable[Json], block_id: str, action_id: str) -> Json:
    for block in blocks:
        if block.get("block_id") == block_id:
            for element in (*block.get("elements", ()), block.get("accessory"), block.get("element")):
                if element and element.get("action_id") == action_id:
                    return dict(element)
    raise SlackError("action_not_found")


def _container(message: Message) -> Json:
    container = {
        "type": "message",
        "message_ts": message.ts,
        "channel_id": message.channel,
        "is_ephemeral": message.visible_to is not None,
    }
    return container | {"thread_ts": message.thread_ts} if message.thread_ts else container


def _interaction_context(installation: Installation, user: str) -> Json:
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


async def submit_modal(installation: Installation, view_id: str, values: Json) -> Json:
    """Submit a modal with its `state.values`; return `errors`, the app's by block_id. Raises SlackError."""
    view = installation.modal(view_id)
    response = await _send_interaction(installation, _view_payload(installation, view, "view_submission", values))
    answer = parse_response(response.content) if response.text.strip() else {}
    if answer.get("response_action") == "errors":
        return {"errors": answer["errors"]}
    if answer.get("response_action") == "update":
        view.form = checked_view(answer["view"], "modal")
    else:
        del installation.modals[view.id]
    installation.version.increment()
    return {"errors": {}}


async def close_modal(installation: Installation, view_id: str) -> None:
    """Close a modal and notify the app if the view has `notify_on_close`. Raises SlackError."""
    view = installation.modal(view_id)
    del installation.modals[view.id]
    installation.version.increment()
    if view.form.get("notify_on_close"):
        await _send_interaction(installation, _view_payload(installation, view, "view_closed", {}))


def _view_payload(installation: Installation, view: View, kind: str, values: Json) -> Json:
    form = {**view.form, "id": view.id, "hash": view.hash, "state": {"values": values}}
    return {**_interaction_context(installation, view.user), "type": kind, "view": form}
