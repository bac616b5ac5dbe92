"""`python -m classifier_infra promote`: bring another model into service without taking the old one away too soon."""

import argparse

from classifier_infra.cli.options import add_place, add_running, reported
from classifier_infra.cli.update import Change, carry_out_change
from classifier_infra.endpoint.aws import connect
from classifier_infra.endpoint.console import console_for
from classifier_infra.endpoint.executor import WRONG, Executor
from classifier_infra.endpoint.rollout import KINDS, Limits, Strategy
from classifier_infra.endpoint.state import Chosen, choose_model
from classifier_infra.errors import CommandError
from classifier_infra.inference.fallback import EmbeddedClassifier
from classifier_infra.inference.loader import ask_canaries, load_stored_model
from classifier_infra.inference.model_store import ModelStore, open_store
from classifier_infra.model.canaries import answers_of, expected_answers, find_moved
from classifier_infra.model.model import load_model

_EXAMPLES = """
examples:
  python -m classifier_infra promote build/models/new --store s3://my-models/models
  python -m classifier_infra promote support-2-0123456789 --store s3://my-models/models --percent 10 --wait 900 \\
      --error-percent 0.5 --latency-ms 100
  python -m classifier_infra promote build/models/new --store s3://my-models/models --strategy linear --percent 20
  python -m classifier_infra promote build/models/new --store s3://my-models/models --strategy all-at-once --bake 600

canary: --percent of the new fleet gets traffic for --wait seconds, then all of it; linear: --percent more every --wait
seconds. Alarms on errors and latency of the new fleet alone are made first; when one rings, SageMaker goes back by
itself. For --bake seconds more the old fleet stays. active.json is changed last, so that functions never read answers
of a model that does not serve. A canary needs two instances; all-at-once works with one.

exit codes: 0 the new model serves; 1 AWS or the store said no; 2 the command or the model is wrong, or traffic cannot
be moved in this way; 3 SageMaker went back to the old model, or the new one does not answer as it should
"""


def add_promote(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to a parser; the parsed options then have `run`, which takes them."""
    default, limits = Strategy(), Limits()
    command = commands.add_parser(
        "promote",
        help="bring another model into service, by parts",
        description="Change an endpoint to another model, blue/green, with alarms that take it back.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    command.add_argument("model", metavar="MODEL", help="model folder, or version in the store")
    add_place(command)
    command.add_argument("--strategy", choices=KINDS, default=default.kind, help="(default: %(default)s)")
    command.add_argument("--percent", type=int, default=default.percent, metavar="P", help="1 to 50 (default: 25)")
    command.add_argument("--wait", type=int, default=default.wait, metavar="S", help="at each step (default: 300)")
    command.add_argument("--bake", type=int, default=default.bake, metavar="S", help="at the end (default: 300)")
    command.add_argument(
        "--error-percent", type=float, default=limits.error_percent, metavar="P", help="may fail (default: 1)"
    )
    command.add_argument(
        "--latency-ms", type=float, default=limits.latency_ms, metavar="MS", help="99th percentile (default: 500)"
    )
    add_running(command)
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    """Raises CommandError."""
    with reported("The model cannot be promoted"):
        promote(options, Executor(connect(), open_store(options.store), console_for(asks=not options.yes)))


def promote(options: argparse.Namespace, executor: Executor) -> None:
    """Raises what carry_out_change does, and ArtefactError."""
    limits = Limits(options.error_percent, options.latency_ms)
    wait = 0 if options.strategy == "all-at-once" else options.wait
    strategy = Strategy(options.strategy, options.percent, wait, options.bake, limits)
    chosen = choose_model(options.model, executor.store)
    _check_canaries(chosen, executor.store)
    carry_out_change(Change("promote", options.endpoint_name, chosen, strategy, options.dry_run), executor)


def _check_canaries(chosen: Chosen, store: ModelStore) -> None:
    """Refuse a model that does not answer its own canaries in this process, as far as it fits into it."""
    version = chosen.manifest.version
    model = load_model(chosen.folder, in_memory=True) if chosen.folder else load_stored_model(store, version, True)
    if model.artefact is None:
        return
    seen = answers_of(ask_canaries(EmbeddedClassifier(model)))
    if moved := find_moved(expected_answers(model.manifest, "embedded", ()), seen):
        found = "; ".join(moved)
        raise CommandError(
            f"Nothing was done: {version} does not answer its own canaries as it should: {found}.", WRONG
        )
