"""`python -m benchmarks.faults`: break the system on purpose, and write down what became of it."""

import argparse
import logging
import sys
from pathlib import Path

from benchmarks.faults.findings import load_findings, save_findings
from benchmarks.faults.parts import PARTS, run_part
from benchmarks.faults.report import write_report
from bot.sandbox.process import ProcessError

EPILOG = """examples:
  python -m benchmarks.faults               the short form; prints the page
  python -m benchmarks.faults --long --out docs/reliability.md
  python -m benchmarks.faults --long --out docs/reliability.md --part burst

Without --part every part is run. What a run finds is kept in build/reliability/, so that a part that is run again
takes its place beside the others on the page.

The exit status is 1 where anything was lost, doubled, or answered with a 5xx.
"""

_KEPT = Path("build/reliability")


def main(arguments: list[str] | None = None) -> int:
    options = _build_parser().parse_args(arguments)
    # Functions that were killed have died: what the gateway says of that is no news here.
    logging.getLogger("bot.sandbox").setLevel(logging.CRITICAL)
    kept = _KEPT / ("long.json" if options.long else "short.json")
    try:
        for part in options.part or PARTS:
            save_findings(run_part(part, load_findings(kept), options.model, options.long, _say), kept)
    except ProcessError as error:
        print(error, file=sys.stderr)
        return 2
    findings = load_findings(kept)
    _put_out(write_report(findings), options.out)
    for line in findings.bad:
        print(line, file=sys.stderr)
    return 1 if findings.bad else 0


def _put_out(text: str, path: Path | None) -> None:
    if path is None:
        print(text)
        return
    partial = path.with_suffix(".partial")
    partial.write_text(text, encoding="utf-8")
    partial.replace(path)


def _say(progress: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{progress}", end="", file=sys.stderr, flush=True)


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.faults",
        description="Break the system on purpose, on this machine alone, and tell what became of every message.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--model", type=Path, default=Path("build/models/starter"), metavar="MODEL_DIR",
        help="folder with model.tar.gz and manifest.json (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument("--long", action="store_true", help="every request, 10,000 messages, 100,000 fuzzed requests")
    parser.add_argument("--part", choices=PARTS, action="append", help="run this part; may be repeated")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write the page there instead of printing it")
    return parser


if __name__ == "__main__":
    sys.exit(main())
