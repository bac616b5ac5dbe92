"""`sweep`: have the bot read what it missed in a channel, or what was written before it came."""

import argparse
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.cli.outcome import Outcome
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

Messages of the last ten minutes are left to the ordinary way. What is decided about already is not read again, so a
sweep can be repeated. The settings are taken from the environment: SLACK_BOT_TOKEN or SLACK_SECRET_NAME, LEDGER_TABLE,
TRIAGE_QUEUE_URL, POLICY_FILE; where the bot is in several workspaces, SLACK_WORKSPACES and INSTALLATIONS_TABLE as well.
"""

_SPAN = re.compile(r"([1-9][0-9]{0,4})(min|h|d)")
_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


def add_command(commands: Any) -> None:
    parser: argparse.ArgumentParser = commands.add_parser(
        "sweep",
        help="queue what a channel's history has and the bot never decided about",
        description="Queue what a channel's history has and the bot never decided about, and remove surplus posts.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--channel", required=True, metavar="ID", help="the channel; the bot must be in it")
    parser.add_argument(
        "--since", required=True, type=read_since, metavar="WHEN", help="30min, 24h, 7d ago, or a date (UTC)"
    )
    parser.add_argument("--team", metavar="ID", help="the channel's workspace, where the bot is in several")
    parser.add_argument("--dry-run", action="store_true", help="say what would be done, and do nothing")
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
        return Outcome(problem="The bot is in several workspaces: name the channel's with --team T…")
    try:
        sweeper = _build_sweeper(environ, options.team or "", lambda: now)
        identity = sweeper.slack.identify()
        oldest = oldest_of(options.since, now)
        swept = sweeper.sweep(options.channel, identity, oldest, now, options.dry_run)
    except (PolicyError, OSError) as error:
        return Outcome(problem=f"The policy cannot be read: {error}")
    except SlackError as error:
        return Outcome(problem=f"Slack did not do what it was asked ({error}). Sweeping again does no harm.")
    except (InstallationsUnavailable, LedgerUnavailable, QueueUnavailable) as error:
        return Outcome(problem=f"{error}. Sweeping again does no harm.")
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
    """Say what was found, in a line, and in a line for each where nothing was done about it."""
    verbs = ("to queue", "to remove") if dry_run else ("queued", "removed")
    summary = (
        f"{swept.channel}: {swept.seen} messages seen, {len(swept.missing)} missed ({verbs[0]}), "
        f"{len(swept.surplus)} surplus posts ({verbs[1]})."
    )
    lines = [f"  would queue {record.key}" for record in swept.missing]
    lines += [f"  would remove {ts}" for ts in swept.surplus]
    return "\n".join([summary, *(lines if dry_run else ())])
