"""The command `sweep`: queue messages of a channel that the bot missed, or that are older than its installation."""

import argparse
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.cli import Outcome, add_parser
from bot.pipeline.sweep import Sweeper, Swept
from bot.policy.parsing.parser import PolicyError, load_policy
from bot.queue.sender import QueueUnavailable, build_queue
from bot.settings import read_workspaces, require
from bot.slack.api import SlackError
from bot.slack.client import SlackActions
from bot.store.ledger import LedgerUnavailable, build_ledger
from bot.store.settings import SettingsStore
from bot.workspaces.installations import InstallationsUnavailable
from bot.workspaces.workspaces import build_workspaces

_EPILOG = """examples:
  python -m bot sweep --channel C0123SUPPORT --since 24h --dry-run
  python -m bot sweep --channel C0123SUPPORT --since 2026-11-01

Messages of the last ten minutes are skipped, because their events may still arrive. Messages that have been decided
about are skipped, too, so that a sweep can be repeated. Settings are read from the environment: SLACK_BOT_TOKEN or
SLACK_SECRET_NAME, LEDGER_TABLE, TRIAGE_QUEUE_URL, POLICY_FILE; with several workspaces also SLACK_WORKSPACES and
INSTALLATIONS_TABLE.
"""

_SPAN = re.compile(r"([1-9][0-9]{0,4})(min|h|d)")
_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def add_command(commands: Any) -> None:
    purpose = "queue messages of a channel that the bot never decided about, and remove surplus posts"
    parser = add_parser(commands, "sweep", purpose, _EPILOG)
    parser.add_argument("--channel", required=True, metavar="ID", help="the channel; the bot must be in it")
    parser.add_argument(
        "--since", required=True, type=read_since, metavar="WHEN", help="how far back: 30min, 24h, 7d, or a date (UTC)"
    )
    parser.add_argument("--team", metavar="ID", help="the channel's workspace; required if the bot serves several")
    parser.add_argument("--dry-run", action="store_true", help="print what would be done, but do nothing")
    parser.set_defaults(run=_run)


def read_since(text: str) -> timedelta | datetime:
    """Read a span of time (`24h`) or a date (`2026-11-01`, UTC). Raises argparse.ArgumentTypeError."""
    span = _SPAN.fullmatch(text)
    if span:
        return int(span[1]) * _UNITS[span[2]]
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a span like 24h nor a date like 2026-11-01") from None
    return at.replace(tzinfo=at.tzinfo or UTC)


def oldest_of(since: timedelta | datetime, now: float) -> float:
    return now - since.total_seconds() if isinstance(since, timedelta) else since.timestamp()


def _run(options: argparse.Namespace, environ: Mapping[str, str], now: float) -> Outcome:
    if read_workspaces(environ) and not options.team:
        return Outcome(problem="The bot serves several workspaces: name the channel's with --team T…")
    try:
        sweeper = _build_sweeper(environ, options.team or "", lambda: now)
        oldest = oldest_of(options.since, now)
        swept = sweeper.sweep(options.channel, sweeper.slack.identify(), oldest, now, options.dry_run)
    except (PolicyError, OSError) as error:
        return Outcome(problem=f"Cannot read the policy: {error}")
    except SlackError as error:
        return Outcome(problem=f"Slack refused a call or did not answer ({error}). It is safe to sweep again.")
    except (InstallationsUnavailable, LedgerUnavailable, QueueUnavailable) as error:
        return Outcome(problem=f"{error}. It is safe to sweep again.")
    return Outcome(describe(swept, options.dry_run))


def _build_sweeper(environ: Mapping[str, str], team: str, now: Callable[[], float]) -> Sweeper:
    ledger = build_ledger(require(environ, "LEDGER_TABLE"))
    default = load_policy(Path(require(environ, "POLICY_FILE")))
    return Sweeper(
        SlackActions(build_workspaces(environ, ledger.client, now).client_for(team)),
        ledger,
        build_queue(require(environ, "TRIAGE_QUEUE_URL")),
        SettingsStore(ledger.client, ledger.table, default),
    )


def describe(swept: Swept, dry_run: bool) -> str:
    """Sum up a sweep in one line; for a dry run, add a line for each thing that would be done."""
    verbs = ("to queue", "to clean up") if dry_run else ("queued", "queued to clean up")
    summary = (
        f"{swept.channel}: {swept.seen} messages seen, {len(swept.missing)} missed ({verbs[0]}), "
        f"{len(swept.changed)} changed since ({verbs[0]}), {len(swept.surplus)} posted twice ({verbs[1]})."
    )
    lines = [f"  would queue {record.key}" for record in swept.missing]
    lines += [f"  would read again {record.key}" for record in swept.changed]
    lines += [f"  would clean up {record.step} of {record.key}" for record in swept.surplus]
    return "\n".join([summary, *(lines if dry_run else ())])
