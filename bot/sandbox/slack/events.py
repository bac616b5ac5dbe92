"""Build the events that Slack's Events API sends for changes of a workspace, and their envelopes."""

from bot.sandbox.slack.objects import message_object
from bot.sandbox.slack.workspace import (
    Change,
    Channel,
    Deleted,
    Edited,
    EphemeralChanged,
    Joined,
    Json,
    Message,
    Posted,
    Reacted,
    Workspace,
)


def event_of(channel: Channel, change: Change, workspace: Workspace) -> Json | None:
    """Return the event for a change, or None: apps get events only from channels that their bot is a member of.

    The app's own posts, edits and reactions raise events as well.
    """
    if workspace.bot.user_id not in channel.members:
        return None
    match change:
        case Posted(message):
            return _posted(workspace, channel, message)
        case Edited(message, previous, at):
            return _hidden(channel, "message_changed", at, {
                "message": message_object(workspace, message),
                "previous_message": message_object(workspace, previous),
            })  # fmt: skip
        case Deleted(previous, at):
            return _hidden(channel, "message_deleted", at, {
                "deleted_ts": previous.ts,
                "previous_message": message_object(workspace, previous),
            })  # fmt: skip
        case Reacted():
            return _reacted(change)
        case Joined(user, at):
            return {"type": "member_joined_channel", "user": user, "channel": channel.id,
                    "channel_type": "G" if channel.is_private else "C", "team": workspace.team.id,
                    "event_ts": at}  # fmt: skip
        case EphemeralChanged():
            return None


def home_opened(workspace: Workspace, user: str) -> Json:
    """Return the event for a user opening the app's Home tab. Its channel is the direct message with the app."""
    at = workspace.next_ts()
    return {"type": "app_home_opened", "user": user, "channel": f"D0{user}", "tab": "home", "event_ts": at}


def app_uninstalled(workspace: Workspace) -> Json:
    """Return the event for the app having been uninstalled, which has no fields of its own."""
    return {"type": "app_uninstalled", "event_ts": workspace.next_ts()}


def tokens_revoked(workspace: Workspace) -> Json:
    """Return the event for the bot's token having been revoked."""
    tokens = {"oauth": [], "bot": [workspace.bot.user_id]}
    return {"type": "tokens_revoked", "tokens": tokens, "event_ts": workspace.next_ts()}


def subscription_of(event: Json) -> str:
    """Return the subscription that covers this event, as the app's manifest names it."""
    if event["type"] != "message":
        return str(event["type"])
    return "message.groups" if event["channel_type"] == "group" else "message.channels"


def envelope(event: Json, workspace: Workspace, event_id: str) -> Json:
    """Wrap an event for delivery. All retries of an event have the same `event_id`."""
    authorization = {
        "enterprise_id": None,
        "team_id": workspace.team.id,
        "user_id": workspace.bot.user_id,
        "is_bot": True,
        "is_enterprise_install": False,
    }
    return {
        "token": "deprecated-verification-token",
        "team_id": workspace.team.id,
        "context_team_id": workspace.team.id,
        "context_enterprise_id": None,
        "api_app_id": workspace.bot.app_id,
        "event": event,
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(workspace.clock()),
        "authorizations": [authorization],
        "is_ext_shared_channel": False,
        "event_context": f"4-{event_id}",
    }


def _posted(workspace: Workspace, channel: Channel, message: Message) -> Json:
    return {
        **message_object(workspace, message),
        "channel": channel.id,
        "channel_type": _channel_type(channel),
        "event_ts": message.ts,
    }


def _hidden(channel: Channel, subtype: str, at: str, fields: Json) -> Json:
    return {
        "type": "message",
        "subtype": subtype,
        "hidden": True,
        "channel": channel.id,
        "channel_type": _channel_type(channel),
        "ts": at,
        "event_ts": at,
        **fields,
    }


def _reacted(change: Reacted) -> Json:
    return {
        "type": "reaction_added" if change.added else "reaction_removed",
        "user": change.user,
        "reaction": change.name,
        "item": {"type": "message", "channel": change.message.channel, "ts": change.message.ts},
        "item_user": change.message.user,
        "event_ts": change.at,
    }


def _channel_type(channel: Channel) -> str:
    return "group" if channel.is_private else "channel"
