"""The main job, done by the archives: each function is a process of Lambda's Python with only its archive.

It gets its declared environment, and each call to AWS is checked against its role.
"""

import fnmatch
import html
import json
import platform
import re
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import boto3
import httpx2
import pytest
import uvicorn

from bot.sandbox.gateway import create_gateway, read_functions
from bot.sandbox.queue_poller import QueuePoller
from bot.sandbox.resources import create_resources
from bot.sandbox.servers import ServerProcess, free_port, serving
from bot.sandbox.slack.seed import build_field_workspace, build_workspace
from bot.sandbox.slack.server import Server, create_app
from bot.sandbox.slack.settings import OAuth, Settings
from classifier_infra.local.server import LOOPBACK, address, listen

ROOT = Path(__file__).parents[2]
STARTER = ROOT / "build" / "models" / "starter"
SIGNING_SECRET = "a signing secret"
BOT_TOKEN = "xoxb-token"
CLIENT_ID, CLIENT_SECRET = "1.2", "a client secret"
MODEL_BUCKET = "models-of-the-team"
AWS = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": "us-east-1"}
PATIENCE_SECONDS = 90.0

pytestmark = [
    pytest.mark.node,
    pytest.mark.stack,
]

# Lambda's part: start the handler once and call it with each event. Calls to AWS are printed beside the answers.
RUN = """
import importlib, json, os, sys, traceback, types

answers = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
sys.path.insert(0, sys.argv[2])
import botocore.client

calls, call = [], botocore.client.BaseClient._make_api_call
NAMES = ("TableName", "QueueUrl", "SecretId", "EndpointName", "Bucket")

def things(given):
    for write in given.get("TransactItems", ()):
        yield from ((inside["TableName"], kind) for kind, inside in write.items())
    yield from ((name, "") for name in given.get("RequestItems", ()))
    yield from (("/".join(filter(None, (given[key], given.get("Key") if key == "Bucket" else None))), "")
                for key in NAMES if key in given)

def told(client, operation, given):
    calls.append([client.meta.service_model.service_name, operation, [*things(given)]])
    return call(client, operation, given)

botocore.client.BaseClient._make_api_call = told

module, _, name = sys.argv[1].rpartition(".")
handler = getattr(importlib.import_module(module), name)
context = types.SimpleNamespace(
    function_name="function", memory_limit_in_mb=1024, aws_request_id="request",
    invoked_function_arn="arn:aws:lambda:us-east-1:123456789012:function:function",
    get_remaining_time_in_millis=lambda: 1000 * int(sys.argv[3]),
)
for line in sys.stdin:
    try:
        outcome = ["answered", handler(json.loads(line), context)]
    except Exception as error:
        traceback.print_exc()
        outcome = ["raised", type(error).__name__]
    answers.write(json.dumps([*outcome, calls]) + "\\n")
    answers.flush()
    calls.clear()
"""


@dataclass(frozen=True)
class Call:
    """A call to AWS: the permission that it needs, and the name of its resource."""

    action: str
    resource: str


