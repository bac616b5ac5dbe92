"""Share what commands have in common: adding them, options, the connection to AWS, and how failures are reported."""

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeAlias

from classifier_infra.endpoint.aws import CloudError, connect
from classifier_infra.endpoint.console import Console
from classifier_infra.endpoint.executor import FAILED, INVALID, Executor
from classifier_infra.endpoint.rollout import StrategyError
from classifier_infra.errors import CommandError
from classifier_infra.inference.model_store import StoreError, open_store
from classifier_infra.local.hosting import HostingError, check_name
from classifier_infra.model.artefact import ArtefactError
from classifier_infra.pricing.prices import PriceError

DEFAULT_ENDPOINT = "blazing-triage-dev"

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Command: TypeAlias = Callable[[argparse.Namespace, Executor], None]


def add_command(
    commands: Commands, name: str, summary: str, description: str, examples: str
) -> argparse.ArgumentParser:
    """Add a command to the parser and return its own parser."""
    return commands.add_parser(
        name,
        help=summary,
        description=description,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def set_aws_command(parser: argparse.ArgumentParser, failure: str, command: Command) -> None:
    """Have the parsed options' `run` call a command with connections to AWS and the model store.

    An error while the command inspects and plans becomes a CommandError whose message starts with `failure`.
    """

    def run(options: argparse.Namespace) -> None:
        with reported(failure):
            console = Console(asks=not getattr(options, "yes", True))
            command(options, Executor(connect(), open_store(options.store), console))

    parser.set_defaults(run=run)


def add_place(command: argparse.ArgumentParser) -> None:
    """Add the options that name the endpoint and the model store."""
    command.add_argument(
        "--endpoint-name",
        type=endpoint_name,
        default=DEFAULT_ENDPOINT,
        metavar="NAME",
        help="as in serverless.yml (default: %(default)s)",
    )
    command.add_argument("--store", required=True, metavar="S3_URL", help="the model store: s3://bucket/models")


def add_running(command: argparse.ArgumentParser) -> None:
    """Add the options of commands that change something."""
    command.add_argument("--yes", action="store_true", help="do not ask before the first step")
    command.add_argument("--dry-run", action="store_true", help="only show the steps")


def add_orphans(command: argparse.ArgumentParser, summary: str) -> None:
    """Add the options for resources that nothing uses any more."""
    command.add_argument("--orphans", action="store_true", help=summary)
    command.add_argument(
        "--keep", action="append", default=[], type=endpoint_name, metavar="NAME", help="another endpoint in use"
    )


def endpoint_name(text: str) -> str:
    """Check an endpoint's name, as an argument's type."""
    try:
        return check_name(text)
    except HostingError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


@contextmanager
def reported(failure: str) -> Iterator[None]:
    """Turn errors of AWS, the model store, models, prices and strategies into a CommandError."""
    try:
        yield
    except (CloudError, StoreError) as error:
        raise CommandError(f"{failure}: {error}.", FAILED) from error
    except (ArtefactError, PriceError, StrategyError) as error:
        raise CommandError(f"{failure}: {error}.", INVALID) from error
