"""Prepare one machine's share of the rows; a processing job runs this script on each machine.

ROOT/rows/FACET/SPLIT.csv/part-….csv    this machine's rows
ROOT/classes/FACET/classes.txt          the classes; facets.txt beside the facets, if there is one
ROOT/code/                              this file and the modules that it needs
ROOT/output/                            for the lines, under this machine's name

Needs Python 3.11 and its standard library.
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))


def main() -> int:
    options = _parser().parse_args()
    machine = json.loads(options.config.read_text(encoding="utf-8"))["current_host"]
    with tempfile.TemporaryDirectory() as scratch:
        if not _gather(options.root, Path(scratch)):
            print(f"{machine}: no rows for this machine", file=sys.stderr)
            return 0
        return _prepare(Path(scratch), options, machine)


def _gather(root: Path, folder: Path) -> bool:
    """Assemble a data folder from this machine's parts; report whether there are any."""
    shutil.copytree(root / "classes", folder, dirs_exist_ok=True)
    parts = sorted((root / "rows").rglob("part-*.csv"))
    for part in parts:
        target = folder / part.parent.relative_to(root / "rows")
        with part.open("rb") as source, target.open("ab") as file:
            shutil.copyfileobj(source, file)
    return bool(parts)


def _prepare(folder: Path, options: argparse.Namespace, machine: str) -> int:
    from training.data.dataset import DataError, Problem
    from training.data.prepare import prepare

    dropped: list[Problem] | None = [] if options.lenient else None
    try:
        prepare(folder, options.root / "output", options.validation, machine, dropped)
    except DataError as error:
        print(error, file=sys.stderr)
        return 2
    for problem in dropped or ():
        print(problem, file=sys.stderr)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=Path, default=Path("/opt/ml/processing"))
    parser.add_argument("--config", type=Path, default=Path("/opt/ml/config/resourceconfig.json"))
    parser.add_argument("--validation", type=float, required=True)
    parser.add_argument("--lenient", action="store_true")
    return parser


if __name__ == "__main__":
    sys.exit(main())
