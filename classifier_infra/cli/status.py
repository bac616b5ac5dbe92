"""`python -m classifier_infra status`: show an endpoint's model, cost and history, or orphaned resources."""

import argparse
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from classifier_infra.cli.options import Commands, add_command, add_orphans, add_place, set_aws_command
from classifier_infra.endpoint.autoscaling import Scaling
from classifier_infra.endpoint.aws import Clients, count_traffic, describe_endpoint, describe_scaling
from classifier_infra.endpoint.checks import describe_shape
from classifier_infra.endpoint.executor import UNHEALTHY, Executor
from classifier_infra.endpoint.history import Event
from classifier_infra.endpoint.inventory import Orphan, find_orphans, month_of, take_inventory
from classifier_infra.endpoint.requests import VARIANT, Deployment, Hosted, RealTime
from classifier_infra.endpoint.state import active_version, read_history
from classifier_infra.errors import CommandError
from classifier_infra.pricing.prices import Prices, load_prices

_EXAMPLES = """
examples:
  python -m classifier_infra status --store s3://my-models/models
  python -m classifier_infra status --store s3://my-models/models --orphans --keep blazing-triage-prod

exit codes: 0 all is well; 1 AWS or the model store failed; 2 the command is invalid; 3 the endpoint is not in service
or serves another model than active.json names, or (with --orphans) there are orphaned resources
"""
_DAY = timedelta(days=1)


def add_status(commands: Commands) -> None:
    """Add the command; the parsed options have `run`, a function of the options."""
    command = add_command(
        commands,
        "status",
        "show an endpoint's model, cost and history, or orphaned resources",
        "Show an endpoint, its model, scaling, traffic of the last day and history. Changes nothing.",
        _EXAMPLES,
    )
    add_place(command)
    add_orphans(command, "list resources that cost money and nothing uses")
    set_aws_command(command, "The status cannot be shown", _show)


def _show(options: argparse.Namespace, executor: Executor) -> None:
    show_orphans(options, executor) if options.orphans else show_status(options, executor)


def show_status(options: argparse.Namespace, executor: Executor) -> None:
    """Describe the endpoint; raise CommandError if it is unhealthy. Raises CloudError, StoreError and PriceError."""
    name, clients = options.endpoint_name, executor.clients
    hosted = describe_endpoint(clients, name)
    history = read_history(executor.store, name)
    if hosted is not None:
        scaling = describe_scaling(clients, name).scaling
        for line in describe(name, hosted, scaling, load_prices()):
            executor.console.say(line)
        executor.console.say(_traffic(clients, name))
    for line in describe_history(history):
        executor.console.say(line)
    if problem := find_problem(name, hosted, active_version(executor.store)):
        raise CommandError(f"{problem}.", UNHEALTHY)


def describe(name: str, hosted: Hosted, scaling: Scaling | None, prices: Prices) -> Iterator[str]:
    """Describe an endpoint, one fact per line."""
    yield f"{name}: {hosted.status}" + (f" ({hosted.reason})" if hosted.reason else "")
    if hosted.deployment:
        yield from _describe_deployment(hosted.deployment, hosted, prices)
    else:
        yield f"  runs {hosted.config}, which was not made by deploy"
    if hosted.pending:
        yield f"  is being changed to {hosted.pending}"
    if scaling:
        range_ = f"from {scaling.minimum} to {scaling.maximum} instances"
        yield f"  scales {range_}, at {scaling.invocations:g} invocations a minute for each"
    else:
        yield "  does not scale"


def _describe_deployment(deployment: Deployment, hosted: Hosted, prices: Prices) -> Iterator[str]:
    shape, capture = deployment.shape, deployment.capture
    yield f"  serves {deployment.model.version} ({hosted.config})"
    yield f"  on {describe_shape(shape)}" + (f", {hosted.count} now" if hosted.count else "")
    if isinstance(shape, RealTime):
        month = month_of(RealTime(shape.instance, hosted.count or shape.count), prices)
        price = f"about ${month:,.0f} a month" if month else f"{shape.instance} is not in the price table"
        yield f"  costs: {price} ({prices.region}, {prices.as_of})"
    if capture:
        yield f"  captures {capture.percentage}% of requests and answers to {capture.uri}"


def _traffic(clients: Clients, name: str) -> str:
    now = datetime.now(UTC)
    counted = count_traffic(clients, {"EndpointName": name, "VariantName": VARIANT}, now - _DAY, now)
    if not counted:
        return "  no invocations in the last day"
    failed = counted["errors_4xx"] + counted["errors_5xx"]
    invocations, latency = counted["invocations"], counted["latency_ms"]
    return f"  {invocations:,.0f} invocations in the last day, {failed:.1%} failed, {latency:.0f} ms each"


def describe_history(history: Sequence[Event]) -> Iterator[str]:
    """Describe the history, latest event first."""
    yield "History:" if history else "Nothing was ever deployed under this name with this store."
    for event in reversed(history):
        measured = ", ".join(f"{facet} {value:.1%}" for facet, value in event.metrics.get("test_accuracy", {}).items())
        about = "; ".join(part for part in (event.strategy, event.reason, measured) if part)
        yield f"  {event.at}  {event.action} {event.version}: {event.outcome}, by {event.by}" + (
            f" ({about})" if about else ""
        )


def find_problem(name: str, hosted: Hosted | None, active: str | None) -> str | None:
    """Return what is wrong with an endpoint, None if nothing is."""
    if hosted is None:
        return f"There is no endpoint {name}; make one with deploy"
    if not hosted.is_in_service:
        return f"The endpoint {name} is {hosted.status}"
    version = hosted.deployment.model.version if hosted.deployment else None
    if version != active:
        return (
            f"The endpoint serves {version}, and active.json names {active}: its answers are misread. Run the "
            "interrupted command again, or rollback"
        )
    return None


def show_orphans(options: argparse.Namespace, executor: Executor) -> None:
    """List the orphans; raise CommandError if there are any. Raises CloudError and PriceError."""
    prices = load_prices()
    in_use = {options.endpoint_name, *options.keep}
    orphans = list(find_orphans(take_inventory(executor.clients), in_use, prices))
    for line in describe_orphans(orphans):
        executor.console.say(line)
    if orphans:
        raise CommandError(
            "Delete them: python -m classifier_infra delete --orphans, with the same options.", UNHEALTHY
        )


def describe_orphans(orphans: Sequence[Orphan]) -> Iterator[str]:
    """Describe orphaned resources, the most expensive first."""
    for orphan in sorted(orphans, key=lambda orphan: -orphan.month):
        price = f"${orphan.month:,.2f} a month" if orphan.month else "free"
        yield f"  {orphan.kind:<14} {orphan.name}: {price}; {orphan.why}"
    yield f"{len(orphans)} orphaned resources, ${sum(orphan.month for orphan in orphans):,.2f} a month."
