"""Assemble a laboratory: ministack, the classifier, the stand-in Slack, the functions and their proxies."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import uvicorn

from benchmarks.faults.functions import (
    DeployedFunction,
    Event,
    FunctionDied,
    FunctionProcess,
    FunctionRaised,
    deliver_batch,
    preload_modules,
    read_deployment,
    visibility_seconds,
)
from benchmarks.faults.laboratory import Clock, Laboratory
from benchmarks.faults.proxy import Faults, Proxy, ProxyLoop
from bot.sandbox.gateway import Function, create_gateway, read_functions
from bot.sandbox.queue_poller import QueuePoller
from bot.sandbox.resources import CreatedResources, create_resources
from bot.sandbox.servers import ServerProcess, create_local_endpoint, create_ministack, free_port, serving
from bot.sandbox.slack.seed import build_workspace
from bot.sandbox.slack.server import Server, create_app
from bot.sandbox.slack.settings import Settings
from bot.sandbox.webhook_receiver import WebhookReceiver, create_webhook_receiver
from classifier_infra.local.server import LOOPBACK, address, listen

ROOT = Path(__file__).parents[2]
POLICY = Path(__file__).with_name("policy.yml")
ENDPOINT_NAME = "laboratory"
SIGNING_SECRET = "of-the-laboratory"
BOT_TOKEN = "xoxb-laboratory"
_REGION = "eu-central-1"

# Service → the environment variable with its URL.
_VARIABLES = {
    "slack": "SLACK_API_URL",
    "sqs": "AWS_ENDPOINT_URL_SQS",
    "dynamodb": "AWS_ENDPOINT_URL_DYNAMODB",
    "endpoint": "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME",
    "webhook": "WEBHOOK_STAND_IN",
}

# Shorter retry delays than Slack's own, because no fault needs longer to show.
_SLACK_TIMEOUT = 3.0
_SLACK_RETRIES = (0.0, 0.1, 0.2)


@contextmanager
def run_laboratory(model: Path, workers: int = 1, redelivery_seconds: int = 0) -> Iterator[Laboratory]:
    """Run the system with the model folder `model` until the `with` block ends.

    Each function that a queue feeds gets `workers` processes. A failed message is redelivered after
    `redelivery_seconds` of real time. Raises ProcessError when a part does not start.
    """
    deployed = read_deployment(ROOT / "serverless.yml")
    with ExitStack() as stack:
        upstreams, classifier = stack.enter_context(_upstreams(model))
        session = boto3.Session("laboratory", "laboratory", region_name=_REGION)
        sqs = session.client("sqs", endpoint_url=upstreams["sqs"])
        dynamodb = session.client("dynamodb", endpoint_url=upstreams["dynamodb"])
        created = create_resources(dynamodb, sqs, "laboratory")
        slack_socket, gateway_socket, webhook_socket = (stack.enter_context(listen(LOOPBACK, 0)) for _ in range(3))
        upstreams |= {"slack": address(slack_socket), "front": address(gateway_socket)}
        upstreams["webhook"] = address(webhook_socket)
        logs = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fault-laboratory-")))
        setup = _Setup(clock := Clock(), upstreams, created, model, logs)
        processes = setup.start_functions(deployed, workers)
        entry = setup.add_proxy("slack", "front")
        entry.down_seconds = sum(_SLACK_RETRIES) / 2  # shorter than Slack's retries take, so that it does not give up
        slack = create_app(build_workspace(clock), _slack_settings(entry.url, clock))
        laboratory = Laboratory(
            clock=clock,
            faults=setup.faults,
            installation=slack.state.installation,
            processes=processes,
            created=created,
            sqs=sqs,
            slack=setup.find("worker", "slack").url,
            page=upstreams["slack"],
            gateway=upstreams["front"],
            endpoint=upstreams["endpoint"],
            endpoint_pid=classifier.pid,
            signing_secret=SIGNING_SECRET,
            bot_token=BOT_TOKEN,
            proxies=setup.proxies,
            loop=setup.loop,
            webhooks=WebhookReceiver(),
        )
        stack.enter_context(closing(laboratory))
        stack.enter_context(serving(_gateway_server(laboratory), gateway_socket))
        stack.enter_context(serving(Server(slack), slack_socket))
        stack.enter_context(serving(create_webhook_receiver(laboratory.webhooks), webhook_socket))
        laboratory.pollers.extend(_build_pollers(laboratory, deployed, redelivery_seconds))
        for queue_poller in laboratory.pollers:
            queue_poller.start()
            stack.callback(queue_poller.stop)
        yield laboratory


@contextmanager
def _upstreams(model: Path) -> Iterator[tuple[dict[str, str], ServerProcess]]:
    """Run ministack and the classifier; yield the URL of each service, and the classifier's process."""
    classifier_port, aws_port = free_port(), free_port()
    ministack, classifier = create_ministack(aws_port), create_local_endpoint(model, classifier_port, ENDPOINT_NAME)
    with closing(ministack), closing(classifier):
        for server in (ministack, classifier):
            server.start()
        for server in (ministack, classifier):
            server.wait()
        aws, endpoint = (f"http://127.0.0.1:{port}" for port in (aws_port, classifier_port))
        yield {"sqs": aws, "dynamodb": aws, "endpoint": endpoint}, classifier


