"""The methods of the Web API that the stand-in knows, and the scopes each one needs (any of them will do)."""

from collections.abc import Callable
from dataclasses import dataclass

from bot.sandbox.slack.api import chat, conversations, lookups, reactions, views
from bot.sandbox.slack.api.call import Call
from bot.sandbox.slack.workspace import Json


@dataclass(frozen=True)
class Method:
    answer: Callable[[Call], Json]
    scopes: tuple[str, ...] = ()


_READ = ("channels:read", "groups:read")
_HISTORY = ("channels:history", "groups:history")

METHODS = {
    "auth.test": Method(lookups.auth_test),
    "bots.info": Method(lookups.bots_info, ("users:read",)),
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
    "reactions.add": Method(reactions.add, ("reactions:write",)),
    "reactions.get": Method(reactions.get, ("reactions:read",)),
    "reactions.remove": Method(reactions.remove, ("reactions:write",)),
    "usergroups.list": Method(lookups.usergroups_list, ("usergroups:read",)),
    "users.conversations": Method(conversations.of_bot, _READ),
    "users.info": Method(lookups.users_info, ("users:read",)),
    "views.open": Method(views.open_),
    "views.publish": Method(views.publish),
    "views.update": Method(views.update),
}
