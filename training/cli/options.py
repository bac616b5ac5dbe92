"""Helpers shared by the commands of `python -m training`: help text, number options, printed summaries."""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from training.data.dataset import Problem

EXAMPLES = """\
examples:
  python -m training train my-data --out build/models/mine
  python -m training prepare my-data --out build/prepared
  python -m training train my-data --out build/models/tried --trainer blazingtext --hyperparameter vector_dim=10
  python -m training evaluate build/models/mine my-data --json -
  python -m training evaluate build/models/mine my-data --report build/report.html --against build/models/older
  python -m training starter build/starter-data
  python -m training download build/dbpedia

A data folder is in DBpedia format: classes.txt names class i in line i; train.csv (and, if you have them,
validation.csv and test.csv) has three columns and no header: class index (from 1), title, content.
For several facets, use one such folder per facet: category/, urgency/, tone/.

exit codes: 0 success, 1 failure, 2 invalid options or data (every bad row is listed)
"""


def add_command(
    commands: Any,
    name: str,
    purpose: str,
    run: Callable[[argparse.Namespace], None] | None = None,
    epilog: str = EXAMPLES,
) -> Any:
    """Add a command whose parsed options carry `run`, and `refuse`, argparse's error exit."""
    command = commands.add_parser(
        name,
        help=purpose,
        description=f"{purpose[0].upper()}{purpose[1:]}.",
        epilog=epilog,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.set_defaults(run=run, refuse=command.error)
    return command


def number(kind: type[int] | type[float], least: float, most: float = 2**31 - 1) -> Callable[[str], float]:
    """Return an argparse type that accepts numbers from `least` to `most`."""

    def parse(text: str) -> float:
        value = kind(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{text} is not between {least} and {most}")
        return value

    # argparse prints this name in "invalid … value".
    parse.__name__ = "number"
    return parse


def parse_setting(text: str) -> tuple[str, str]:
    """Parse NAME=VALUE, as an argparse type."""
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE")
    return name, value


def print_dropped(dropped: Sequence[Problem] | None) -> None:
    """Print the rows that `--lenient` skipped to standard error."""
    for problem in dropped or ():
        print(problem, file=sys.stderr)
    if dropped:
        print(f"{len(dropped):,} row{'s' * (len(dropped) > 1)} skipped.", file=sys.stderr)


def describe_accuracy(facet: str, metrics: Mapping[str, Any], rows: str) -> str:
    """Return one line with a facet's accuracy and macro-F1 on the named rows."""
    accuracy, macro_f1 = f"accuracy {metrics['accuracy']:.1%}", f"macro-F1 {metrics['macro_f1']:.1%}"
    return f"{facet}: {accuracy}, {macro_f1} on {metrics['rows']:,} rows of {rows}"
