"""The commands `inspect` and `redrive`: list dead letters, and return them to their queue."""

import argparse
import json
from collections.abc import Mapping, Sequence

import boto3
from botocore.config import Config

from bot.cli import Outcome, add_parser
from bot.queue.dead_letters import DeadLetter, DeadLetterQueue, QueueFailure
from bot.settings import require

_INSPECT = """examples:
  python -m bot inspect
  python -m bot inspect --json | jq -r '.[] | select(.kind == "message") | .id'

Prints no message text. Listing hides the messages for a moment, but removes none.
"""

_REDRIVE = """examples:
  python -m bot redrive --id 0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0
  python -m bot redrive --all

A message is added to the triage queue first and then removed from the dead-letter queue. If that is interrupted, it
is in both queues; nothing is posted twice, because the ledger remembers each step that was done.
"""

_FIELDS = ("id", "kind", "place", "tries", "first_sent", "reason")


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    inspect = add_parser(commands, "inspect", "list the dead letters and why they failed", _INSPECT)
    inspect.add_argument("--json", action="store_true", help="print a JSON array")
    inspect.set_defaults(run=_run_inspect)
    redrive = add_parser(commands, "redrive", "return dead letters to the triage queue", _REDRIVE)
    which = redrive.add_mutually_exclusive_group(required=True)
    which.add_argument("--id", action="append", metavar="ID", help="an ID from `inspect`; may be repeated")
    which.add_argument("--all", action="store_true", help="all messages")
    redrive.set_defaults(run=_run_redrive)


def _run_inspect(options: argparse.Namespace, environ: Mapping[str, str], now: float) -> Outcome:
    try:
        found = _open_queue(environ).inspect()
    except QueueFailure as error:
        return Outcome(problem=str(error))
    if options.json:
        return Outcome(json.dumps([{name: getattr(each, name) for name in _FIELDS} for each in found], indent=2))
    return Outcome(describe(found, now))


def _run_redrive(options: argparse.Namespace, environ: Mapping[str, str], now: float) -> Outcome:
    wanted = set(options.id or ())
    try:
        returned = _open_queue(environ).redrive(lambda each: options.all or each.id in wanted)
    except QueueFailure as error:
        return Outcome(problem=f"{error}. Messages returned before that stay in the triage queue.")
    missing = ", ".join(sorted(wanted - {each.id for each in returned}))
    problem = f"Not in the dead-letter queue: {missing}" if missing else ""
    return Outcome(f"Returned to the triage queue: {len(returned)}.", problem)


def _open_queue(environ: Mapping[str, str]) -> DeadLetterQueue:
    config = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 2, "mode": "standard"})
    dead_letters, triage = require(environ, "DEAD_LETTER_QUEUE_URL"), require(environ, "TRIAGE_QUEUE_URL")
    return DeadLetterQueue(boto3.client("sqs", config=config), dead_letters, triage)


def describe(found: Sequence[DeadLetter], now: float) -> str:
    """Format dead letters as a table."""
    if not found:
        return "There are no dead letters."
    head = ("KIND", "AGE", "TRIES", "MESSAGE", "ID", "REASON")
    rows = [head, *(_row(each, now) for each in found)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _row(each: DeadLetter, now: float) -> tuple[str, ...]:
    tries = "-" if each.tries is None else str(each.tries)
    return each.kind, _age(now - each.first_sent), tries, each.place or "-", each.id, each.reason


def _age(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{max(0, int(seconds))} s"
