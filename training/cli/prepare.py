"""`prepare`: from a data folder to the files that BlazingText trains on."""

import argparse
import re
from pathlib import Path
from typing import Any

from tqdm import tqdm

from training.cli.options import add_command, number, print_dropped
from training.data.dataset import Problem
from training.data.prepare import prepare


def add_prepare(commands: Any) -> None:
    command = add_command(commands, "prepare", "write labelled texts as BlazingText's training takes them", _prepare)
    command.add_argument(
        "data", type=Path, metavar="DATA_DIR", help="a data folder, see below; or a part of one, with its classes.txt"
    )
    command.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="where to write train.txt, validation.txt and test.txt"
    )
    command.add_argument(
        "--validation",
        type=number(float, 0, 0.5),
        metavar="SHARE",
        help="the part of train.csv that goes to validation.txt (default: none if there is a validation.csv, else 0.1)",
    )
    command.add_argument(
        "--part",
        type=_part,
        default="",
        metavar="NAME",
        help="call the files train-NAME.txt and so on, so that several machines can fill one folder",
    )
    command.add_argument("--lenient", action="store_true", help="leave bad rows out, and list them")


def _prepare(options: argparse.Namespace) -> None:
    dropped: list[Problem] | None = [] if options.lenient else None
    with tqdm(desc="Preparing", unit=" rows", disable=None, leave=False) as bar:
        prepared = prepare(options.data, options.out, options.validation, options.part, dropped, bar.update)
    print_dropped(dropped)
    for split, path in prepared.files.items():
        counts = prepared.lines[split]
        total = sum(counts.values())
        print(f"{path}: {total:,} line{'s' * (total != 1)}")
        missing = [label for label, count in counts.items() if not count]
        if missing and total:
            print(f"  note: no line of {', '.join(missing)}")


def _part(text: str) -> str:
    if not re.fullmatch(r"[\w-]*", text):
        raise argparse.ArgumentTypeError("letters, digits, '-' and '_' make a name")
    return text
