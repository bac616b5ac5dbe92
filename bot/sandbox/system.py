"""Assemble the sandbox on 127.0.0.1: ministack, the classifier, the Lambda handlers and the stand-in Slack."""

import importlib
import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import boto3
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from bot.sandbox.gateway import Function, create_gateway, read_functions
from bot.sandbox.queue_poller import QueuePoller
from bot.sandbox.resources import CreatedResources, create_resources
from bot.sandbox.scheduler import Scheduler, read_rates
from bot.sandbox.servers import ServerProcess, create_local_endpoint, create_ministack, free_port, serving
from bot.sandbox.slack.seed import build_field_workspace, build_workspace
from bot.sandbox.slack.server import Server, create_app
from bot.sandbox.slack.settings import OAuth, Settings
from bot.sandbox.webhook_receiver import WebhookReceiver, create_webhook_receiver
from classifier_infra.local.server import LOOPBACK, address, listen

ROOT = Path(__file__).parents[2]
POLICY = Path(__file__).with_name("policy.yml")
PRICES = ROOT / "classifier_infra" / "prices.json"
ENDPOINT_NAME = "blazing-triage"
BOT_TOKEN = "xoxb-sandbox"  # noqa: S105, valid for the stand-in only
CLIENT_ID, CLIENT_SECRET = "1.sandbox", "secret-of-the-sandbox"
# The second workspace, where the bot can be installed through OAuth.
FIELD_TEAM = "T1FIELD"


@dataclass(frozen=True, slots=True)
class Addresses:
    """The URLs of the parts, without trailing slashes."""

    slack: str
    gateway: str
    classifier: str
    aws: str
    webhooks: str


@contextmanager
def run_system(model: Path, port: int) -> Iterator[Addresses]:
    """Run everything until the `with` block ends.

    `model` is a model folder. The Slack page is at `port`, the gateway (API and demo page) at the next one; 0 picks
    free ports. Changes `os.environ`, which the handlers read as they do in Lambda. Raises ProcessError when a part does
    not start and OSError when a port is taken.
    """
    with ExitStack() as stack:
        slack_socket = stack.enter_context(listen(LOOPBACK, port))
        gateway_socket = stack.enter_context(listen(LOOPBACK, port and port + 1))
        webhook_socket = stack.enter_context(listen(LOOPBACK, 0))
        ministack = stack.enter_context(closing(create_ministack(ministack_port := free_port())))
        classifier = stack.enter_context(
            closing(create_local_endpoint(model, classifier_port := free_port(), ENDPOINT_NAME))
        )
        addresses = Addresses(
            slack=address(slack_socket),
            gateway=address(gateway_socket),
            classifier=f"http://127.0.0.1:{classifier_port}",
            aws=f"http://127.0.0.1:{ministack_port}",
            webhooks=address(webhook_socket),
        )
        ministack.start()
        classifier.start()
        signing_secret = os.environ.get("SLACK_SIGNING_SECRET") or secrets.token_hex(16)
        os.environ.update(_environment(addresses, model, signing_secret))
        functions, gateway = _build_gateway(addresses, classifier)
        slack = _build_slack(addresses, signing_secret)
        ministack.wait()
        created = create_resources(boto3.client("dynamodb"), boto3.client("sqs"), "sandbox")
        os.environ.update(_resource_environment(created))
        classifier.wait()
        stack.enter_context(serving(gateway, gateway_socket))
        stack.enter_context(serving(create_webhook_receiver(WebhookReceiver()), webhook_socket))
        stack.enter_context(serving(slack, slack_socket))
        for queue in ("TriageQueue", "EffectsQueue", "SwitchesQueue"):
            queue_poller = QueuePoller(boto3.client("sqs"), created.queues[queue], functions["worker"])
            queue_poller.start()
            stack.callback(queue_poller.stop)
        for name, seconds in read_rates(ROOT / "serverless.yml").items():
            scheduler = Scheduler(functions[name], seconds)
            scheduler.start()
            stack.callback(scheduler.stop)
        yield addresses