class DeployedFunction:
    """A function in its own process, which handles one event at a time like an instance in Lambda."""

    def __init__(self, name: str, command: list[str], folder: Path, environment: Mapping[str, str]) -> None:
        self.name = name
        self.calls: set[Call] = set()
        self._busy = Lock()
        self._log = (folder.parent / f"{name}.log").open("w+")
        self._process = subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def invoke(self, event: Any) -> Any:
        with self._busy:
            self._process.stdin.write(json.dumps(event) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        assert line, f"{self.name} ended: {self.log()}"
        outcome, value, calls = json.loads(line)
        self.calls |= {call for each in calls for call in _permissions_of(*each)}
        if outcome == "raised":
            raise RuntimeError(f"{self.name} raised {value}: {self.log()}")
        return value

    def log(self) -> str:
        return Path(self._log.name).read_text()[-3000:]

    def close(self) -> None:
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()
        self._log.close()


IN_A_TRANSACTION = {"Put": "PutItem", "Update": "UpdateItem", "Delete": "DeleteItem"}
OTHER_NAMES = {"HeadObject": "GetObject", "ListObjectsV2": "ListBucket"}


def _permissions_of(service: str, operation: str, things: list[tuple[str, str]]) -> Iterator[Call]:
    """Read a call that the process printed; its resources are pairs of name and, in a transaction, kind of write."""
    prefix = service.removesuffix("-runtime")
    for name, kind in things:
        action = IN_A_TRANSACTION.get(kind) or OTHER_NAMES.get(operation, operation)
        yield Call(f"{prefix}:{action}", name.rpartition("/")[2] if service == "sqs" else name)


@dataclass(frozen=True)
class Deployment:
    """The running system, seen from outside. `roles` has the permissions of each function: (action, name pattern)."""

    slack: str
    gateway: str
    functions: Mapping[str, DeployedFunction]
    roles: Mapping[str, list[tuple[str, str]]]

    def write(self, text: str) -> str:
        message = {"channel": "C0SUPPORT", "user": "U0MAYA", "text": text}
        return httpx2.post(f"{self.slack}/sandbox/messages", json=message, timeout=30).raise_for_status().json()["ts"]

    def install(self, workspace: str) -> str:
        """Install the bot in a workspace as a person does in a browser, and return the last page."""
        offered = httpx2.get(f"{self.gateway}/slack/install", timeout=30).raise_for_status()
        cookie = offered.headers["set-cookie"].partition(";")[0]
        question = httpx2.get(_links(offered.text)["Add to Slack"], timeout=30).raise_for_status()
        allowed = httpx2.get(question.url.join(_links(question.text)[f"Allow in {workspace}"]), timeout=30)
        back = httpx2.get(allowed.headers["location"], headers={"cookie": cookie}, timeout=30)
        return back.raise_for_status().text

    def press(self, message: Mapping[str, Any], action: Mapping[str, Any], block: str, **chosen: Any) -> None:
        where = {"channel": "C0SUPPORT", "user": "U0ANNA", "ts": message["ts"], "block_id": block, "chosen": chosen}
        fields = {**where, "action_id": action["action_id"]}
        httpx2.post(f"{self.slack}/sandbox/actions", json=fields, timeout=30).raise_for_status()

    def messages(self, channel: str) -> list[dict[str, Any]]:
        state = httpx2.get(f"{self.slack}/sandbox/state", timeout=30).raise_for_status().json()
        return next(each["messages"] for each in state["channels"] if each["id"] == channel)

    def until(self, look: Callable[[], Any], what: str) -> Any:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (seen := look()):
            assert time.monotonic() < deadline, f"no {what}: {self.functions['worker'].log()}"
            time.sleep(0.05)
        return seen

    def denied(self) -> set[tuple[str, Call]]:
        """Return the calls that IAM would have refused."""
        return {
            (name, call)
            for name, function in self.functions.items()
            for call in function.calls
            if not any(
                call.action == action and fnmatch.fnmatchcase(call.resource, pattern)
                for action, pattern in self.roles[name]
            )
        }


def _links(page: str) -> dict[str, str]:
    """Return the links of a page: text → address."""
    return {text: html.unescape(target) for target, text in re.findall(r'<a href="([^"]*)">([^<]*)', page)}


@pytest.fixture(scope="module")
def deployment(template, archives, python_of_lambda, ministack_url, moto_url, tmp_path_factory) -> Iterator[Deployment]:
    with ExitStack() as stack:
        clients = {name: _client(name, ministack_url) for name in ("dynamodb", "sqs")}
        created = create_resources(clients["dynamodb"], clients["sqs"], f"deployed-{time.time_ns()}")
        slack_socket, gateway_socket = (stack.enter_context(listen(LOOPBACK, 0)) for _ in range(2))
        redirect_uri = f"{address(gateway_socket)}/slack/oauth_redirect"
        names = {**created.tables, "ModelBucket": MODEL_BUCKET, "redirect_uri": redirect_uri}
        _keep_secret_and_models(template, moto_url)
        endpoint = (
            f"{template.resources['WorkerLambdaFunction']['Properties']['Environment']['Variables']['ENDPOINT_NAME']}"
        )
        classifier = stack.enter_context(closing(_classifier(endpoint, port := free_port())))
        classifier.start()
        of_lambda = {
            **AWS,
            "AWS_DEFAULT_REGION": AWS["AWS_REGION"],
            "AWS_ENDPOINT_URL_SQS": ministack_url,
            "AWS_ENDPOINT_URL_DYNAMODB": ministack_url,
            "AWS_ENDPOINT_URL_SECRETS_MANAGER": moto_url,
            "AWS_ENDPOINT_URL_S3": moto_url,
            "AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME": f"http://127.0.0.1:{port}",
            "SLACK_API_URL": f"{address(slack_socket)}/api/",
        }
        folder = tmp_path_factory.mktemp("deployed")
        declared = read_functions(ROOT / "serverless.yml")
        functions = {}
        for name, path in archives("arm64" if platform.machine() == "aarch64" else "x86_64").items():
            with zipfile.ZipFile(path) as archive:
                archive.extractall(folder / name)
            resource = template.resources[f"{name.capitalize()}LambdaFunction"]["Properties"]
            variables = resource["Environment"]["Variables"]
            environment = {key: _fill(value, names, created.queues) for key, value in variables.items()}
            if "SLACK_WORKSPACES" in environment:
                environment["SLACK_WORKSPACES"] = "T1FIELD"
            if "POLICY_FILE" in environment:  # the one that fits the stand-in's workspace
                environment["POLICY_FILE"] = str(ROOT / "bot" / "sandbox" / "policy.yml")
            arguments = [resource["Handler"], str(folder / name), str(resource["Timeout"])]
            command = [str(python_of_lambda), "-IS", "-c", RUN, *arguments]
            functions[name] = DeployedFunction(name, command, folder / name, {**of_lambda, **environment})
            stack.callback(functions[name].close)
        classifier.wait()
        gateway = create_gateway(declared.routes, functions, ROOT / "static_site", [])
        slack = _slack(address(gateway_socket))
        stack.enter_context(serving(uvicorn.Server(uvicorn.Config(gateway, log_level="warning")), gateway_socket))
        stack.enter_context(serving(slack, slack_socket))
        for queue in ("TriageQueue", "EffectsQueue", "SwitchesQueue"):
            pump = QueuePoller(clients["sqs"], created.queues[queue], functions["worker"])
            pump.start()
            stack.callback(pump.stop)
        roles = {name: _role(template, name, names, created.queues) for name in functions}
        yield Deployment(address(slack_socket), address(gateway_socket), functions, roles)


def _client(service: str, url: str) -> Any:
    return boto3.Session("local", "local", region_name=AWS["AWS_REGION"]).client(service, endpoint_url=url)


def _keep_secret_and_models(template, moto_url: str) -> None:
    secrets = {
        "SlackSecret": {"signing_secret": SIGNING_SECRET, "bot_token": BOT_TOKEN},
        "SlackOauthSecret": {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET},
    }
    for name, value in secrets.items():
        secret = template.resources[name]["Properties"]["Name"]
        _client("secretsmanager", moto_url).create_secret(Name=secret, SecretString=json.dumps(value))
    _client("s3", moto_url).create_bucket(Bucket=MODEL_BUCKET)


def _classifier(endpoint: str, port: int) -> ServerProcess:
    arguments = ["classifier_infra", "serve", str(STARTER), "--port", str(port), "--endpoint-name", endpoint]
    return ServerProcess(sys.executable, arguments, f"http://127.0.0.1:{port}/ping", {"PYTHONPATH": str(ROOT)})


def _slack(gateway: str) -> Server:
    urls = {"events_url": "events", "commands_url": "commands", "interactivity_url": "interactive"}
    settings = Settings(
        signing_secret=SIGNING_SECRET,
        bot_token=BOT_TOKEN,
        timeout=30.0,
        oauth=OAuth(CLIENT_ID, CLIENT_SECRET, frozenset({f"{gateway}/slack/oauth_redirect"})),
        **{name: f"{gateway}/slack/{path}" for name, path in urls.items()},
    )
    return Server(create_app(build_workspace(), settings, [build_field_workspace()]))


def _fill(value: Any, names: Mapping[str, str], queues: Mapping[str, str]) -> str:
    """Return the value that CloudFormation would substitute for a reference."""
    match value:
        case {"Ref": str(name)}:
            return {**names, **queues}[name]
        case {"Fn::Sub": "https://${SiteDistribution.DomainName}"}:
            return "https://d111111abcdef8.cloudfront.net"
        case {"Fn::Sub": "s3://${ModelBucket}/models"}:
            return f"s3://{MODEL_BUCKET}/models"
        case {"Fn::Sub": str(text)} if text.endswith("/slack/oauth_redirect"):
            return names["redirect_uri"]
    assert isinstance(value, str), value
    return value


def _role(template, function: str, names: Mapping[str, str], queues: Mapping[str, str]) -> list[tuple[str, str]]:
    role = template.resources[f"{function.capitalize()}Role"]["Properties"]
    secrets = {name: each["Name"] for name, each in template.of_type("AWS::SecretsManager::Secret").items()}
    known = {**names, **{name: url.rpartition("/")[2] for name, url in queues.items()}, **secrets}
    return [
        (action, _pattern(resource, known))
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        for action in _as_list(statement["Action"])
        for resource in _as_list(statement["Resource"])
    ]


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _pattern(resource: Any, known: Mapping[str, str]) -> str:
    match resource:
        case {"Fn::GetAtt": [str(name), "Arn"]} | {"Ref": str(name)}:
            return known.get(name, name)
        case {"Fn::Sub": str(text)} if text.startswith("${ModelBucket.Arn}"):
            return text.replace("${ModelBucket.Arn}", known["ModelBucket"])
        case {"Fn::Sub": str(text)}:
            return text.rpartition("/")[2]
    raise AssertionError(f"no name for {resource}")


def test_a_message_is_triaged_corrected_and_swept_within_the_roles(deployment):
    ts = deployment.write("I was charged twice for my subscription this month, please refund one of the payments")
    reply = deployment.until(
        lambda: [each for each in deployment.messages("C0SUPPORT") if each.get("thread_ts") == ts and each["ts"] != ts],
        "reply in the thread",
    )[0]
    link = f"p{ts.replace('.', '')}"
    deployment.until(lambda: link in json.dumps(deployment.messages("C0BILLING")), "post to the team")
    swept = deployment.functions["scheduled"].invoke({})
    block, button = next(
        (block["block_id"], element)
        for block in reply["blocks"]
        if block["type"] == "actions"
        for element in block["elements"]
        if element["type"] == "button"
    )
    deployment.press(reply, button, block)
    deployment.until(lambda: deployment.functions["interactive"].calls, "press")

    assert "Billing" in json.dumps(reply)
    assert swept["missing"] == 0
    assert deployment.denied() == set()


def test_a_second_workspace_installs_the_bot_is_served_and_leaves_within_the_roles(deployment):
    installed = deployment.install("Field office")
    field = f"{deployment.slack}/workspaces/T1FIELD"
    message = {"channel": "C1SUPPORT", "user": "U1NORA", "text": "I was charged twice, please refund one payment"}
    ts = httpx2.post(f"{field}/sandbox/messages", json=message, timeout=30).raise_for_status().json()["ts"]

    def replies():
        state = httpx2.get(f"{field}/sandbox/state", timeout=30).json()
        messages = state["channels"][0]["messages"]
        return [each for each in messages if each.get("thread_ts") == ts and each["ts"] != ts]

    (reply,) = deployment.until(replies, "reply in the second workspace")
    deployment.functions["scheduled"].invoke({})
    httpx2.post(f"{field}/sandbox/uninstall", json={}, timeout=30).raise_for_status()
    gone = "dynamodb:DeleteItem"
    deployment.until(
        lambda: [
            each
            for each in deployment.functions["worker"].calls
            if each.action == gone and each.resource.endswith("InstallationsTable")
        ],
        "removal of the token",
    )

    assert "Blazing Triage is in Field office" in installed
    assert "Billing" in json.dumps(reply)
    assert reply["user"] == "U1BOT"
    assert deployment.denied() == set()


def test_the_api_answers_from_the_endpoint_within_its_role(deployment):
    answer = httpx2.put(f"{deployment.gateway}/blazingtext", json={"body": "I was charged twice"}, timeout=30)

    assert answer.json()["category"]["name"] == "Billing"
    assert answer.json()["model"]["served_by"] == "endpoint"
    assert Call("sagemaker:InvokeEndpoint", "blazing-triage-dev") in deployment.functions["classify"].calls
    assert deployment.denied() == set()


@pytest.mark.parametrize(("path", "method"), [("/slack/events", "POST"), ("/blazingtext", "PUT")])
def test_a_body_that_is_too_long_is_refused(deployment, path, method):
    body = json.dumps({"body": "x" * 1_100_000}).encode()
    answer = httpx2.request(
        method, f"{deployment.gateway}{path}", content=body, headers={"content-type": "application/json"}, timeout=30
    )

    assert answer.status_code == 413
