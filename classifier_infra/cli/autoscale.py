"""`python -m classifier_infra autoscale`: as many instances as the traffic needs."""

import argparse

from classifier_infra.cli.options import add_place, add_running, reported
from classifier_infra.endpoint.autoscaling import Scaling, ScalingError, check_scaling
from classifier_infra.endpoint.aws import connect, look_at_endpoint, look_at_scaling
from classifier_infra.endpoint.checks import describe_shape
from classifier_infra.endpoint.console import console_for
from classifier_infra.endpoint.executor import FAILED, WRONG, Executor, run_steps
from classifier_infra.endpoint.plan import plan_autoscale
from classifier_infra.endpoint.state import find_model
from classifier_infra.errors import CommandError
from classifier_infra.inference.model_store import open_store
from classifier_infra.pricing.prices import load_prices

_EXAMPLES = """
examples:
  python -m classifier_infra autoscale --store s3://my-models/models --min 2 --max 6 --invocations-per-instance 3000
  python -m classifier_infra autoscale --store s3://my-models/models --off

With --min 2 and more, SageMaker spreads the instances over zones, and one that fails is no outage; with 1 it is.
--invocations-per-instance is a mean a minute: take half of what one instance was seen to bear.

exit codes: 0 done; 1 AWS or the store said no; 2 the command is wrong, or the endpoint cannot be scaled
"""


def add_autoscale(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command to a parser; the parsed options then have `run`, which takes them."""
    command = commands.add_parser(
        "autoscale",
        help="let AWS add and remove instances by the traffic",
        description="Set auto scaling of a real-time endpoint: target tracking on invocations per instance.",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_place(command)
    command.add_argument("--min", type=int, default=2, metavar="N", help="instances at least (default: 2)")
    command.add_argument("--max", type=int, default=4, metavar="N", help="instances at most (default: 4)")
    command.add_argument(
        "--invocations-per-instance", type=float, default=3000, metavar="N", help="a minute (default: 3000)"
    )
    command.add_argument("--scale-in-cooldown", type=int, default=300, metavar="S", help="(default: 300 seconds)")
    command.add_argument("--scale-out-cooldown", type=int, default=60, metavar="S", help="(default: 60 seconds)")
    command.add_argument("--off", action="store_true", help="end auto scaling")
    add_running(command)
    command.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    """Raises CommandError."""
    with reported("Auto scaling cannot be set"):
        autoscale(options, Executor(connect(), open_store(options.store), console_for(asks=not options.yes)))


def autoscale(options: argparse.Namespace, executor: Executor) -> None:
    """Raises CommandError, CloudError, StoreError and PriceError."""
    name = options.endpoint_name
    hosted = look_at_endpoint(executor.clients, name)
    scaling = None if options.off else _scaling(options)
    if scaling:
        if hosted is None:
            raise CommandError(f"There is no endpoint {name}; make one with deploy.", FAILED)
        deployment = hosted.deployment
        model_bytes = find_model(executor.store, deployment.model.version)[0].model_bytes if deployment else 0
        try:
            check_scaling(scaling, hosted, load_prices(), model_bytes)
        except ScalingError as error:
            raise CommandError(f"Nothing was done: {error}.", WRONG) from error
        if deployment:
            executor.console.say(
                f"{name} has {hosted.count} now; it was deployed with {describe_shape(deployment.shape)}."
            )
    steps = plan_autoscale(name, scaling, look_at_scaling(executor.clients, name))
    run_steps(steps, executor.carry_out, executor.console, options.dry_run)


def _scaling(options: argparse.Namespace) -> Scaling:
    return Scaling(
        least=options.min,
        most=options.max,
        invocations=options.invocations_per_instance,
        in_cooldown=options.scale_in_cooldown,
        out_cooldown=options.scale_out_cooldown,
    )