class _Setup:
    """Starts the functions' processes and their proxies."""

    def __init__(
        self, clock: Clock, upstreams: Mapping[str, str], created: CreatedResources, model: Path, logs: Path
    ) -> None:
        self.clock = clock
        self.faults = Faults()
        self.loop = ProxyLoop()
        self.proxies: list[Proxy] = []
        self._upstreams, self._created, self._model, self._logs = upstreams, created, model, logs

    def start_functions(self, deployed: tuple[DeployedFunction, ...], workers: int) -> dict[str, FunctionProcess]:
        """Return name → process. The name is the function's, with a number if it has several processes."""
        preload_modules(each.handler.rpartition(".")[0] for each in deployed)
        processes: dict[str, FunctionProcess] = {}
        for function in deployed:
            for name in _names(function, workers):
                processes[name] = self._process(function, name, processes)
        return processes

    def _process(
        self, function: DeployedFunction, name: str, processes: Mapping[str, FunctionProcess]
    ) -> FunctionProcess:
        def kill() -> None:
            processes[name].kill()

        proxies = [self.add_proxy(name, service, kill) for service in _VARIABLES]
        environment = {**function.environment(self._created), **self._environment(proxies)}
        return FunctionProcess(name, function.handler, environment, self._logs / name, function.timeout)

    def _environment(self, proxies: list[Proxy]) -> dict[str, str]:
        addresses = {_VARIABLES[proxy.service]: proxy.url for proxy in proxies}
        return {
            "AWS_ACCESS_KEY_ID": "laboratory",
            "AWS_SECRET_ACCESS_KEY": "laboratory",
            "AWS_DEFAULT_REGION": _REGION,
            **addresses,
            "SLACK_API_URL": f"{addresses['SLACK_API_URL']}/api/",
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "ENDPOINT_NAME": ENDPOINT_NAME,
            "MODEL_MANIFEST": str((self._model / "manifest.json").resolve()),
            "POLICY_FILE": str(POLICY),
            "SECONDS_BETWEEN_POSTS": "0.001",
            "POWERTOOLS_METRICS_NAMESPACE": "BlazingTriage",
            "POWERTOOLS_SERVICE_NAME": "blazing-triage",
            "POWERTOOLS_TRACE_DISABLED": "true",
            "SITE_ORIGIN": self._upstreams["front"],
        }

    def add_proxy(self, source: str, service: str, kill: Callable[[], None] = lambda: None) -> Proxy:
        proxy = Proxy(source, service, self.faults, kill, self._upstreams[service], self.clock.skip)
        self.loop.run(proxy.start())
        self.proxies.append(proxy)
        return proxy

    def find(self, source: str, service: str) -> Proxy:
        return next(each for each in self.proxies if each.source.startswith(source) and each.service == service)


def _names(function: DeployedFunction, workers: int) -> list[str]:
    if not function.queues or workers == 1:
        return [function.name]
    return [f"{function.name}-{number}" for number in range(1, workers + 1)]


def _slack_settings(front: str, clock: Clock) -> Settings:
    return Settings(
        signing_secret=SIGNING_SECRET,
        bot_token=BOT_TOKEN,
        events_url=f"{front}/slack/events",
        commands_url=f"{front}/slack/commands",
        interactivity_url=f"{front}/slack/interactive",
        timeout=_SLACK_TIMEOUT,
        signing_clock=clock,
        retry_delays=_SLACK_RETRIES,
    )


def _gateway_server(laboratory: Laboratory) -> uvicorn.Server:
    declared = read_functions(ROOT / "serverless.yml")

    def build(name: str) -> Function:
        return Function(name, lambda event, _: laboratory.invoke(name, event))

    functions = {route.function: build(route.function) for route in declared.routes}
    gateway = create_gateway(declared.routes, functions, ROOT / "static_site", [])
    # Quieter than the sandbox's: invocations fail on purpose.
    return uvicorn.Server(uvicorn.Config(gateway, log_level="critical", timeout_graceful_shutdown=2))


def _build_pollers(
    laboratory: Laboratory, deployed: tuple[DeployedFunction, ...], redelivery_seconds: int
) -> Iterator[QueuePoller]:
    for function in deployed:
        for name in laboratory.processes:
            if name == function.name or name.startswith(f"{function.name}-"):
                for queue in function.queues:
                    yield _build_poller(laboratory, name, queue, redelivery_seconds)


def _build_poller(laboratory: Laboratory, name: str, queue: str, redelivery_seconds: int) -> QueuePoller:
    hidden = visibility_seconds()[queue]
    others = sorted(each for each in laboratory.processes if each != name and each[:-1] == name[:-1])
    workers = tuple(partial(_handle, laboratory, each) for each in (name, *others))

    def deliver(event: dict[str, Any], _context: Any) -> Any:
        if any(int(each["attributes"]["ApproximateReceiveCount"]) > 1 for each in event["Records"]):
            laboratory.let_time_pass(hidden)
        elif any('"kind": "tidy"' in each["body"] for each in event["Records"]):
            laboratory.let_time_pass(0)  # the proxy has already skipped the message's delay of a minute
        if queue == "EffectsQueue":
            laboratory.restore()  # messages of that queue wait for longer than any service is down
        return deliver_batch(laboratory.delivery_mode, event, workers)

    url = laboratory.created.queues[queue]
    return QueuePoller(laboratory.sqs, url, Function(name, deliver), lambda _: redelivery_seconds)


def _handle(laboratory: Laboratory, name: str, event: Event) -> Any:
    try:
        return laboratory.invoke(name, event)
    except (FunctionDied, FunctionRaised):
        return {"batchItemFailures": [{"itemIdentifier": each["messageId"]} for each in event["Records"]]}
