"""The commands of `python -m bot`, with what they share: their outcome, and how they are added to the parser."""

import argparse
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """The output of a command: `text` on stdout, and on stderr the `problem` of a command that failed (exit code 1)."""

    text: str = ""
    problem: str = ""


def add_parser(commands: Any, name: str, purpose: str, epilog: str) -> argparse.ArgumentParser:
    """Add a command that `purpose` describes, with examples and exit codes in the epilog."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=purpose,
        description=f"{purpose[0].upper()}{purpose[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return parser
