"""Define the scenarios of trials: what people do, and what is visible in Slack afterwards."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from benchmarks.faults.laboratory import Laboratory
from bot.sandbox.slack.workspace import Message, Workspace

TEXT = "I was charged twice for my subscription this month, please refund one of the payments"
# Contains "both", for which the laboratory's policy has a rule with a webhook.
TEXT_FOR_WEBHOOK = "I was charged twice for my subscription this month, please refund both of the payments"
# Of another category than TEXT.
EDITED_TEXT = "The app crashes with an error message every time I open it, please fix this bug"
INTAKE = "C0SUPPORT"
COMMANDS = "C0LEADS"

# Longer than a worker may go by the switches that it has read.
_SWITCH_SECONDS = 6.0

Seen: TypeAlias = tuple[str, ...]
"""All that is visible, sorted, one entry per copy. Without timestamps and links, so that trials can be compared."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """`arrange` prepares and returns the ts of the message in question, or of the moment before it.

    `act` takes that ts, does the thing and returns the ts to look at; `see` returns what is visible then.
    `at_least_once`: a second copy is by design. `undo` runs at the end, so that trials are independent.
    """

    name: str
    arrange: Callable[[Laboratory], str]
    act: Callable[[Laboratory, str], str]
    see: Callable[[Laboratory, str], Seen]
    at_least_once: bool = False
    undo: Callable[[Laboratory], None] = lambda _: None


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


def _edit(laboratory: Laboratory, ts: str) -> str:
    laboratory.edit(ts, EDITED_TEXT)
    return ts


def _delete(laboratory: Laboratory, ts: str) -> str:
    laboratory.delete(ts)
    return ts


def _stop(laboratory: Laboratory, before: str) -> str:
    """Stop the bot, and write a message once the stop has been handled."""
    laboratory.command("stop")
    laboratory.drain()
    laboratory.clock.skip(_SWITCH_SECONDS)
    laboratory.write(TEXT)
    return before


def _start(laboratory: Laboratory) -> None:
    laboratory.command("start")
    laboratory.drain()
    laboratory.clock.skip(_SWITCH_SECONDS)


def see_message(laboratory: Laboratory, ts: str) -> Seen:
    """Return what is visible of a message: its reactions, the replies in its thread, the posts about it."""
    workspace = laboratory.installation.workspace
    message = workspace.channel(INTAKE).messages.get(ts)
    reactions = [f"reaction {each.name}" for each in message.reactions for _ in each.users] if message else []
    replies = [f"reply {each.content.text}" for each in _replies(workspace, ts)]
    notes = [
        f"ephemeral {each.content.text}"
        for each in workspace.channel(INTAKE).ephemerals.values()
        if each.thread_ts == ts
    ]
    return tuple(sorted([*reactions, *replies, *notes, *_posts(workspace, ts)]))


def _replies(workspace: Workspace, ts: str) -> list[Message]:
    messages = workspace.channel(INTAKE).messages.values()  # the thread's first message may have been deleted
    return [message for message in messages if message.thread_ts == ts and message.ts != ts]


def _posts(workspace: Workspace, ts: str) -> Iterator[str]:
    link = f"p{ts.replace('.', '')}"
    for channel in workspace.channels.values():
        for message in channel.messages.values():
            if message.thread_ts is None and (_is_made_for(message, ts) or link in _words(message)):
                yield f"post in {channel.name}: {_without_link(message.content.text, link)}"


def _words(message: Message) -> str:
    return json.dumps([message.content.text, message.content.blocks])


def _is_made_for(message: Message, ts: str) -> bool:
    """Report whether a post was made for a message; the note that replaces it may have no link."""
    metadata = message.content.metadata
    return bool(metadata and str(metadata["event_payload"].get("key", "")).endswith(f"#{ts}"))


def _without_link(text: str, link: str) -> str:
    return text.replace(link, "…")


def see_answers(laboratory: Laboratory, before: str) -> Seen:
    """Return the ephemeral messages since `before`."""
    workspace = laboratory.installation.workspace
    later = [each for each in workspace.channel(COMMANDS).ephemerals.values() if each.ts > before]
    return tuple(sorted(f"ephemeral {each.content.text}" for each in later))


def see_stop(laboratory: Laboratory, before: str) -> Seen:
    """Return what is visible of the first message since `before`, and the answers, each once: repeats are by design."""
    messages = laboratory.installation.workspace.channel(INTAKE).messages
    ts = min(each for each, message in messages.items() if each > before and message.thread_ts is None)
    return tuple(sorted({*see_answers(laboratory, before)})) + see_message(laboratory, ts)


def see_calls(laboratory: Laboratory, ts: str) -> Seen:
    """Return the webhook's calls for a message, repeated ones included; all have the same idempotency key."""
    calls = [each for each in laboratory.webhooks.received.values() if each.document["message"]["ts"] == ts]
    return tuple(f"call of {each.host} on {each.document['outcome']}" for each in calls for _ in range(each.times))


def message_record(laboratory: Laboratory, ts: str) -> str:
    """Return the body of a queue message with another copy of a message."""
    message = laboratory.installation.workspace.channel(INTAKE).message(ts)
    text = {"author": message.user, "text": message.content.text, "truncated": False, "bot": None}
    return json.dumps({"version": 1, "kind": "message", **_place(laboratory, ts), **text})


def correction_record(laboratory: Laboratory, ts: str) -> str:
    """Return the body of a queue message for a correction of a message."""
    return json.dumps({"version": 1, "kind": "correction", **_place(laboratory, ts)})


def _place(laboratory: Laboratory, ts: str) -> dict[str, object]:
    team = laboratory.installation.workspace.team.id
    return {"team": team, "channel": INTAKE, "ts": ts, "received_at": int(laboratory.clock())}


MESSAGE = Scenario("message", _nothing, _write, see_message)
CORRECTION = Scenario("correction", _written, _correct, see_message)
COMMAND = Scenario("command", _nothing, _command, see_answers, at_least_once=True)
WEBHOOK = Scenario("webhook", _nothing, _write_for_webhook, see_calls, at_least_once=True)
EDIT = Scenario("edit", _written, _edit, see_message)
DELETION = Scenario("deletion", _written, _delete, see_message)
STOP = Scenario("stop", _nothing, _stop, see_stop, undo=_start)

# A part of the report of their own, because they make many requests.
CHANGES = (EDIT, DELETION, STOP)

SCENARIOS = (MESSAGE, CORRECTION, COMMAND, WEBHOOK, *CHANGES)
