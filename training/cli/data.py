"""`prepare`, `starter` and `download`: the commands that write data folders and prepared files."""

import argparse
import re
from pathlib import Path
from typing import Any

from tqdm import tqdm

from training.cli.options import add_command, number, print_dropped
from training.data.dataset import Problem
from training.data.download import DBPEDIA, download
from training.data.prepare import prepare
from training.starter import read_messages, write_dataset


def add_prepare(commands: Any) -> None:
    command = add_command(commands, "prepare", "write labelled texts in BlazingText's training format", _prepare)
    command.add_argument(
        "data", type=Path, metavar="DATA_DIR", help="a data folder (see below), or part of one with its classes.txt"
    )
    command.add_argument(
        "--out", type=Path, required=True, metavar="DIR", help="where to write train.txt, validation.txt and test.txt"
    )
    command.add_argument(
        "--validation",
        type=number(float, 0, 0.5),
        metavar="SHARE",
        help="share of train.csv that goes to validation.txt (default: 0 if there is a validation.csv, else 0.1)",
    )
    command.add_argument(
        "--part",
        type=_part,
        default="",
        metavar="NAME",
        help="name the files train-NAME.txt and so on, so that several machines can write to one folder",
    )
    command.add_argument("--lenient", action="store_true", help="skip bad rows and list them")


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
            print(f"  note: no lines with {', '.join(missing)}")


def _part(text: str) -> str:
    if not re.fullmatch(r"[\w-]*", text):
        raise argparse.ArgumentTypeError("use letters, digits, '-' and '_' only")
    return text


def add_starter(commands: Any) -> None:
    command = add_command(commands, "starter", "write the starter messages as a data folder", _starter)
    command.add_argument("out", type=Path, metavar="OUT_DIR", help="where to write it")


def _starter(options: argparse.Namespace) -> None:
    messages = read_messages()
    write_dataset(messages, options.out)
    print(f"Wrote {len(messages):,} messages to {options.out}, one folder per facet")


def add_download(commands: Any) -> None:
    command = add_command(commands, "download", "download the full DBpedia-14 (68 MB) as a data folder", _download)
    command.add_argument("out", type=Path, metavar="OUT_DIR", help="where to write it; 193 MB")


def _download(options: argparse.Namespace) -> None:
    with tqdm(desc="Downloading", total=DBPEDIA.size, unit="B", unit_scale=True, disable=None, leave=False) as bar:
        download(DBPEDIA, options.out, bar.update)
    print(f"Wrote {', '.join(DBPEDIA.members.values())} to {options.out}; the SHA-256 of {DBPEDIA.url} is correct")
