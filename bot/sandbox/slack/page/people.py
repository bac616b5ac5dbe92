"""What people do in the workspace by themselves: write, edit, delete, react.

Whoever is not a member of a channel can do nothing in it. All raise Refused when the workspace refuses.
"""

from dataclasses import dataclass

from bot.sandbox.slack import emoji
from bot.sandbox.slack.installation import Installation
from bot.sandbox.slack.page.composer import compose
from bot.sandbox.slack.workspace import Channel, Content, Message, Refused


@dataclass(frozen=True)
class Person:
    """A member acting in a channel, and the address under which response URLs are reached."""

    installation: Installation
    channel: Channel
    user: str
    origin: str

    @property
    def visible(self) -> dict[str, Message]:
        """Every message that this person sees."""
        own = {ts: each for ts, each in self.channel.ephemerals.items() if each.visible_to == self.user}
        return self.channel.messages | own

    def message(self, ts: str) -> Message:
        if ts not in self.visible:
            raise Refused("message_not_found")
        return self.visible[ts]


def person(installation: Installation, channel_id: str, user: str, origin: str) -> Person:
    """Let somebody act. Raises Refused: channel_not_found, user_not_found, not_in_channel."""
    channel = installation.workspace.channel(channel_id)
    installation.workspace.user(user)
    if user not in channel.members:
        raise Refused("not_in_channel")
    return Person(installation, channel, user, origin)


def write(who: Person, typed: str, thread_ts: str | None = None) -> Message:
    workspace = who.installation.workspace
    return workspace.post(who.channel.id, who.user, Content(compose(typed, workspace)), thread_ts=thread_ts)


def edit(who: Person, ts: str, typed: str) -> Message:
    _refuse_foreign(who, ts, "cant_update_message")
    workspace = who.installation.workspace
    return workspace.edit(who.channel.id, ts, Content(compose(typed, workspace)), who.user)


def delete(who: Person, ts: str) -> None:
    _refuse_foreign(who, ts, "cant_delete_message")
    who.installation.workspace.delete(who.channel.id, ts)


def toggle_reaction(who: Person, ts: str, name: str) -> None:
    if not emoji.is_known(name):
        raise Refused("invalid_name")
    workspace = who.installation.workspace
    try:
        workspace.react(who.channel.id, ts, who.user, name)
    except Refused as refusal:
        if refusal.code != "already_reacted":
            raise
        workspace.unreact(who.channel.id, ts, who.user, name)


def _refuse_foreign(who: Person, ts: str, code: str) -> None:
    if who.channel.message(ts).user != who.user:
        raise Refused(code)
