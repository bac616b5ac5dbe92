"""The reactions.* methods of the stand-in Slack."""

from bot.sandbox.slack import emoji
from bot.sandbox.slack.api.call import Call
from bot.sandbox.slack.objects import message_object
from bot.sandbox.slack.workspace import Json, Refused


def add(call: Call) -> Json:
    call.workspace.react(call.joined_channel().id, call.required("timestamp"), call.bot, _name(call))
    return {}


def remove(call: Call) -> Json:
    call.workspace.unreact(call.joined_channel().id, call.required("timestamp"), call.bot, _name(call))
    return {}


def get(call: Call) -> Json:
    channel = call.joined_channel()
    message = channel.message(call.required("timestamp"))
    return {"type": "message", "channel": channel.id, "message": message_object(call.workspace, message)}


def _name(call: Call) -> str:
    name = call.required("name").strip(":")
    if not emoji.is_known(name):
        raise Refused("invalid_name")
    return name
