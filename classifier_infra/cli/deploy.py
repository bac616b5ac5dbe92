"""`python -m classifier_infra deploy`: create an endpoint for a model."""

import argparse
from collections.abc import Iterator

from classifier_infra.cli.options import Commands, add_command, add_place, add_running, set_aws_command
from classifier_infra.endpoint.aws import Clients, CloudError, caller_arn, describe_endpoint, describe_role
from classifier_infra.endpoint.checks import find_problems, find_role_problem
from classifier_infra.endpoint.console import Console
from classifier_infra.endpoint.executor import INVALID, UNHEALTHY, Executor, RolledBack, refuse, run_steps
from classifier_infra.endpoint.history import Event
from classifier_infra.endpoint.plan import plan_deploy
from classifier_infra.endpoint.requests import (
    Capture,
    Deployment,
    Hosted,
    NotOffered,
    RealTime,
    Serverless,
    Shape,
    blazingtext_image,
)
from classifier_infra.endpoint.state import Chosen, accuracy_of, choose_model, inspect_state
from classifier_infra.errors import CommandError
from classifier_infra.pricing.prices import HOURS_A_MONTH, Prices, load_prices

_EXAMPLES = """
examples:
  python -m classifier_infra deploy build/models/starter --store s3://my-models/models \\
      --role arn:aws:iam::123456789012:role/sagemaker --dry-run
  python -m classifier_infra deploy build/models/starter --store s3://my-models/models \\
      --role arn:aws:iam::123456789012:role/sagemaker --serverless --memory 2048 --concurrency 5
  python -m classifier_infra deploy starter-6bdecd2540 --store s3://my-models/models --role … \\
      --instance ml.m5.large --instances 2 --tag team=support

MODEL is a model folder, or the version of a model in the store. After an interruption, the same command continues where
it stopped. To change the model of an existing endpoint, use promote. Region and credentials: as for every AWS tool.
Requests and answers are only kept with --capture.

exit codes: 0 done; 1 AWS or the model store failed; 2 the command or the model is invalid; 3 the endpoint is not in
service or fails its canaries
"""


def add_deploy(commands: Commands) -> None:
    """Add the command; the parsed options have `run`, a function of the options."""
    command = add_command(
        commands,
        "deploy",
        "create an endpoint for a model in AWS",
        "Create a SageMaker endpoint, real-time or serverless. The steps are shown before they are taken.",
        _EXAMPLES,
    )
    command.add_argument("model", metavar="MODEL", help="model folder, or version in the store")
    add_place(command)
    command.add_argument("--role", metavar="ARN", help="the role with which SageMaker reads the model")
    command.add_argument("--instance", metavar="TYPE", help="instance type, real-time (default: ml.c5.large)")
    command.add_argument(
        "--instances", type=int, metavar="N", help="number of instances; 2 for availability (default: 1)"
    )
    command.add_argument("--serverless", action="store_true", help="paid per call, slow after idle times")
    command.add_argument("--memory", type=int, metavar="MB", help="memory of a serverless endpoint (default: 2048)")
    command.add_argument(
        "--concurrency", type=int, metavar="N", help="concurrent calls of a serverless endpoint (default: 5)"
    )
    command.add_argument("--capture", metavar="S3_URL", help="store requests and answers here: customers' text")
    command.add_argument(
        "--capture-percentage", type=int, default=100, metavar="P", help="percentage of requests (default: 100)"
    )
    command.add_argument(
        "--tag", action="append", default=[], type=_tag, metavar="KEY=VALUE", help="a tag of everything that is created"
    )
    add_running(command)
    set_aws_command(command, "The endpoint cannot be deployed", deploy)


