"""`python -m classifier_infra promote` and `rollback`: change the model of an endpoint that is in service."""

import argparse
from dataclasses import dataclass, replace

from classifier_infra.cli.options import Commands, add_command, add_place, add_running, set_aws_command
from classifier_infra.endpoint.aws import caller_arn, describe_endpoint
from classifier_infra.endpoint.checks import find_problems
from classifier_infra.endpoint.executor import FAILED, INVALID, UNHEALTHY, Executor, RolledBack, refuse, run_steps
from classifier_infra.endpoint.history import ROLLED_BACK, Event, version_to_go_back_to
from classifier_infra.endpoint.plan import CurrentState, plan_after_rollback, plan_update
from classifier_infra.endpoint.requests import Deployment, Hosted
from classifier_infra.endpoint.rollout import AT_ONCE, KINDS, Limits, Strategy, check_strategy
from classifier_infra.endpoint.state import (
    Chosen,
    accuracy_of,
    choose_model,
    inspect_state,
    read_history,
    rollback_alarms,
)
from classifier_infra.errors import CommandError
from classifier_infra.inference.fallback import EmbeddedClassifier
from classifier_infra.inference.loader import ask_canaries, load_stored_model
from classifier_infra.inference.model_store import ModelStore
from classifier_infra.model.canaries import answers_of, expected_answers, find_moved
from classifier_infra.model.model import load_model
from classifier_infra.pricing.prices import load_prices

_PROMOTE_EXAMPLES = """
examples:
  python -m classifier_infra promote build/models/new --store s3://my-models/models
  python -m classifier_infra promote support-2-0123456789 --store s3://my-models/models --percent 10 --wait 900 \\
      --error-percent 0.5 --latency-ms 100
  python -m classifier_infra promote build/models/new --store s3://my-models/models --strategy linear --percent 20
  python -m classifier_infra promote build/models/new --store s3://my-models/models --strategy all-at-once --bake 600

canary: --percent of the new fleet gets traffic for --wait seconds, then all of it; linear: --percent more every --wait
seconds. Alarms on errors and latency of the new fleet alone are made first; when one goes off, SageMaker rolls back by
itself. The old fleet stays for --bake seconds more. active.json is changed last, so that functions never read answers
of a model that does not serve. A canary needs two instances; all-at-once works with one.

exit codes: 0 the new model serves; 1 AWS or the model store failed; 2 the command or the model is invalid, or traffic
cannot be moved in this way; 3 SageMaker rolled back to the old model, or the new one fails its canaries
"""

_ROLLBACK_EXAMPLES = """
examples:
  python -m classifier_infra rollback --store s3://my-models/models --yes
  python -m classifier_infra rollback --store s3://my-models/models --to support-0123456789

The default is the version that was in service before this one (status shows the history). All traffic moves at once,
without a canary. Instance type and number stay as they are now.

exit codes: 0 the earlier model serves; 1 AWS or the model store failed; 2 no such version; 3 it fails its canaries
"""


def add_promote(commands: Commands) -> None:
    """Add the command; the parsed options have `run`, a function of the options."""
    default, limits = Strategy(), Limits()
    command = add_command(
        commands,
        "promote",
        "bring another model into service step by step",
        "Change an endpoint to another model, blue/green, with alarms that roll it back.",
        _PROMOTE_EXAMPLES,
    )
    command.add_argument("model", metavar="MODEL", help="model folder, or version in the store")
    add_place(command)
    command.add_argument("--strategy", choices=KINDS, default=default.kind, help="(default: %(default)s)")
    command.add_argument(
        "--percent",
        type=int,
        default=default.percent,
        metavar="P",
        help="of the new fleet per step, 1 to 50 (default: 25)",
    )
    command.add_argument("--wait", type=int, default=default.wait, metavar="S", help="seconds per step (default: 300)")
    command.add_argument(
        "--bake", type=int, default=default.bake, metavar="S", help="seconds the old fleet stays (default: 300)"
    )
    command.add_argument(
        "--error-percent",
        type=float,
        default=limits.error_percent,
        metavar="P",
        help="limit of failed invocations (default: 1)",
    )
    command.add_argument(
        "--latency-ms",
        type=float,
        default=limits.latency_ms,
        metavar="MS",
        help="limit of the 99th percentile (default: 500)",
    )
    add_running(command)
    set_aws_command(command, "The model cannot be promoted", promote)


def add_rollback(commands: Commands) -> None:
    """Add the command; the parsed options have `run`, a function of the options."""
    command = add_command(
        commands,
        "rollback",
        "return to an earlier model",
        "Change an endpoint back to a model that served before, at once.",
        _ROLLBACK_EXAMPLES,
    )
    add_place(command)
    command.add_argument("--to", metavar="VERSION", help="any version of the store (default: the one before)")
    add_running(command)
    set_aws_command(command, "The endpoint cannot be rolled back", rollback)


