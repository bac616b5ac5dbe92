"""`python -m bot`: operate a running bot from the command line."""

import argparse
import os
import sys
import time
from collections.abc import Mapping, Sequence

from bot.cli import Outcome, dead_letters, policy, sweep
from bot.settings import MissingSetting

EPILOG = """examples:
  python -m bot inspect
  python -m bot redrive --all
  python -m bot sweep --channel C0123SUPPORT --since 24h --dry-run
  python -m bot policy check policy.yml

Queues, tables and tokens are read from the same environment variables as in the Lambda functions; AWS credentials and
region are found as boto3 finds them.
Exit codes: 0 success, 1 failure (the reason is on stderr), 2 wrong arguments or settings.
"""


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    options = _build_parser().parse_args(arguments)
    try:
        outcome: Outcome = options.run(options, os.environ if environ is None else environ, time.time())
    except MissingSetting as error:
        print(f"{error}; use the value of the deployed function.", file=sys.stderr)
        return 2
    if outcome.text:
        print(outcome.text)
    if outcome.problem:
        print(outcome.problem, file=sys.stderr)
    return 1 if outcome.problem else 0


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bot",
        description="Operate a running bot.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    dead_letters.add_commands(commands)
    sweep.add_command(commands)
    policy.add_commands(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
