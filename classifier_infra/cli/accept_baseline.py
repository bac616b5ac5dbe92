"""`python -m classifier_infra accept-baseline`: accept the answers that a model gives to its canaries now."""

import argparse
import sys
from datetime import UTC, datetime

from classifier_infra.cli.options import Commands, add_command
from classifier_infra.errors import CommandError
from classifier_infra.inference.classifier import ClassifierError
from classifier_infra.inference.endpoint import EndpointClassifier, EndpointSettings, build_endpoint
from classifier_infra.inference.fallback import EmbeddedClassifier
from classifier_infra.inference.loader import ask_canaries, load_stored_model
from classifier_infra.inference.model_store import (
    ACCEPTED,
    ActiveVersion,
    ModelStore,
    StoreError,
    open_store,
    read_active_version,
)
from classifier_infra.model.artefact import ArtefactError
from classifier_infra.model.canaries import Baseline, answers_of, baselines_json, expected_answers, find_moved
from classifier_infra.model.model import Model

_EXAMPLES = """
A classifier whose canaries moved only makes suggestions. Find out why they moved; if the new answers are as good (a new
container that rounds differently, say), accept them. accepted.json, beside active.json, keeps by whom, when and why.

examples:
  python -m classifier_infra accept-baseline s3://my-models/models --endpoint-name blazing-triage --dry-run
  python -m classifier_infra accept-baseline s3://my-models/models --endpoint-name blazing-triage \\
      --by ann --reason "container of November, same test accuracy"
  python -m classifier_infra accept-baseline build/models --embedded --by ann --reason "new fastText loader"

exit codes: 0 done, or nothing moved; 1 the model or its store is unavailable; 2 the command is invalid;
3 canaries moved (with --dry-run)
"""
_MOVED = 3


def add_accept_baseline(commands: Commands) -> None:
    """Add the command; the parsed options have `run`, a function of the options."""
    command = add_command(
        commands,
        "accept-baseline",
        "accept the answers that the active model gives to its canaries now",
        "Compare the answers to the active model's canaries with those expected, and accept those that moved.",
        _EXAMPLES,
    )
    command.add_argument("store", metavar="MODEL_SOURCE", help="s3://bucket/prefix, or the folder with active.json")
    served = command.add_mutually_exclusive_group(required=True)
    served.add_argument("--endpoint-name", metavar="NAME", help="ask this endpoint")
    served.add_argument("--embedded", action="store_true", help="ask the model in this process")
    command.add_argument("--by", metavar="WHO", help="who accepts; recorded")
    command.add_argument("--reason", metavar="WHY", help="why the new answers are as good; recorded")
    command.add_argument("--dry-run", action="store_true", help="only show what moved")
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    """Compare and accept the canaries. Raises CommandError."""
    if not options.dry_run and not (options.by and options.reason):
        raise CommandError("To accept, give --by and --reason. To only compare: --dry-run.", 2)
    try:
        _compare_and_accept(open_store(options.store), options)
    except (StoreError, ArtefactError, ClassifierError) as error:
        raise CommandError(f"The canaries cannot be compared: {error}.", 1) from error


def _compare_and_accept(store: ModelStore, options: argparse.Namespace) -> None:
    active = read_active_version(store, ActiveVersion())
    if active.version is None:
        raise CommandError("No model is in use: there is no active.json.", 1)
    model = load_stored_model(store, active.version, in_memory=options.embedded)
    classifier = _build(model, options.endpoint_name)
    served_by = "endpoint" if options.endpoint_name else "embedded"
    seen = answers_of(ask_canaries(classifier))
    moved = find_moved(expected_answers(model.manifest, served_by, active.baselines), seen)
    for line in moved:
        _say(line)
    if not moved:
        _say(f"All {len(seen)} canaries of {active.version} hold; there is nothing to accept.")
    elif options.dry_run:
        raise CommandError("The classifier only suggests until this is accepted or fixed.", _MOVED)
    else:
        now = datetime.now(UTC).isoformat(timespec="seconds")
        baseline = Baseline(active.version, served_by, options.by, now, options.reason, seen)
        store.write(ACCEPTED, baselines_json([*active.baselines, baseline]))
        _say("Accepted. Running functions take it over within a minute or two.")


def _build(model: Model, endpoint_name: str | None) -> EndpointClassifier | EmbeddedClassifier:
    if endpoint_name:
        return EndpointClassifier(build_endpoint(EndpointSettings(endpoint_name), lambda event: None), model)
    if model.artefact is None:
        raise CommandError("This model is too large to answer in this process.", 1)
    return EmbeddedClassifier(model)


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
