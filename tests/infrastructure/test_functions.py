"""Each function starts from its archive in Lambda's Python, with its declared environment and nothing else."""

import json
import platform
import subprocess
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from bot.sandbox.gateway import build_event
from bot.sandbox.resources import read_resources, table_arguments

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / "build" / "models" / "starter" / "manifest.json"
REGION = "eu-central-1"
MODEL_BUCKET = "models-of-the-team"

# Optional variables: settings of the logger, those of the classifier with a default, the prices and more workspaces.
OPTIONAL = ("POWERTOOLS_", "CLASSIFIER", "ENDPOINT_TYPE", "MODEL_SOURCE", "PRICES_FILE", "SLACK_WORKSPACES")

pytestmark = pytest.mark.node

# Lambda's part: import the handler, call it with the event, and print the answer.
RUN = """
import importlib, json, sys, types

sys.path.insert(0, sys.argv[2])
module, _, name = sys.argv[1].rpartition(".")
handler = getattr(importlib.import_module(module), name)
context = types.SimpleNamespace(
    function_name="function", memory_limit_in_mb=1024, aws_request_id="request",
    invoked_function_arn="arn:aws:lambda:eu-central-1:123456789012:function:function",
    get_remaining_time_in_millis=lambda: 5000,
)
answer = handler(json.load(sys.stdin), context)
print("ANSWER", json.dumps(answer))
"""


@dataclass(frozen=True, slots=True)
class Started:
    """The functions as deployed: the folders of their files, and the environment that Lambda adds to their own."""

    python: Path
    folders: Mapping[str, Path]
    of_lambda: Mapping[str, str]
    template: Any

    def environment(self, function: str) -> dict[str, str]:
        declared = self.template.resources[function]["Properties"]["Environment"]["Variables"]
        return {name: _sample(value) for name, value in declared.items()}

    def invoke(self, function: str, event: Any, without: str = "") -> "subprocess.CompletedProcess[str]":
        declared = {name: value for name, value in self.environment(function).items() if name != without}
        if without == "SLACK_SECRET_NAME" and "SLACK_WORKSPACES" in declared:
            declared["SLACK_WORKSPACES"] = "none"  # where there are others, a token in the secret need not be there
        return subprocess.run(
            # Isolated and without site-packages, so that only the archive's modules can be imported.
            [
                self.python,
                "-IS",
                "-c",
                RUN,
                self.template.resources[function]["Properties"]["Handler"],
                self.folders[function],
            ],
            cwd=self.folders[function],
            env={**self.of_lambda, **declared},
            input=json.dumps(event),
            capture_output=True,
            text=True,
            check=False,
        )


def _sample(value: Any) -> str:
    """Return the value that CloudFormation would substitute for a reference."""
    match value:
        case {"Ref": str(name)} if name.endswith("Queue"):
            return f"https://sqs.{REGION}.amazonaws.com/123456789012/{name}"
        case {"Ref": str(name)}:
            return name
        case {"Fn::Sub": "https://${SiteDistribution.DomainName}"}:
            return "https://d111111abcdef8.cloudfront.net"
        case {"Fn::Sub": "s3://${ModelBucket}/models"}:
            return f"s3://{MODEL_BUCKET}/models"
        case {"Fn::Sub": str(text)} if text.endswith("/slack/oauth_redirect"):
            return "https://api.example.com/dev/slack/oauth_redirect"
        case "none":  # as if more workspaces were served: then all that this takes has to be there
            return "T0SECOND"
        case str():
            return value
    raise AssertionError(f"no sample for {value}")


