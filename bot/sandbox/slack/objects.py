"""Render users, channels and messages as Slack's JSON objects."""

from bot.sandbox.slack.workspace import TOMBSTONE, Channel, Json, Message, User, UserGroup, Workspace


def message_object(workspace: Workspace, message: Message, *, all_metadata: bool = False) -> Json:
    """Return a message as history, events and interactions contain it.

    Slack returns an app's whole metadata only on request; otherwise just its `event_type`.
    """
    content = message.content
    optional = {
        "subtype": message.subtype,
        "blocks": list(content.blocks),
        "attachments": list(content.attachments),
        "metadata": _metadata(content.metadata, all_metadata),
        "thread_ts": message.thread_ts,
        "edited": message.edited and {"user": message.edited.user, "ts": message.edited.ts},
        "reactions": [
            {"name": each.name, "users": list(each.users), "count": len(each.users)} for each in message.reactions
        ],
        "hidden": message.subtype == TOMBSTONE,
    }
    return {
        "type": "message",
        "user": message.user,
        "text": content.text,
        "ts": message.ts,
        "team": workspace.team.id,
        **{name: value for name, value in optional.items() if value},
        **_thread_fields(workspace, message),
        **_bot_fields(workspace, message),
    }


def _metadata(metadata: Json | None, whole: bool) -> Json | None:
    return metadata if whole or not metadata else {"event_type": metadata["event_type"]}


def _thread_fields(workspace: Workspace, message: Message) -> Json:
    channel = workspace.channels[message.channel]
    if message.thread_ts:
        parent = channel.messages.get(message.thread_ts)
        return {"parent_user_id": parent.user} if parent else {}
    replies = channel.replies.get(message.ts)
    if not replies:
        return {}
    users = list(dict.fromkeys(channel.messages[ts].user for ts in replies))
    return {
        "thread_ts": message.ts,
        "reply_count": len(replies),
        "reply_users": users,
        "reply_users_count": len(users),
        "latest_reply": replies[-1],
    }


def _bot_fields(workspace: Workspace, message: Message) -> Json:
    if not message.bot_id:
        return {}
    return {"bot_id": message.bot_id, "app_id": workspace.bot.app_id, "bot_profile": bot_object(workspace)}


def bot_object(workspace: Workspace) -> Json:
    bot = workspace.bot
    return {
        "id": bot.bot_id,
        "app_id": bot.app_id,
        "user_id": bot.user_id,
        "name": bot.name,
        "deleted": False,
        "team_id": workspace.team.id,
    }


def channel_object(workspace: Workspace, channel: Channel) -> Json:
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": not channel.is_private,
        "is_group": channel.is_private,
        "is_private": channel.is_private,
        "is_archived": channel.is_archived,
        "is_im": False,
        "is_mpim": False,
        "is_general": False,
        "is_ext_shared": False,
        "is_member": workspace.bot.user_id in channel.members,
        "num_members": len(channel.members),
        "topic": {"value": channel.topic, "creator": "", "last_set": 0},
        "purpose": {"value": "", "creator": "", "last_set": 0},
        "context_team_id": workspace.team.id,
    }


def user_object(workspace: Workspace, user: User) -> Json:
    return {
        "id": user.id,
        "team_id": workspace.team.id,
        "name": user.name,
        "real_name": user.real_name,
        "deleted": False,
        "is_bot": user.is_bot,
        "profile": {"real_name": user.real_name, "display_name": user.name, "title": user.title},
        "tz": "Etc/UTC",
        "tz_offset": 0,
    }


def group_object(workspace: Workspace, group: UserGroup, *, with_users: bool) -> Json:
    form: Json = {
        "id": group.id,
        "team_id": workspace.team.id,
        "is_usergroup": True,
        "name": group.name,
        "handle": group.handle,
        "date_delete": 0,
        "user_count": len(group.users),
    }
    return form | {"users": list(group.users)} if with_users else form
