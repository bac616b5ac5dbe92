"""`python -m classifier_infra autoscale`: let AWS adjust the number of instances to the traffic."""

import argparse

from classifier_infra.cli.options import Commands, add_command, add_place, add_running, set_aws_command
from classifier_infra.endpoint.autoscaling import Scaling, ScalingError, check_scaling
from classifier_infra.endpoint.aws import describe_endpoint, describe_scaling
from classifier_infra.endpoint.checks import describe_shape
from classifier_infra.endpoint.executor import FAILED, INVALID, Executor, run_steps
from classifier_infra.endpoint.plan import plan_autoscale
from classifier_infra.endpoint.state import find_model
from classifier_infra.errors import CommandError
from classifier_infra.pricing.prices import load_prices

_EXAMPLES = """
examples:
  python -m classifier_infra autoscale --store s3://my-models/models --min 2 --max 6 --invocations-per-instance 3000
  python -m classifier_infra autoscale --store s3://my-models/models --off

With --min 2 or more, SageMaker spreads the instances over availability zones, so that the failure of one is not an
outage. --invocations-per-instance is a mean per minute: take half of what one instance can handle.

exit codes: 0 done; 1 AWS or the model store failed; 2 the command is invalid, or the endpoint cannot be scaled
"""


def add_autoscale(commands: Commands) -> None:
    """Add the command; the parsed options have `run`, a function of the options."""
    command = add_command(
        commands,
        "autoscale",
        "let AWS add and remove instances with the traffic",
        "Set auto scaling of a real-time endpoint: target tracking on invocations per instance.",
        _EXAMPLES,
    )
    add_place(command)
    command.add_argument("--min", type=int, default=2, metavar="N", help="least instances (default: 2)")
    command.add_argument("--max", type=int, default=4, metavar="N", help="most instances (default: 4)")
    command.add_argument(
        "--invocations-per-instance", type=float, default=3000, metavar="N", help="per minute (default: 3000)"
    )
    command.add_argument("--scale-in-cooldown", type=int, default=300, metavar="S", help="(default: 300 seconds)")
    command.add_argument("--scale-out-cooldown", type=int, default=60, metavar="S", help="(default: 60 seconds)")
    command.add_argument("--off", action="store_true", help="end auto scaling")
    add_running(command)
    set_aws_command(command, "Auto scaling cannot be set", autoscale)


def autoscale(options: argparse.Namespace, executor: Executor) -> None:
    """Set or end auto scaling. Raises CommandError, CloudError, StoreError and PriceError."""
    scaling = None if options.off else _scaling(options)
    if scaling:
        _check(options.endpoint_name, scaling, executor)
    steps = plan_autoscale(options.endpoint_name, scaling, describe_scaling(executor.clients, options.endpoint_name))
    run_steps(steps, executor.carry_out, executor.console, options.dry_run)


def _check(name: str, scaling: Scaling, executor: Executor) -> None:
    hosted = describe_endpoint(executor.clients, name)
    if hosted is None:
        raise CommandError(f"There is no endpoint {name}; make one with deploy.", FAILED)
    deployment = hosted.deployment
    model_bytes = find_model(executor.store, deployment.model.version)[0].model_bytes if deployment else 0
    try:
        check_scaling(scaling, hosted, load_prices(), model_bytes)
    except ScalingError as error:
        raise CommandError(f"Nothing was done: {error}.", INVALID) from error
    if deployment:
        shape = describe_shape(deployment.shape)
        executor.console.say(f"{name} has {hosted.count} instances now; it was deployed with {shape}.")


def _scaling(options: argparse.Namespace) -> Scaling:
    return Scaling(
        minimum=options.min,
        maximum=options.max,
        invocations=options.invocations_per_instance,
        in_cooldown=options.scale_in_cooldown,
        out_cooldown=options.scale_out_cooldown,
    )
