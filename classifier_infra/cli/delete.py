"""`python -m classifier_infra delete`: delete an endpoint with all that was made for it, or orphaned resources."""

import argparse

from classifier_infra.cli.options import Commands, add_command, add_orphans, add_place, add_running, set_aws_command
from classifier_infra.endpoint.aws import caller_arn, describe_scaling
from classifier_infra.endpoint.executor import Executor, run_steps
from classifier_infra.endpoint.history import DELETED, Event
from classifier_infra.endpoint.inventory import find_orphans, take_inventory
from classifier_infra.endpoint.plan import plan_delete, plan_delete_orphans
from classifier_infra.endpoint.state import active_version, read_history
from classifier_infra.pricing.prices import load_prices

_EXAMPLES = """
examples:
  python -m classifier_infra delete --endpoint-name blazing-triage-dev --store s3://my-models/models --dry-run
  python -m classifier_infra delete --orphans --keep blazing-triage-prod --store s3://my-models/models

Without its endpoint, a function with CLASSIFIER=endpoint fails; one with endpoint-with-fallback answers by itself.
Models in the store and active.json stay, so that deploy can bring the endpoint back. --orphans deletes what
`status --orphans` lists, except --endpoint-name and --keep. Resources without this service's tag are never deleted,
except alarms on endpoints that no longer exist.

exit codes: 0 done; 1 AWS or the model store failed; 2 the command is invalid; 3 the endpoint is not deleted in time
"""


def add_delete(commands: Commands) -> None:
    """Add the command; the parsed options have `run`, a function of the options."""
    command = add_command(
        commands,
        "delete",
        "delete an endpoint, or orphaned resources",
        "Delete an endpoint with its configurations, models, alarms and auto scaling; or the orphans.",
        _EXAMPLES,
    )
    add_place(command)
    add_orphans(command, "delete orphaned resources instead of an endpoint")
    add_running(command)
    set_aws_command(command, "Nothing can be deleted", delete)


def delete(options: argparse.Namespace, executor: Executor) -> None:
    """Delete an endpoint or the orphans. Raises CommandError, CloudError, StoreError and PriceError."""
    inventory = take_inventory(executor.clients)
    name = options.endpoint_name
    if options.orphans:
        steps = plan_delete_orphans(list(find_orphans(inventory, {name, *options.keep}, load_prices())))
    else:
        scaling = describe_scaling(executor.clients, name)
        version = active_version(executor.store) or "?"
        event = Event("delete", version, "", by=caller_arn(executor.clients), at="", outcome=DELETED)
        steps = plan_delete(name, inventory, scaling, read_history(executor.store, name), event)
    run_steps(steps, executor.carry_out, executor.console, options.dry_run)
