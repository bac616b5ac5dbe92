"""Act as a member of a channel: write, edit and delete messages, react. Functions raise SlackError."""

from dataclasses import dataclass

from bot.sandbox.slack.composer import compose, is_emoji
from bot.sandbox.slack.installation import Installation
from bot.sandbox.slack.workspace import Channel, Content, Message, SlackError


@dataclass(frozen=True)
class Member:
    """A member acting in a channel. `origin` is the URL of the server, for response URLs."""

    installation: Installation
    channel: Channel
    user: str
    origin: str

    @property
    def visible(self) -> dict[str, Message]:
        """The messages that this member sees, by ts."""
        own = {ts: each for ts, each in self.channel.ephemerals.items() if each.visible_to == self.user}
        return self.channel.messages | own

    def message(self, ts: str) -> Message:
        if ts not in self.visible:
            raise SlackError("message_not_found")
        return self.visible[ts]


def find_member(installation: Installation, channel_id: str, user: str, origin: str) -> Member:
    """Return a member of a channel. Raises SlackError: channel_not_found, user_not_found, not_in_channel."""
    channel = installation.workspace.channel(channel_id)
    installation.workspace.user(user)
    if user not in channel.members:
        raise SlackError("not_in_channel")
    return Member(installation, channel, user, origin)


def write(member: Member, typed: str, thread_ts: str | None = None) -> Message:
    workspace = member.installation.workspace
    return workspace.post(member.channel.id, member.user, Content(compose(typed, workspace)), thread_ts=thread_ts)


def edit(member: Member, ts: str, typed: str) -> Message:
    _require_author(member, ts, "cant_update_message")
    workspace = member.installation.workspace
    return workspace.edit(member.channel.id, ts, Content(compose(typed, workspace)), member.user)


def delete(member: Member, ts: str) -> None:
    _require_author(member, ts, "cant_delete_message")
    member.installation.workspace.delete(member.channel.id, ts)


def toggle_reaction(member: Member, ts: str, name: str) -> None:
    if not is_emoji(name):
        raise SlackError("invalid_name")
    workspace = member.installation.workspace
    try:
        workspace.react(member.channel.id, ts, member.user, name)
    except SlackError as error:
        if error.code != "already_reacted":
            raise
        workspace.unreact(member.channel.id, ts, member.user, name)


def _require_author(member: Member, ts: str, code: str) -> None:
    if member.channel.message(ts).user != member.user:
        raise SlackError(code)
