"""What people do in a trial, and everything that is to be seen of it afterwards."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from benchmarks.faults.laboratory import Laboratory
from bot.sandbox.slack.workspace import Message, Workspace

TEXT = "I was charged twice for my subscription this month, please refund one of the payments"
# The laboratory's policy has a rule for the word that this one has and the other has not.
TEXT_FOR_WEBHOOK = "I was charged twice for my subscription this month, please refund both of the payments"
INTAKE = "C0SUPPORT"
COMMANDS = "C0LEADS"

Seen: TypeAlias = tuple[str, ...]
"""What can be seen, sorted, one entry for each copy; timestamps and links are taken out, so that trials compare."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """`arrange` gives the ts of what the trial is about, or of what came last before it; then `act` does the thing.

    `see` gives what of that is to be seen. `at_least_once`: a second copy is no fault.
    """

    name: str
    arrange: Callable[[Laboratory], str]
    act: Callable[[Laboratory, str], str]
    see: Callable[[Laboratory, str], Seen]
    at_least_once: bool = False


def _nothing(laboratory: Laboratory) -> str:
    return laboratory.installation.workspace.next_ts()


def _write(laboratory: Laboratory, _before: str) -> str:
    return laboratory.write(TEXT)


def _write_for_webhook(laboratory: Laboratory, _before: str) -> str:
    return laboratory.write(TEXT_FOR_WEBHOOK)


def _written(laboratory: Laboratory) -> str:
    ts = laboratory.write(TEXT)
    laboratory.drain()
    return ts


def _correct(laboratory: Laboratory, ts: str) -> str:
    (reply, *_) = _replies(laboratory.installation.workspace, ts)
    laboratory.press(INTAKE, reply.ts, "Technical")
    return ts


def _command(laboratory: Laboratory, before: str) -> str:
    laboratory.command(TEXT)
    return before


def see_message(laboratory: Laboratory, ts: str) -> Seen:
    """Give every trace of a message: its reactions, the replies in its thread, the posts that lead to it."""
    workspace = laboratory.installation.workspace
    message = workspace.channel(INTAKE).message(ts)
    reactions = [f"reaction {each.name}" for each in message.reactions for _ in each.users]
    replies = [f"reply {each.content.text}" for each in _replies(workspace, ts)]
    notes = [
        f"whisper {each.content.text}" for each in workspace.channel(INTAKE).ephemerals.values() if each.thread_ts == ts
    ]
    return tuple(sorted([*reactions, *replies, *notes, *_posts(workspace, ts)]))


def _replies(workspace: Workspace, ts: str) -> list[Message]:
    return workspace.channel(INTAKE).thread(ts)[1:]


def _posts(workspace: Workspace, ts: str) -> Iterator[str]:
    link = f"p{ts.replace('.', '')}"
    for channel in workspace.channels.values():
        for message in channel.messages.values():
            if message.thread_ts is None and link in json.dumps([message.content.text, message.content.blocks]):
                yield f"post in {channel.name}: {_without_link(message.content.text, link)}"


def _without_link(text: str, link: str) -> str:
    return text.replace(link, "…")


def see_answers(laboratory: Laboratory, before: str) -> Seen:
    """Give what people were told for their eyes only since `before`."""
    workspace = laboratory.installation.workspace
    later = [each for each in workspace.channel(COMMANDS).ephemerals.values() if each.ts > before]
    return tuple(sorted(f"whisper {each.content.text}" for each in later))


def see_calls(laboratory: Laboratory, ts: str) -> Seen:
    """Give what the webhook was told of a message, once for each call; all calls have one idempotency key."""
    told = [each for each in laboratory.webhooks.received.values() if each.document["message"]["ts"] == ts]
    return tuple(f"call of {each.host} on {each.document['outcome']}" for each in told for _ in range(each.times))


def copy_message_record(laboratory: Laboratory, ts: str) -> str:
    """Give the body of the queue's message that tells of a message once more."""
    message = laboratory.installation.workspace.channel(INTAKE).message(ts)
    text = {"author": message.user, "text": message.content.text, "truncated": False, "bot": None}
    return json.dumps({"version": 1, "kind": "message", **_place(laboratory, ts), **text})


def note_correction(laboratory: Laboratory, ts: str) -> str:
    """Give the body of the queue's message that says of a message that it was corrected."""
    return json.dumps({"version": 1, "kind": "correction", **_place(laboratory, ts)})


def _place(laboratory: Laboratory, ts: str) -> dict[str, object]:
    team = laboratory.installation.workspace.team.id
    return {"team": team, "channel": INTAKE, "ts": ts, "received_at": int(laboratory.clock())}


MESSAGE = Scenario("message", _nothing, _write, see_message)
CORRECTION = Scenario("correction", _written, _correct, see_message)
COMMAND = Scenario("command", _nothing, _command, see_answers, at_least_once=True)
WEBHOOK = Scenario("webhook", _nothing, _write_for_webhook, see_calls, at_least_once=True)

SCENARIOS = (MESSAGE, CORRECTION, COMMAND, WEBHOOK)
