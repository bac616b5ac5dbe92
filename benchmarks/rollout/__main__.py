"""`python -m benchmarks.rollout`: rehearse promotions and a rollback, and draw each model's share of the traffic."""

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

No AWS account is needed. A local endpoint serves the model as three versions and is invoked over HTTP; promote and
rollback are the real commands, with stand-ins for SageMaker and CloudWatch that move its traffic and evaluate alarms on
its counters. Time is simulated: half an hour takes seconds.

exit codes: 0 done; 2 the model folder is invalid
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.rollout",
        description="Rehearse on this machine: promote, promote a bad model that an alarm rolls back, roll back.",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", type=Path, metavar="MODEL_DIR", help="a model folder")
    parser.add_argument("--out", type=Path, metavar="PNG", help="draw the traffic here")
    parser.add_argument("--wait", type=int, default=300, metavar="S", help="of the canary (default: 300 seconds)")
    parser.add_argument("--bake", type=int, default=300, metavar="S", help="of the old fleet (default: 300 seconds)")
    options = parser.parse_args(arguments)
    # The speed of this machine should not set off an alarm.
    strategy = Strategy(wait=options.wait, bake=options.bake, limits=Limits(latency_ms=60_000))
    try:
        with tempfile.TemporaryDirectory(prefix="rehearsal-") as name:
            stage = play(options.model, Path(name), Console(asks=False), strategy)
    except ArtefactError as error:
        print(f"The rehearsal cannot use this model: {error}.", file=sys.stderr)
        return 2
    if options.out:
        draw(stage, options.out)
        print(f"Wrote {options.out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