def _environment(addresses: Addresses, model: Path, signing_secret: str) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL_SQS": addresses.aws,
        "AWS_ENDPOINT_URL_DYNAMODB": addresses.aws,
        "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": addresses.classifier,
        "ENDPOINT_NAME": ENDPOINT_NAME,
        "MODEL_MANIFEST": str(model / "manifest.json"),
        "POLICY_FILE": str(POLICY),
        "PRICES_FILE": str(PRICES),
        "POWERTOOLS_LOG_LEVEL": os.environ.get("POWERTOOLS_LOG_LEVEL", "WARNING"),
        "POWERTOOLS_METRICS_NAMESPACE": "BlazingTriage",
        "POWERTOOLS_SERVICE_NAME": "blazing-triage",
        "POWERTOOLS_TRACE_DISABLED": "true",
        "SITE_ORIGIN": addresses.gateway,
        "WEBHOOK_STAND_IN": addresses.webhooks,
        "SLACK_API_URL": f"{addresses.slack}/api/",
        "SLACK_BOT_TOKEN": BOT_TOKEN,
        "SLACK_SIGNING_SECRET": signing_secret,
        "SLACK_WORKSPACES": FIELD_TEAM,
        "SLACK_CLIENT_ID": CLIENT_ID,
        "SLACK_CLIENT_SECRET": CLIENT_SECRET,
        "SLACK_REDIRECT_URI": _redirect_uri(addresses),
    }


def _redirect_uri(addresses: Addresses) -> str:
    return f"{addresses.gateway}/slack/oauth_redirect"


def _resource_environment(created: CreatedResources) -> dict[str, str]:
    return {
        "LEDGER_TABLE": created.tables["LedgerTable"],
        "INSTALLATIONS_TABLE": created.tables["InstallationsTable"],
        "TRIAGE_QUEUE_URL": created.queues["TriageQueue"],
        "SWITCHES_QUEUE_URL": created.queues["SwitchesQueue"],
        "EFFECTS_QUEUE_URL": created.queues["EffectsQueue"],
        "DEAD_LETTER_QUEUE_URL": created.queues["TriageDeadLetterQueue"],
    }


def _build_gateway(addresses: Addresses, classifier: ServerProcess) -> tuple[dict[str, Function], Starlette]:
    declared = read_functions(ROOT / "serverless.yml")
    functions = {name: _load(name, handler) for name, handler in declared.handlers.items()}
    return functions, create_gateway(
        declared.routes, functions, ROOT / "static_site", _control_routes(addresses, classifier)
    )


def _load(name: str, handler: str) -> Function:
    module, _, attribute = handler.rpartition(".")
    return Function(name, getattr(importlib.import_module(module), attribute))


def _control_routes(addresses: Addresses, classifier: ServerProcess) -> list[BaseRoute]:
    """Build routes that list the parts' addresses, and stop and start the classifier to try an outage."""

    def show(request: Request) -> Response:
        names = {name: os.environ[name] for name in ("ENDPOINT_NAME", "LEDGER_TABLE", "TRIAGE_QUEUE_URL")}
        return JSONResponse({"addresses": asdict(addresses), "names": names, "classifier": classifier.running})

    def stop(request: Request) -> Response:
        classifier.stop()
        return show(request)

    def start(request: Request) -> Response:
        classifier.start()
        classifier.wait()
        return show(request)

    return [
        Route("/sandbox", show),
        Route("/sandbox/classifier/stop", stop, methods=["POST"]),
        Route("/sandbox/classifier/start", start, methods=["POST"]),
    ]


def _build_slack(addresses: Addresses, signing_secret: str) -> Server:
    settings = Settings(
        signing_secret=signing_secret,
        bot_token=BOT_TOKEN,
        events_url=f"{addresses.gateway}/slack/events",
        commands_url=f"{addresses.gateway}/slack/commands",
        interactivity_url=f"{addresses.gateway}/slack/interactive",
        demo_url=f"{addresses.gateway}/",
        oauth=OAuth(CLIENT_ID, CLIENT_SECRET, frozenset({_redirect_uri(addresses)})),
    )
    return Server(create_app(build_workspace(), settings, [build_field_workspace()]))
