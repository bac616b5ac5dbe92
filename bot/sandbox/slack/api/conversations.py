"""Answer the `conversations.*` methods of the Web API."""

from collections.abc import Callable, Iterable

from bot.sandbox.slack.api.call import Call, one_page
from bot.sandbox.slack.objects import channel_object, message_object
from bot.sandbox.slack.workspace import Channel, Json, Message, SlackError


def info(call: Call) -> Json:
    return {"channel": channel_object(call.workspace, call.channel())}


def list_(call: Call) -> Json:
    """List the channels that the caller may see."""
    return _list_channels(call, lambda channel: not channel.is_private or call.bot in channel.members)


def list_joined(call: Call) -> Json:
    """List the channels that the caller is a member of (`users.conversations`)."""
    return _list_channels(call, lambda channel: call.bot in channel.members)


def _list_channels(call: Call, is_listed: Callable[[Channel], bool]) -> Json:
    kinds = (call.text("types") or "public_channel").split(",")
    channels = [
        channel
        for channel in call.workspace.channels.values()
        if is_listed(channel)
        and ("private_channel" if channel.is_private else "public_channel") in kinds
        and not (channel.is_archived and call.flag("exclude_archived"))
    ]
    page, more = one_page(call, channels, 100)
    return {"channels": [channel_object(call.workspace, channel) for channel in page], **more}


def join(call: Call) -> Json:
    channel = call.channel()
    if channel.is_private:
        raise SlackError("method_not_supported_for_channel_type")
    is_new = call.workspace.join(channel.id, call.bot)
    answer: Json = {"channel": channel_object(call.workspace, channel)}
    return answer if is_new else answer | {"warning": "already_in_channel"}


def members(call: Call) -> Json:
    page, more = one_page(call, sorted(call.channel().members), 100)
    return {"members": list(page), **more}


def history(call: Call) -> Json:
    channel = call.joined_channel()
    shown = [message for message in channel.messages.values() if message.thread_ts is None]
    return _messages(call, list(reversed(_in_period(call, shown))), 100)


def replies(call: Call) -> Json:
    channel = call.joined_channel()
    try:
        parent, *rest = channel.thread(call.required("ts"))
    except SlackError:
        raise SlackError("thread_not_found") from None
    return _messages(call, [parent, *_in_period(call, rest)], 1_000)


def _in_period(call: Call, messages: Iterable[Message]) -> list[Message]:
    """Keep the messages between `oldest` and `latest`. Timestamps have a fixed length, so strings compare correctly."""
    oldest, latest, inclusive = call.text("oldest") or "", call.text("latest") or "~", call.flag("inclusive")
    return [
        message
        for message in messages
        if oldest < message.ts < latest or (inclusive and message.ts in (oldest, latest))
    ]


def _messages(call: Call, messages: list[Message], default_limit: int) -> Json:
    page, more = one_page(call, messages, default_limit)
    all_metadata = call.flag("include_all_metadata")
    return {
        "messages": [message_object(call.workspace, each, all_metadata=all_metadata) for each in page],
        "has_more": bool(more["response_metadata"]["next_cursor"]),
        **more,
    }