def _tag(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise argparse.ArgumentTypeError(f"{text!r} is not KEY=VALUE")
    return key, value


def deploy(options: argparse.Namespace, executor: Executor) -> None:
    """Create the endpoint. Raises CommandError, CloudError, StoreError and ArtefactError."""
    clients, store, console = executor.clients, executor.store, executor.console
    shape = _shape(options)
    prices = load_prices()
    chosen = choose_model(options.model, store)
    hosted = describe_endpoint(clients, options.endpoint_name)
    deployment = _deployment(options, clients, chosen, hosted, shape)
    refuse(_find_problems(deployment, clients, prices, console))
    refuse(_conflicts(deployment, hosted))
    state = inspect_state(clients, store, deployment, hosted, chosen.is_stored)
    event = Event(
        "deploy", chosen.model.version, deployment.config_name, by=caller_arn(clients), at="",
        metrics={"test_accuracy": accuracy_of(chosen.manifest)},
    )  # fmt: skip
    console.say(_price(deployment, prices))
    steps = plan_deploy(deployment, state, event, chosen.folder)
    try:
        run_steps(steps, executor.carry_out, console, options.dry_run)
    except RolledBack as error:
        raise CommandError(f"The endpoint is being changed by another command: {error}.", UNHEALTHY) from error


def _shape(options: argparse.Namespace) -> Shape:
    if not options.serverless:
        if options.memory or options.concurrency:
            raise CommandError("--memory and --concurrency are for --serverless.", INVALID)
        count = 1 if options.instances is None else options.instances
        return RealTime(options.instance or "ml.c5.large", count)
    if options.instance or options.instances:
        raise CommandError("A serverless endpoint has no instances: leave out --serverless, or the instances.", INVALID)
    return Serverless(options.memory or 2048, options.concurrency or 5)


def _deployment(
    options: argparse.Namespace, clients: Clients, chosen: Chosen, hosted: Hosted | None, shape: Shape
) -> Deployment:
    role = options.role or (hosted.deployment.role if hosted and hosted.deployment else None)
    if role is None:
        raise CommandError("Name the role with which SageMaker reads the model: --role.", INVALID)
    try:
        image = blazingtext_image(clients.region)
    except NotOffered as error:
        raise CommandError(f"{error}.", INVALID) from error
    capture = Capture(options.capture, options.capture_percentage) if options.capture else None
    return Deployment(options.endpoint_name, chosen.model, image, role, shape, capture, dict(options.tag))


def _find_problems(deployment: Deployment, clients: Clients, prices: Prices, console: Console) -> Iterator[str]:
    """Yield what prevents a deployment from working; the console is told what could not be checked."""
    yield from find_problems(deployment, prices)
    shape = deployment.shape
    if isinstance(shape, RealTime) and shape.instance not in prices.instances:
        console.say(f"Not checked: the memory of {shape.instance}, which is not in the price table.")
    try:
        role = describe_role(clients, deployment.role)
    except CloudError as error:
        console.say(f"Not checked: {error}.")
        return
    if role is None:
        yield f"there is no role {deployment.role}; create one that SageMaker may assume and that reads the bucket"
    elif problem := find_role_problem(role):
        yield problem


def _conflicts(deployment: Deployment, hosted: Hosted | None) -> Iterator[str]:
    if hosted is None or (hosted.config == deployment.config_name and hosted.status != "Failed"):
        return
    name = deployment.endpoint
    if hosted.status in {"Failed", "OutOfService", "Deleting"}:
        yield f"the endpoint {name} is {hosted.status} ({hosted.reason or 'no reason given'}); delete it, then deploy"
    else:
        yield f"the endpoint {name} has another model or shape ({hosted.config}); to change its model: promote"


def _price(deployment: Deployment, prices: Prices) -> str:
    shape = deployment.shape
    if isinstance(shape, Serverless):
        second = prices.serverless_gb_second * shape.memory / 1024
        return f"It costs ${second:.6f} for each second of work, and nothing while it is idle ({prices.as_of})."
    if shape.instance not in prices.instances:
        return f"The price of {shape.instance} is not in the price table of {prices.as_of}."
    month = shape.count * prices.instance(shape.instance).hour * HOURS_A_MONTH
    return f"It costs about ${month:,.0f} a month, used or not (list price of {prices.region}, {prices.as_of})."
