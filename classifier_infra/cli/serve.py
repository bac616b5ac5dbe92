"""`python -m classifier_infra serve`: serve models on this machine as SageMaker would."""

import argparse
import os
import sys
from functools import partial
from pathlib import Path

from classifier_infra.cli.options import Commands, add_command, endpoint_name
from classifier_infra.errors import CommandError
from classifier_infra.local.app import create_app
from classifier_infra.local.capture import Capture
from classifier_infra.local.endpoint import Endpoint, variant_names
from classifier_infra.local.faults import KINDS, Fault, FaultError, parse_option
from classifier_infra.local.hosting import (
    ONLY_VARIANT,
    HostedEndpoint,
    HostedVariant,
    HostingError,
    open_endpoints,
    open_model,
    read_hosting,
)
from classifier_infra.local.server import LOOPBACK, address, listen, run
from classifier_infra.model.artefact import ArtefactError
from classifier_infra.model.model_file import ModelFileError

DEFAULT_NAME = "blazing-triage"

_EXAMPLES = f"""
examples:
  python -m classifier_infra serve build/models/starter --port 8080

  curl http://127.0.0.1:8080/endpoints/blazing-triage/invocations -H 'Content-Type: application/json' \\
       -d '{{"instances": ["i was charged twice !"], "configuration": {{"k": 3}}}}'

  export AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME=http://127.0.0.1:8080    # any region and credentials will do
  >>> runtime = boto3.client("sagemaker-runtime")
  >>> runtime.invoke_endpoint(EndpointName="blazing-triage", ContentType="application/json",
  ...                         Body='{{"instances": ["i was charged twice !"]}}')["Body"].read()

  python -m classifier_infra serve --endpoints endpoints.yml         # several endpoints, several variants of one:
    support:
      current: {{model: build/models/starter, weight: 9}}
      candidate: {{model: build/models/candidate, weight: 1}}

  python -m classifier_infra serve build/models/starter --fault throttled,times=3 --fault slow,seconds=2,share=0.5
  curl -X PUT http://127.0.0.1:8080/faults -d '{{"fault": "model-500", "endpoint": "blazing-triage"}}'
  curl -X DELETE http://127.0.0.1:8080/faults
  curl http://127.0.0.1:8080/counters

faults (docs/endpoint.md shows what boto3 raises for each):
{"".join(f"  {name:<14}{kind.meaning}{chr(10)}" for name, kind in KINDS.items())}
GET /ping and POST /invocations are the container's own paths; as a container, it is started with
  python -m classifier_infra serve /opt/ml/model --host 0.0.0.0
"""


def add_serve(commands: Commands) -> None:
    """Add the command; the parsed options have `run`, a function of the options."""
    command = add_command(
        commands,
        "serve",
        "serve a model on this machine as SageMaker would",
        "Serve a model folder as a SageMaker BlazingText endpoint on this machine.",
        _EXAMPLES,
    )
    served = command.add_mutually_exclusive_group(required=True)
    served.add_argument(
        "model",
        type=Path,
        nargs="?",
        metavar="MODEL_DIR",
        help="folder with model.tar.gz and manifest.json, or with the bare model.bin",
    )
    served.add_argument(
        "--endpoints", type=Path, metavar="FILE", help="YAML or JSON file of several endpoints, see below"
    )
    command.add_argument(
        "--endpoint-name",
        type=endpoint_name,
        metavar="NAME",
        help=f"the endpoint of MODEL_DIR (default: {DEFAULT_NAME})",
    )
    command.add_argument("--port", type=_port, default=8080, help="0 chooses a free port (default: %(default)s)")
    command.add_argument(
        "--host",
        default=LOOPBACK,
        help="0.0.0.0 inside a container only: requests are not authenticated (default: %(default)s)",
    )
    command.add_argument(
        "--fault", action="append", default=[], metavar="FAULT[,NAME=VALUE]", help="start with a fault switched on"
    )
    command.add_argument("--capture", type=Path, metavar="DIR", help="write requests and answers as data capture does")
    command.add_argument(
        "--capture-percentage",
        type=_percentage,
        default=100.0,
        metavar="P",
        help="percentage of requests to capture (default: 100)",
    )
    command.set_defaults(run=partial(_serve, command))


def _serve(parser: argparse.ArgumentParser, options: argparse.Namespace) -> None:
    """Serve until a signal ends it. Raises CommandError."""
    if options.endpoints and options.endpoint_name:
        parser.error("--endpoint-name needs a MODEL_DIR; with --endpoints the names are in the file")
    endpoints = _open(options)
    faults = [_parse_fault(text, endpoints, parser) for text in options.fault]
    capture = Capture(options.capture, options.capture_percentage) if options.capture else None
    try:
        listener = listen(options.host, options.port)
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        message = f"Port {options.port} cannot be used: {reason}. Choose another one with --port."
        raise CommandError(message, 1) from error
    with listener:
        sys.stdout.write(f"{_describe(endpoints)} at {address(listener)}\n")
        sys.stdout.flush()
        run(create_app(endpoints, faults, capture), listener)


def _open(options: argparse.Namespace) -> list[Endpoint]:
    try:
        return open_endpoints(_hosted(options), open_model)
    except HostingError as error:
        raise CommandError(f"These endpoints cannot be served. {error}", 2) from error
    except (ArtefactError, ModelFileError) as error:
        raise CommandError(f"This model cannot be served. {error}", 2) from error


def _hosted(options: argparse.Namespace) -> list[HostedEndpoint]:
    if options.endpoints:
        return read_hosting(options.endpoints)
    variant = HostedVariant(ONLY_VARIANT, options.model)
    return [HostedEndpoint(options.endpoint_name or DEFAULT_NAME, (variant,))]


def _parse_fault(text: str, endpoints: list[Endpoint], parser: argparse.ArgumentParser) -> Fault:
    try:
        return parse_option(text, variant_names(endpoints))
    except FaultError as error:
        parser.error(f"argument --fault: {error}")


def _describe(endpoints: list[Endpoint]) -> str:
    names = [f"{endpoint.name} ({', '.join(endpoint.variants)})" for endpoint in endpoints]
    return f"Serving {', '.join(names)}"


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port (0 to 65535)")
    return int(text)


def _percentage(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not a percentage over 0 and up to 100")
    return value
