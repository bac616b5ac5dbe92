"""Map the supported methods of the Web API to their implementations and scopes; any one of the scopes suffices."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.slack.api import chat, conversations, views
from bot.sandbox.slack.api.call import Call
from bot.sandbox.slack.objects import bot_object, group_object, user_object
from bot.sandbox.slack.workspace import Json, SlackError


@dataclass(frozen=True)
class Method:
    answer: Callable[[Call], Json]
    scopes: tuple[str, ...] = ()


def _auth_test(call: Call) -> Json:
    workspace = call.workspace
    return {
        "url": call.origin,
        "team": workspace.team.name,
        "user": workspace.bot.name,
        "team_id": workspace.team.id,
        "user_id": workspace.bot.user_id,
        "bot_id": workspace.bot.bot_id,
        "is_enterprise_install": False,
    }


def _users_info(call: Call) -> Json:
    return {"user": user_object(call.workspace, call.workspace.user(call.required("user")))}


def _bots_info(call: Call) -> Json:
    if call.required("bot") != call.workspace.bot.bot_id:
        raise SlackError("bot_not_found")
    return {"bot": bot_object(call.workspace)}


def _usergroups_list(call: Call) -> Json:
    with_users = call.flag("include_users")
    groups = call.workspace.groups.values()
    return {"usergroups": [group_object(call.workspace, each, with_users=with_users) for each in groups]}


_READ = ("channels:read", "groups:read")
_HISTORY = ("channels:history", "groups:history")

METHODS = {
    "auth.test": Method(_auth_test),
    "bots.info": Method(_bots_info, ("users:read",)),
    "chat.delete": Method(chat.delete, ("chat:write",)),
    "chat.getPermalink": Method(chat.get_permalink),
    "chat.postEphemeral": Method(chat.post_ephemeral, ("chat:write",)),
    "chat.postMessage": Method(chat.post_message, ("chat:write",)),
    "chat.update": Method(chat.update, ("chat:write",)),
    "conversations.history": Method(conversations.history, _HISTORY),
    "conversations.info": Method(conversations.info, _READ),
    "conversations.join": Method(conversations.join, ("channels:join",)),
    "conversations.list": Method(conversations.list_, _READ),
    "conversations.members": Method(conversations.members, _READ),
    "conversations.replies": Method(conversations.replies, _HISTORY),
    "reactions.add": Method(chat.add_reaction, ("reactions:write",)),
    "reactions.get": Method(chat.get_reactions, ("reactions:read",)),
    "reactions.remove": Method(chat.remove_reaction, ("reactions:write",)),
    "usergroups.list": Method(_usergroups_list, ("usergroups:read",)),
    "users.conversations": Method(conversations.list_joined, _READ),
    "users.info": Method(_users_info, ("users:read",)),
    "views.open": Method(views.open_),
    "views.publish": Method(views.publish),
    "views.update": Method(views.update),
}
