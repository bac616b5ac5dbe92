"""The chat.* methods of the stand-in Slack: post, update, delete, permalinks."""

from dataclasses import replace

from bot.sandbox.slack.api.call import Call, content_of
from bot.sandbox.slack.objects import message_object
from bot.sandbox.slack.workspace import Channel, Content, Json, Message, Refused

MAX_TEXT = 40_000
MAX_UPDATED_TEXT = 4_000


def post_message(call: Call) -> Json:
    channel = _postable_channel(call)
    content = content_of(call)
    kept = replace(content, text=content.text[:MAX_TEXT])
    message = call.workspace.post(
        channel.id, call.bot, kept, thread_ts=call.text("thread_ts"), bot_id=call.workspace.bot.bot_id
    )
    answer = {"channel": channel.id, "ts": message.ts, "message": _shown(call, message)}
    return answer if kept == content else answer | _warning("message_truncated")


def post_ephemeral(call: Call) -> Json:
    channel = call.channel()
    _refuse_if_outside(call, channel)
    user = call.required("user")
    if user not in channel.members:
        raise Refused("user_not_in_channel")
    content = content_of(call)
    if len(content.text) > MAX_TEXT:
        raise Refused("msg_too_long")
    message = call.workspace.whisper(
        channel.id, call.bot, content, user, thread_ts=call.text("thread_ts"), bot_id=call.workspace.bot.bot_id
    )
    return {"message_ts": message.ts}


def update(call: Call) -> Json:
    channel = call.channel()
    previous = channel.message(call.required("ts"))
    _refuse_foreign(call, previous, "cant_update_message")
    if channel.is_archived:
        raise Refused("is_inactive")
    content = _updated(call, previous.content)
    if len(content.text) > MAX_UPDATED_TEXT:
        raise Refused("msg_too_long")
    message = call.workspace.edit(channel.id, previous.ts, content, call.bot)
    return {"channel": channel.id, "ts": message.ts, "text": content.text, "message": _shown(call, message)}


def delete(call: Call) -> Json:
    channel = call.channel()
    message = channel.message(call.required("ts"))
    _refuse_foreign(call, message, "cant_delete_message")
    call.workspace.delete(channel.id, message.ts)
    return {"channel": channel.id, "ts": message.ts}


def get_permalink(call: Call) -> Json:
    channel = call.channel()
    message = channel.message(call.required("message_ts"))
    place = f"{call.origin}archives/{channel.id}/p{message.ts.replace('.', '')}"
    query = f"?thread_ts={message.thread_ts}&cid={channel.id}" if message.thread_ts else ""
    return {"channel": channel.id, "permalink": place + query}


def _postable_channel(call: Call) -> Channel:
    channel = call.channel()
    if channel.is_archived:
        raise Refused("is_archived")
    if "chat:write.public" not in call.installation.settings.scopes:
        _refuse_if_outside(call, channel)
    return channel


def _refuse_if_outside(call: Call, channel: Channel) -> None:
    if call.bot not in channel.members:
        raise Refused("not_in_channel")


def _refuse_foreign(call: Call, message: Message, code: str) -> None:
    if message.bot_id != call.workspace.bot.bot_id:
        raise Refused(code)


def _updated(call: Call, previous: Content) -> Content:
    """Slack keeps what an update does not mention: an empty list or object takes it away."""
    content = content_of(call)
    kept = {
        name: getattr(previous, name)
        for name in ("text", "blocks", "attachments", "metadata")
        if call.arguments.get(name) is None
    }
    if len(kept) == 4:
        raise Refused("no_text")
    return replace(content, **kept)


def _shown(call: Call, message: Message) -> Json:
    return message_object(call.workspace, message, all_metadata=True)


def _warning(name: str) -> Json:
    return {"warning": name, "response_metadata": {"warnings": [name]}}
