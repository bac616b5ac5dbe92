"""`starter`: the starter messages as a data folder."""

import argparse
from pathlib import Path
from typing import Any

from training.cli.options import add_command
from training.starter import read_messages, write_dataset


def add_starter(commands: Any) -> None:
    command = add_command(commands, "starter", "write the starter messages as a data folder", _starter)
    command.add_argument("out", type=Path, metavar="OUT_DIR", help="where to write it")


def _starter(options: argparse.Namespace) -> None:
    messages = read_messages()
    write_dataset(messages, options.out)
    print(f"Wrote {len(messages):,} messages to {options.out}, a folder for each facet")
