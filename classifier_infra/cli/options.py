"""Options that several commands share, and how their failures reach a person."""

import argparse
from collections.abc import Iterator
from contextlib import contextmanager

from classifier_infra.endpoint.aws import CloudError
from classifier_infra.endpoint.executor import FAILED, WRONG
from classifier_infra.endpoint.rollout import StrategyError
from classifier_infra.errors import CommandError
from classifier_infra.inference.model_store import StoreError
from classifier_infra.local.hosting import HostingError, check_name
from classifier_infra.model.artefact import ArtefactError
from classifier_infra.pricing.prices import PriceError

DEFAULT_ENDPOINT = "blazing-triage-dev"


def add_place(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--endpoint-name",
        type=endpoint_name,
        default=DEFAULT_ENDPOINT,
        metavar="NAME",
        help="as in serverless.yml (default: %(default)s)",
    )
    command.add_argument("--store", required=True, metavar="S3_URL", help="where models are kept: s3://bucket/models")


def add_running(command: argparse.ArgumentParser) -> None:
    command.add_argument("--yes", action="store_true", help="do not ask before the first step")
    command.add_argument("--dry-run", action="store_true", help="only say what would be done")


def add_kept(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--keep", action="append", default=[], type=endpoint_name, metavar="NAME", help="an endpoint that is needed too"
    )


def endpoint_name(text: str) -> str:
    try:
        return check_name(text)
    except HostingError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


@contextmanager
def reported(what: str) -> Iterator[None]:
    """Turn what can fail while a command looks and plans into a CommandError."""
    try:
        yield
    except (CloudError, StoreError) as error:
        raise CommandError(f"{what}: {error}.", FAILED) from error
    except (ArtefactError, PriceError, StrategyError) as error:
        raise CommandError(f"{what}: {error}.", WRONG) from error
