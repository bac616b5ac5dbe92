"""Answer the `views.*` methods of the Web API."""

from typing import Any

from bot.sandbox.slack.api import block_kit
from bot.sandbox.slack.api.call import Call, invalid_arguments, refuse_problems
from bot.sandbox.slack.installation import View
from bot.sandbox.slack.workspace import Json, SlackError


def open_(call: Call) -> Json:
    form = checked_view(_view(call), "modal")
    user = call.installation.interaction_tokens.exchange_trigger(call.required("trigger_id"))
    view = call.installation.new_view(user, form)
    call.installation.modals[view.id] = view
    return {"view": view_object(call, view)}


def update(call: Call) -> Json:
    previous = call.installation.modal(call.text("view_id"), call.text("external_id"))
    _check_hash(call, previous)
    view = call.installation.new_view(previous.user, checked_view(_view(call), "modal"))
    view.id = previous.id
    call.installation.modals[view.id] = view
    return {"view": view_object(call, view)}


def publish(call: Call) -> Json:
    user = call.workspace.user(call.required("user_id")).id
    form = checked_view(_view(call), "home")
    previous = call.installation.homes.get(user)
    _check_hash(call, previous)
    view = call.installation.new_view(user, form)
    view.id = previous.id if previous else view.id
    call.installation.homes[user] = view
    return {"view": view_object(call, view)}


def checked_view(view: Any, kind: str) -> Json:
    """Check a view and fill in missing ids. Raises SlackError("invalid_arguments")."""
    refuse_problems("invalid_arguments", block_kit.view_problems(view))
    if view["type"] != kind:
        raise invalid_arguments(f"must be {kind} [json-pointer:/view/type]")
    return {**view, "blocks": list(block_kit.with_ids(view["blocks"]))}


def view_object(call: Call, view: View) -> Json:
    return {
        **view.form,
        "id": view.id,
        "hash": view.hash,
        "team_id": call.workspace.team.id,
        "app_id": call.workspace.bot.app_id,
        "bot_id": call.workspace.bot.bot_id,
        "root_view_id": view.id,
        "previous_view_id": None,
        "state": {"values": {}},
    }


def _view(call: Call) -> Any:
    return call.structure("view", "invalid_arguments")


def _check_hash(call: Call, previous: View | None) -> None:
    known = call.text("hash")
    if known and previous and known != previous.hash:
        raise SlackError("hash_conflict")
