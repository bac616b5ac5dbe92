"""`inspect` and `redrive`: what could not be handled, and trying it again."""

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import Any

import boto3
from botocore.config import Config

from bot.cli.outcome import Outcome
from bot.queue.dead_letters import DeadLetter, DeadLetterQueue, QueueFailure
from bot.settings import require

_INSPECT = """examples:
  python -m bot inspect
  python -m bot inspect --json | jq -r '.[] | select(.kind == "message") | .id'

Shows no text of any message. Looking hides the messages for a moment, and takes none away.
"""

_REDRIVE = """examples:
  python -m bot redrive --id 0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0
  python -m bot redrive --all

A message goes back to the triage queue first and leaves the dead-letter queue then. Cut off between the two it is in
both, which shows nothing twice: what has been done for it is remembered.
"""


def add_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    inspect = _add(commands, "inspect", "list what was set aside, and why", _INSPECT)
    inspect.add_argument("--json", action="store_true", help="print a JSON array, for programs")
    inspect.set_defaults(run=_run_inspect)
    redrive = _add(commands, "redrive", "give what was set aside back to be tried again", _REDRIVE)
    which = redrive.add_mutually_exclusive_group(required=True)
    which.add_argument("--id", action="append", metavar="ID", help="one message, as `inspect` names it; repeatable")
    which.add_argument("--all", action="store_true", help="everything")
    redrive.set_defaults(run=_run_redrive)


def _add(commands: Any, name: str, purpose: str, epilog: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=purpose,
        description=purpose.capitalize() + ".",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser


def _run_inspect(options: argparse.Namespace, environ: Mapping[str, str], now: float) -> Outcome:
    try:
        found = _open_queue(environ).inspect()
    except QueueFailure as error:
        return Outcome(problem=str(error))
    return Outcome(
        json.dumps([_to_document(each) for each in found], indent=2) if options.json else describe(found, now)
    )


def _run_redrive(options: argparse.Namespace, environ: Mapping[str, str], now: float) -> Outcome:
    wanted = set(options.id or ())
    try:
        given_back = _open_queue(environ).redrive(lambda each: options.all or each.id in wanted)
    except QueueFailure as error:
        return Outcome(problem=f"{error}. What was given back before that stays given back.")
    missing = ", ".join(sorted(wanted - {each.id for each in given_back}))
    problem = f"Not in the dead-letter queue: {missing}" if missing else ""
    return Outcome(f"Given back to the triage queue: {len(given_back)}.", problem)


def _open_queue(environ: Mapping[str, str]) -> DeadLetterQueue:
    config = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 2, "mode": "standard"})
    dead_letters, triage = require(environ, "DEAD_LETTER_QUEUE_URL"), require(environ, "TRIAGE_QUEUE_URL")
    return DeadLetterQueue(boto3.client("sqs", config=config), dead_letters, triage)


def describe(found: Sequence[DeadLetter], now: float) -> str:
    """Give a table for people."""
    if not found:
        return "Nothing is set aside."
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


def _to_document(each: DeadLetter) -> dict[str, Any]:
    names = ("id", "kind", "place", "tries", "first_sent", "reason")
    return {name: getattr(each, name) for name in names}