def promote(options: argparse.Namespace, executor: Executor) -> None:
    """Bring the model into service. Raises ArtefactError, and what _change does."""
    limits = Limits(options.error_percent, options.latency_ms)
    wait = 0 if options.strategy == "all-at-once" else options.wait
    strategy = Strategy(options.strategy, options.percent, wait, options.bake, limits)
    chosen = choose_model(options.model, executor.store)
    _check_canaries(chosen, executor.store)
    _change(_Change("promote", options.endpoint_name, chosen, strategy, options.dry_run), executor)


def rollback(options: argparse.Namespace, executor: Executor) -> None:
    """Bring an earlier version into service. Raises ArtefactError, and what _change does."""
    name = options.endpoint_name
    _, current = _find_changeable(name, executor, options.dry_run)
    version = options.to or version_to_go_back_to(read_history(executor.store, name), current.model.version)
    if version is None:
        raise CommandError(f"No earlier version of {name} is known; name one of the store with --to.", INVALID)
    chosen = choose_model(version, executor.store)
    _change(_Change("rollback", name, chosen, AT_ONCE, options.dry_run), executor)


def _check_canaries(chosen: Chosen, store: ModelStore) -> None:
    """Refuse a model that fails its own canaries in this process. Models too large for it are not checked."""
    version = chosen.manifest.version
    model = load_model(chosen.folder, in_memory=True) if chosen.folder else load_stored_model(store, version, True)
    if model.artefact is None:
        return
    answers = answers_of(ask_canaries(EmbeddedClassifier(model)))
    if moved := find_moved(expected_answers(model.manifest, "embedded", ()), answers):
        refuse([f"{version} does not answer its own canaries as it should: {'; '.join(moved)}"])


@dataclass(frozen=True, slots=True)
class _Change:
    """A promotion or rollback: the endpoint, the model it should serve, and how traffic is moved."""

    action: str
    endpoint: str
    chosen: Chosen
    strategy: Strategy
    dry_run: bool


def _change(change: _Change, executor: Executor) -> None:
    """Bring another model into service. Raises CommandError, CloudError, StoreError, PriceError and StrategyError."""
    hosted, current = _find_changeable(change.endpoint, executor, change.dry_run)
    deployment = current.with_model(change.chosen.model)
    refuse(find_problems(deployment, load_prices()))
    if deployment.config_name not in (hosted.config, hosted.pending):
        check_strategy(change.strategy, hosted)
    # SageMaker accepts no deployment configuration, and so no alarms, for a serverless endpoint.
    strategy = AT_ONCE if hosted.count is None else change.strategy
    state = inspect_state(executor.clients, executor.store, deployment, hosted, change.chosen.is_stored)
    event = Event(
        change.action, change.chosen.model.version, deployment.config_name, by=caller_arn(executor.clients), at="",
        strategy=change.strategy.kind, metrics={"test_accuracy": accuracy_of(change.chosen.manifest)},
    )  # fmt: skip
    steps = plan_update(deployment, state, strategy, event, change.chosen.folder)
    try:
        run_steps(steps, executor.carry_out, executor.console, change.dry_run)
    except RolledBack as error:
        _record_rollback(error, deployment, event, state, executor)


def _find_changeable(endpoint: str, executor: Executor, dry_run: bool) -> tuple[Hosted, Deployment]:
    """Return an endpoint that can be changed, after changes in progress. Raises CommandError and CloudError."""
    hosted = describe_endpoint(executor.clients, endpoint)
    if hosted is not None and hosted.is_busy and hosted.pending is None and not dry_run:
        executor.console.say(f"The endpoint {endpoint} is {hosted.status}: waiting until that is over …")
        hosted = executor.settle(endpoint)
    if hosted is None:
        raise CommandError(f"There is no endpoint {endpoint}; make one with deploy.", FAILED)
    if hosted.deployment is None:
        raise CommandError(f"The endpoint {endpoint} was not made by deploy; its model cannot be changed here.", FAILED)
    if hosted.status in {"Failed", "OutOfService", "Deleting"}:
        raise CommandError(f"The endpoint {endpoint} is {hosted.status}; delete it, then deploy.", UNHEALTHY)
    return hosted, hosted.deployment


def _record_rollback(
    error: RolledBack, deployment: Deployment, event: Event, state: CurrentState, executor: Executor
) -> None:
    """Delete the alarms and record the rollback that SageMaker made by itself, then raise CommandError."""
    outcome = replace(event, outcome=ROLLED_BACK, reason=str(error))
    executor.console.say(f"{error}. active.json still names {state.active}; cleaning up …")
    for step in plan_after_rollback(deployment, rollback_alarms(executor.clients, deployment.endpoint), outcome):
        executor.carry_out(step.action)
    raise CommandError(
        f"{event.version} is not in service: {error}. The endpoint's own logs say more: "
        f"/aws/sagemaker/Endpoints/{deployment.endpoint}.",
        UNHEALTHY,
    )
