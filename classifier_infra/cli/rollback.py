"""`python -m classifier_infra rollback`: back to an earlier model, in one command."""

import argparse

from classifier_infra.cli.options import add_place, add_running, reported
from classifier_infra.cli.update import Change, carry_out_change, look_at_changeable
from classifier_infra.endpoint.aws import connect
from classifier_infra.endpoint.console import console_for
from classifier_infra.endpoint.executor import WRONG, Executor
from classifier_infra.endpoint.history import version_to_go_back_to
from classifier_infra.endpoint.rollout import AT_ONCE
from classifier_infra.endpoint.state import choose_model, read_history
from classifier_infra.errors import CommandError
from classifier_infra.inference.model_store import open_store

_EXAMPLES = """
examples:
  python -m classifier_infra rollback --store s3://my-models/models --yes
  python -m classifier_infra rollback --store s3://my-models/models --to support-0123456789

Without --to it is the version that was in service before this one (status shows the history). All traffic moves at
once, without a canary: what is left should be left. Instance type and number stay as they are now.

exit codes: 0 the earlier model serves; 1 AWS or the store said no; 2 no such version; 3 it does not answer as it should
"""


def add_rollback(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to a parser; the parsed options then have `run`, which takes them."""
    command = commands.add_parser(
        "rollback",
        help="back to an earlier model",
        description="Change an endpoint back to a model that served before, at once.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_place(command)
    command.add_argument("--to", metavar="VERSION", help="any version of the store (default: the one before)")
    add_running(command)
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    """Raises CommandError."""
    with reported("The endpoint cannot be rolled back"):
        rollback(options, Executor(connect(), open_store(options.store), console_for(asks=not options.yes)))


def rollback(options: argparse.Namespace, executor: Executor) -> None:
    """Raises what carry_out_change does, and ArtefactError."""
    name = options.endpoint_name
    _, current = look_at_changeable(name, executor, options.dry_run)
    version = options.to or version_to_go_back_to(read_history(executor.store, name), current.model.version)
    if version is None:
        raise CommandError(f"No earlier version of {name} is known; name one of the store with --to.", WRONG)
    chosen = choose_model(version, executor.store)
    carry_out_change(Change("rollback", name, chosen, AT_ONCE, options.dry_run), executor)
