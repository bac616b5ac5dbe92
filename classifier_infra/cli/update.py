"""The change of an endpoint to another model: what promotion and rollback have in common."""

from dataclasses import dataclass, replace

from classifier_infra.endpoint.aws import caller, look_at_endpoint
from classifier_infra.endpoint.checks import find_problems
from classifier_infra.endpoint.executor import FAILED, NOT_AS_IT_SHOULD, WRONG, Executor, WentBack, run_steps
from classifier_infra.endpoint.history import ROLLED_BACK, Event
from classifier_infra.endpoint.plan import Seen, plan_after_rollback, plan_update
from classifier_infra.endpoint.requests import Deployment, Hosted
from classifier_infra.endpoint.rollout import AT_ONCE, Strategy, check_strategy
from classifier_infra.endpoint.state import Chosen, accuracy_of, observe, rollback_alarms
from classifier_infra.errors import CommandError
from classifier_infra.pricing.prices import load_prices


@dataclass(frozen=True, slots=True)
class Change:
    """What is to be done: `promote` or `rollback`, of which endpoint, to which model, how."""

    action: str
    endpoint: str
    chosen: Chosen
    strategy: Strategy
    dry_run: bool = False


def carry_out_change(change: Change, executor: Executor) -> None:
    """Bring another model into service. Raises CommandError, CloudError, StoreError, PriceError and StrategyError."""
    hosted, current = look_at_changeable(change.endpoint, executor, change.dry_run)
    deployment = current.with_model(change.chosen.model)
    if problems := list(find_problems(deployment, load_prices())):
        raise CommandError("\n".join(["Nothing was done:", *(f"  - {problem}." for problem in problems)]), WRONG)
    if deployment.config_name not in (hosted.config, hosted.pending):
        check_strategy(change.strategy, hosted)
    # SageMaker takes no deployment configuration for what has no instances, and so no alarms.
    strategy = AT_ONCE if hosted.count is None else change.strategy
    seen = observe(executor.clients, executor.store, deployment, hosted, change.chosen.is_stored)
    event = _event(change, deployment, caller(executor.clients))
    steps = plan_update(deployment, seen, strategy, event, change.chosen.folder)
    try:
        run_steps(steps, executor.carry_out, executor.console, change.dry_run)
    except WentBack as error:
        _write_down(error, deployment, event, seen, executor)


def look_at_changeable(endpoint: str, executor: Executor, dry_run: bool) -> tuple[Hosted, Deployment]:
    """Look at an endpoint that can be changed, once what is under way has ended. Raises CommandError, CloudError."""
    hosted = look_at_endpoint(executor.clients, endpoint)
    if hosted is not None and hosted.is_busy and hosted.pending is None and not dry_run:
        executor.console.say(f"The endpoint {endpoint} is {hosted.status}: waiting until that is over …")
        hosted = executor.settle(endpoint)
    if hosted is None:
        raise CommandError(f"There is no endpoint {endpoint}; make one with deploy.", FAILED)
    if hosted.deployment is None:
        raise CommandError(f"The endpoint {endpoint} was not made by deploy; its model cannot be changed here.", FAILED)
    if hosted.status in {"Failed", "OutOfService", "Deleting"}:
        raise CommandError(f"The endpoint {endpoint} is {hosted.status}; delete it, then deploy.", NOT_AS_IT_SHOULD)
    return hosted, hosted.deployment


def _event(change: Change, deployment: Deployment, by: str) -> Event:
    metrics = {"test_accuracy": accuracy_of(change.chosen.manifest)}
    version = change.chosen.model.version
    return Event(
        change.action, version, deployment.config_name, by, at="", strategy=change.strategy.kind, metrics=metrics
    )


def _write_down(error: WentBack, deployment: Deployment, event: Event, seen: Seen, executor: Executor) -> None:
    """Tidy up after SageMaker went back, write it down, and raise CommandError."""
    told = replace(event, outcome=ROLLED_BACK, reason=str(error))
    executor.console.say(f"{error}. active.json still names {seen.active}; tidying up …")
    for step in plan_after_rollback(deployment, rollback_alarms(executor.clients, deployment.endpoint), told):
        executor.carry_out(step.action)
    raise CommandError(
        f"{event.version} is not in service: {error}. The endpoint's own logs say more: "
        f"/aws/sagemaker/Endpoints/{deployment.endpoint}.",
        NOT_AS_IT_SHOULD,
    )
