"""Run benchmarks, print their tables and write them to benchmarks/results/: `python -m benchmarks`."""

import argparse
import sys
from collections.abc import Callable, Mapping

from benchmarks import classifier, cold_start, endpoint, policy, training, training_long, transform
from benchmarks.results import BenchmarkError

# A benchmark prints its table and saves it. The first line of its docstring is shown in --help.
BENCHMARKS: Mapping[str, Callable[[], None]] = {
    "classifier": classifier.run,
    "endpoint": endpoint.run,
    "policy": policy.run,
    "training": training.run,
}
# Run by name only: they take minutes, or build archives, which needs the development environment's uv.
ON_REQUEST: Mapping[str, Callable[[], None]] = {
    "cold-start": cold_start.run,
    "training-long": training_long.run,
    "transform": transform.run,
}
ALL = {**BENCHMARKS, **ON_REQUEST}


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    try:
        for name in options.names or BENCHMARKS:
            ALL[name]()
    except BenchmarkError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:<15}{_summary(run)}" for name, run in ALL.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure against peers in one run on this machine, and write benchmarks/results/.",
        epilog=f"benchmarks:\n{listed}\n\nexample:\n  .venv-bench/bin/python -m benchmarks endpoint",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names", nargs="*", metavar="NAME", type=_name, help=f"which ones (default: {', '.join(BENCHMARKS)})"
    )
    return parser


def _name(text: str) -> str:
    if text not in ALL:
        raise argparse.ArgumentTypeError(f"{text!r} is not a benchmark; choose from {', '.join(ALL)}")
    return text


def _summary(run: Callable[[], None]) -> str:
    return (run.__doc__ or "").strip().partition("\n")[0].rstrip(".")


if __name__ == "__main__":
    sys.exit(main())
