"""`download`: the whole of DBpedia-14 as a data folder."""

import argparse
from pathlib import Path
from typing import Any

from tqdm import tqdm

from training.cli.options import add_command
from training.data.download import DBPEDIA, download


def add_download(commands: Any) -> None:
    command = add_command(commands, "download", "fetch the whole of DBpedia-14 (68 MB) as a data folder", _download)
    command.add_argument("out", type=Path, metavar="OUT_DIR", help="where to write it; 193 MB")


def _download(options: argparse.Namespace) -> None:
    with tqdm(desc="Downloading", total=DBPEDIA.size, unit="B", unit_scale=True, disable=None, leave=False) as bar:
        download(DBPEDIA, options.out, bar.update)
    print(f"Wrote {', '.join(DBPEDIA.members.values())} to {options.out}, checked against the SHA-256 of {DBPEDIA.url}")