@pytest.fixture(scope="module")
def started(template, moto_url: str, archives, python_of_lambda: Path, tmp_path_factory) -> Started:
    of_this_machine = archives("arm64" if platform.machine() == "aarch64" else "x86_64")
    secrets = boto3.Session("local", "local", region_name=REGION).client("secretsmanager", endpoint_url=moto_url)
    for secret in template.of_type("AWS::SecretsManager::Secret").values():
        value = {"signing_secret": "a signing secret", "bot_token": "xoxb-token"}
        value |= {"client_id": "1.2", "client_secret": "a client secret"}
        secrets.create_secret(Name=secret["Name"], SecretString=json.dumps(value))
    dynamodb = boto3.Session("local", "local", region_name=REGION).client("dynamodb", endpoint_url=moto_url)
    installations = read_resources("tables.yml")["InstallationsTable"]
    dynamodb.create_table(**table_arguments(installations, "InstallationsTable"))
    buckets = boto3.Session("local", "local", region_name=REGION).client("s3", endpoint_url=moto_url)
    buckets.create_bucket(Bucket=MODEL_BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    of_lambda = {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ENDPOINT_URL_SECRETS_MANAGER": moto_url,
        "AWS_ENDPOINT_URL_S3": moto_url,
        "AWS_ENDPOINT_URL_DYNAMODB": moto_url,
    }
    folders = _unpacked(of_this_machine, tmp_path_factory.mktemp("functions"))
    return Started(python_of_lambda, folders, of_lambda, template)


def _unpacked(archives: Mapping[str, Path], folder: Path) -> dict[str, Path]:
    folders = {f"{name.capitalize()}LambdaFunction": folder / name for name in archives}
    for path, unpacked in zip(archives.values(), folders.values(), strict=True):
        with zipfile.ZipFile(path) as archive:
            archive.extractall(unpacked)
    return folders


UNSIGNED = [("Content-Type", "application/x-www-form-urlencoded")]
EVENTS = {
    "FrontLambdaFunction": build_event("POST", "/slack/commands", UNSIGNED, [], b"command=%2Fclassify"),
    "InteractiveLambdaFunction": build_event("POST", "/slack/interactive", UNSIGNED, [], b"payload=%7B%7D"),
    "OauthLambdaFunction": build_event("GET", "/slack/install", [], [], b""),
    "WorkerLambdaFunction": {"Records": []},
    "ScheduledLambdaFunction": {},
    "ClassifyLambdaFunction": build_event("GET", "/labels", [], [], b""),
}


@pytest.mark.parametrize("function", ["FrontLambdaFunction", "InteractiveLambdaFunction"])
def test_what_slack_did_not_sign_is_turned_away(started, function):
    answer = _answer(started.invoke(function, EVENTS[function]))

    assert answer["statusCode"] == 401


def test_a_workspace_is_offered_the_bot_with_a_state_of_its_own(started):
    offered = [_answer(started.invoke("OauthLambdaFunction", EVENTS["OauthLambdaFunction"])) for _ in range(2)]

    assert [each["statusCode"] for each in offered] == [200, 200]
    assert all("client_id=1.2" in each["body"] for each in offered)
    assert offered[0]["headers"]["Set-Cookie"] != offered[1]["headers"]["Set-Cookie"]


def test_the_worker_handles_a_batch_of_nothing(started):
    answer = _answer(started.invoke("WorkerLambdaFunction", EVENTS["WorkerLambdaFunction"]))

    assert answer == {"batchItemFailures": []}


def test_the_api_lists_the_labels_of_the_model_in_its_archive(started):
    answer = _answer(started.invoke("ClassifyLambdaFunction", EVENTS["ClassifyLambdaFunction"]))

    assert answer["statusCode"] == 200
    assert json.loads(MANIFEST.read_text())["facets"][0]["labels"][0]["name"] in answer["body"]


def test_a_browser_is_told_that_the_deployed_page_may_call_the_api(started):
    preflight = build_event("OPTIONS", "/blazingtext", [("Origin", "https://d111111abcdef8.cloudfront.net")], [], b"")

    answer = _answer(started.invoke("ClassifyLambdaFunction", preflight))

    assert answer["multiValueHeaders"]["Access-Control-Allow-Origin"] == ["https://d111111abcdef8.cloudfront.net"]
    assert "PUT" in answer["multiValueHeaders"]["Access-Control-Allow-Methods"][0]


@pytest.mark.parametrize("function", EVENTS)
def test_a_function_names_each_of_its_variables_that_is_not_there(started, function):
    variables = {name for name in started.environment(function) if not name.startswith(OPTIONAL)}

    named = {each for each in variables if _names(each, started.invoke(function, EVENTS[function], without=each))}

    assert named == variables


def test_every_deployed_function_is_started_here(template):
    assert EVENTS.keys() == template.of_type("AWS::Lambda::Function").keys()


def _names(variable: str, done: "subprocess.CompletedProcess[str]") -> bool:
    # Without a secret's name, the error names the variables that would hold its values.
    expected = "SLACK_" if variable.endswith("SECRET_NAME") else variable
    return done.returncode != 0 and expected in done.stderr.splitlines()[-1]


def _answer(done: "subprocess.CompletedProcess[str]") -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout.rpartition("ANSWER ")[2])
    return answer
