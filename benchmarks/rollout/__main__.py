"""`python -m benchmarks.rollout`: play it, and draw who had how much of the traffic when."""

import argparse
import sys
import tempfile
from pathlib import Path

from benchmarks.rollout.figure import draw
from benchmarks.rollout.play import play
from classifier_infra.endpoint.console import Console
from classifier_infra.endpoint.rollout import Limits, Strategy
from classifier_infra.model.artefact import ArtefactError

_EXAMPLE = """
example:
  python -m benchmarks.rollout build/models/starter --out docs/images/promotion.png

No AWS account is asked. A local endpoint serves the model under three versions, real invocations flow over HTTP, and
promote and rollback are the commands themselves, over stand-ins for SageMaker and CloudWatch that move its traffic and
judge alarms on its counters. Time is the rehearsal's own: half an hour takes seconds.

exit codes: 0 played and drawn; 2 the model folder is wrong
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.rollout",
        description="Rehearse on this machine: promote, promote a bad model, be taken back by an alarm, roll back.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", type=Path, metavar="MODEL_DIR", help="a model folder")
    parser.add_argument("--out", type=Path, metavar="PNG", help="draw the traffic here")
    parser.add_argument("--wait", type=int, default=300, metavar="S", help="of the canary (default: 300 seconds)")
    parser.add_argument("--bake", type=int, default=300, metavar="S", help="of the old fleet (default: 300 seconds)")
    options = parser.parse_args(arguments)
    # How fast this machine is should ring no alarm.
    strategy = Strategy(wait=options.wait, bake=options.bake, limits=Limits(latency_ms=60_000))
    try:
        with tempfile.TemporaryDirectory(prefix="rehearsal-") as name:
            stage = play(options.model, Path(name), Console(sys.stdout, sys.stderr, asks=False), strategy)
    except ArtefactError as error:
        print(f"This model cannot be rehearsed with: {error}.", file=sys.stderr)
        return 2
    if options.out:
        draw(stage, options.out)
        print(f"Wrote {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
