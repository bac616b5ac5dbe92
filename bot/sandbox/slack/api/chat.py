"""Answer the `chat.*` and `reactions.*` methods of the Web API."""

from dataclasses import replace

from bot.sandbox.slack.api.call import Call, content_of
from bot.sandbox.slack.composer import is_emoji
from bot.sandbox.slack.objects import message_object
from bot.sandbox.slack.workspace import Channel, Content, Json, Message, SlackError

MAX_TEXT = 40_000
MAX_UPDATED_TEXT = 4_000


def post_message(call: Call) -> Json:
    channel = _postable_channel(call)
    content = content_of(call)
    kept = replace(content, text=content.text[:MAX_TEXT])
    message = call.workspace.post(
        channel.id, call.bot, kept, thread_ts=call.text("thread_ts"), bot_id=call.workspace.bot.bot_id
    )
    answer = {"channel": channel.id, "ts": message.ts, "message": _message_json(call, message)}
    return answer if kept == content else answer | _warning("message_truncated")


def post_ephemeral(call: Call) -> Json:
    channel = call.channel()
    _require_membership(call, channel)
    user = call.required("user")
    if user not in channel.members:
        raise SlackError("user_not_in_channel")
    content = content_of(call)
    if len(content.text) > MAX_TEXT:
        raise SlackError("msg_too_long")
    message = call.workspace.post_ephemeral(
        channel.id, call.bot, content, user, thread_ts=call.text("thread_ts"), bot_id=call.workspace.bot.bot_id
    )
    return {"message_ts": message.ts}


def update(call: Call) -> Json:
    channel = call.channel()
    previous = channel.message(call.required("ts"))
    _require_own_message(call, previous, "cant_update_message")
    if channel.is_archived:
        raise SlackError("is_inactive")
    content = _updated(call, previous.content)
    if len(content.text) > MAX_UPDATED_TEXT:
        raise SlackError("msg_too_long")
    message = call.workspace.edit(channel.id, previous.ts, content, call.bot)
    return {"channel": channel.id, "ts": message.ts, "text": content.text, "message": _message_json(call, message)}


def delete(call: Call) -> Json:
    channel = call.channel()
    message = channel.message(call.required("ts"))
    _require_own_message(call, message, "cant_delete_message")
    call.workspace.delete(channel.id, message.ts)
    return {"channel": channel.id, "ts": message.ts}


def get_permalink(call: Call) -> Json:
    channel = call.channel()
    message = channel.message(call.required("message_ts"))
    place = f"{call.origin}archives/{channel.id}/p{message.ts.replace('.', '')}"
    query = f"?thread_ts={message.thread_ts}&cid={channel.id}" if message.thread_ts else ""
    return {"channel": channel.id, "permalink": place + query}


def add_reaction(call: Call) -> Json:
    call.workspace.react(call.joined_channel().id, call.required("timestamp"), call.bot, _emoji_name(call))
    return {}


def remove_reaction(call: Call) -> Json:
    call.workspace.unreact(call.joined_channel().id, call.required("timestamp"), call.bot, _emoji_name(call))
    return {}


def get_reactions(call: Call) -> Json:
    channel = call.joined_channel()
    message = channel.message(call.required("timestamp"))
    return {"type": "message", "channel": channel.id, "message": message_object(call.workspace, message)}


def _emoji_name(call: Call) -> str:
    name = call.required("name").strip(":")
    if not is_emoji(name):
        raise SlackError("invalid_name")
    return name


def _postable_channel(call: Call) -> Channel:
    channel = call.channel()
    if channel.is_archived:
        raise SlackError("is_archived")
    if "chat:write.public" not in call.installation.settings.scopes:
        _require_membership(call, channel)
    return channel


def _require_membership(call: Call, channel: Channel) -> None:
    if call.bot not in channel.members:
        raise SlackError("not_in_channel")


def _require_own_message(call: Call, message: Message, code: str) -> None:
    if message.bot_id != call.workspace.bot.bot_id:
        raise SlackError(code)


def _updated(call: Call, previous: Content) -> Content:
    """Apply an update: Slack keeps fields that it does not mention, and clears those that are empty."""
    content = content_of(call)
    kept = {
        name: getattr(previous, name)
        for name in ("text", "blocks", "attachments", "metadata")
        if call.arguments.get(name) is None
    }
    if len(kept) == 4:
        raise SlackError("no_text")
    return replace(content, **kept)


def _message_json(call: Call, message: Message) -> Json:
    return message_object(call.workspace, message, all_metadata=True)


def _warning(name: str) -> Json:
    return {"warning": name, "response_metadata": {"warnings": [name]}}
