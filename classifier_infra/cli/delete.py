"""`python -m classifier_infra delete`: an endpoint and all that was made for it, or what belongs to nobody."""

import argparse

from classifier_infra.cli.options import add_kept, add_place, add_running, reported
from classifier_infra.endpoint.aws import caller, connect, look_at_scaling
from classifier_infra.endpoint.console import console_for
from classifier_infra.endpoint.executor import Executor, run_steps
from classifier_infra.endpoint.history import DELETED, Event
from classifier_infra.endpoint.inventory import find_orphans, take_inventory
from classifier_infra.endpoint.plan import plan_delete, plan_delete_orphans
from classifier_infra.endpoint.state import active_version, read_history
from classifier_infra.inference.model_store import open_store
from classifier_infra.pricing.prices import load_prices

_EXAMPLES = """
examples:
  python -m classifier_infra delete --endpoint-name blazing-triage-dev --store s3://my-models/models --dry-run
  python -m classifier_infra delete --orphans --keep blazing-triage-prod --store s3://my-models/models

Without its endpoint a function of CLASSIFIER=endpoint fails, one of endpoint-with-fallback answers by itself. Models in
the store and active.json stay, so that deploy can bring the endpoint back. --orphans deletes what `status --orphans`
lists, --endpoint-name and --keep excepted; what does not carry this service's tag is never deleted, but for alarms on
endpoints that are gone.

exit codes: 0 done; 1 AWS or the store said no; 2 the command is wrong; 3 the endpoint does not go away
"""


def add_delete(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to a parser; the parsed options then have `run`, which takes them."""
    command = commands.add_parser(
        "delete",
        help="delete an endpoint, or what belongs to nobody",
        description="Delete an endpoint with its configurations, models, alarms and auto scaling; or the orphans.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_place(command)
    command.add_argument("--orphans", action="store_true", help="what belongs to nobody instead of an endpoint")
    add_kept(command)
    add_running(command)
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    """Raises CommandError."""
    with reported("Nothing can be deleted"):
        delete(options, Executor(connect(), open_store(options.store), console_for(asks=not options.yes)))


def delete(options: argparse.Namespace, executor: Executor) -> None:
    """Raises CommandError, CloudError, StoreError and PriceError."""
    inventory = take_inventory(executor.clients)
    name = options.endpoint_name
    if options.orphans:
        steps = plan_delete_orphans(list(find_orphans(inventory, {name, *options.keep}, load_prices())))
    else:
        scaled = look_at_scaling(executor.clients, name)
        version = active_version(executor.store) or "?"
        event = Event("delete", version, "", by=caller(executor.clients), at="", outcome=DELETED)
        steps = plan_delete(name, inventory, scaled, read_history(executor.store, name), event)
    run_steps(steps, executor.carry_out, executor.console, options.dry_run)
