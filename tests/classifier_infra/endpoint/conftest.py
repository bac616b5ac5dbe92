"""An AWS account made of moto over HTTP, a bucket with models, and the local endpoint in place of a deployed one.

moto has no UpdateEndpoint; here it has one that is done at once, or ends as a test says. boto3 checks every request
against the service's own model before it is sent.
"""

import json
import logging
import os
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.core.responses import ActionResult
from moto.sagemaker.responses import SageMakerResponse
from moto.server import ThreadedMotoServer

from classifier_infra.__main__ import main
from classifier_infra.endpoint.executor import Executor
from classifier_infra.inference.fallback import EmbeddedClassifier
from classifier_infra.model.artefact import open_artefact
from classifier_infra.model.canaries import answers_of
from classifier_infra.model.manifest import Canary
from classifier_infra.model.model import load_model

BUCKET = "models-of-the-team"
STORE = f"s3://{BUCKET}/models"
ENDPOINT = "small"
TRUST = {"Statement": [{"Effect": "Allow", "Principal": {"Service": "sagemaker.amazonaws.com"}}]}


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def made_clients() -> Iterator[dict[tuple[str, str], Any]]:
    """moto's clients by service and region, shared because building one is slower than calling it."""
    made: dict[tuple[str, str], Any] = {}
    yield made
    for client in made.values():
        client.close()


@dataclass
class Updates:
    """The requests of UpdateEndpoint, and their outcome: `status`, and `goes_back` if it is rolled back."""

    requests: list[dict[str, Any]] = field(default_factory=list)
    goes_back: str | None = None


@pytest.fixture
def updates(monkeypatch: pytest.MonkeyPatch) -> Updates:
    updates = Updates()

    def update_endpoint(self: SageMakerResponse) -> ActionResult:
        request = json.loads(self.body)
        updates.requests.append(request)
        endpoint = self.sagemaker_backend.endpoints[request["EndpointName"]]
        if updates.goes_back:
            endpoint.failure_reason = updates.goes_back
        else:
            endpoint.endpoint_config_name = request["EndpointConfigName"]
            endpoint.failure_reason = None
        return ActionResult({"EndpointArn": endpoint.arn})

    monkeypatch.setattr(SageMakerResponse, "update_endpoint", update_endpoint, raising=False)
    return updates


@dataclass
class Account:
    """The clients, the commands, and the state of the account and its bucket."""

    role: str
    clients: Callable[[str], Any]
    host: Any

    def run(self, *arguments: str) -> int:
        return main([*arguments])

    def files(self) -> dict[str, Any]:
        """Return the bucket's files, JSON parsed, without the times of events."""
        s3 = self.clients("s3")
        names = [entry["Key"] for entry in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]
        return {name: _content(s3.get_object(Bucket=BUCKET, Key=name)["Body"].read(), name) for name in names}

    def history(self) -> list[dict[str, Any]]:
        return self.files()[f"models/history-{ENDPOINT}.json"]["events"]

    def active(self) -> str:
        return self.files()["models/active.json"]["version"]

    def endpoint(self) -> dict[str, Any]:
        return self.clients("sagemaker").describe_endpoint(EndpointName=ENDPOINT)

    def everything(self) -> dict[str, Any]:
        """Return everything that commands may leave behind, without times."""
        sagemaker, cloudwatch = self.clients("sagemaker"), self.clients("cloudwatch")
        scaling = self.clients("application-autoscaling")
        return {
            "endpoints": {
                name: sagemaker.describe_endpoint(EndpointName=name)["EndpointConfigName"]
                for name in (entry["EndpointName"] for entry in sagemaker.list_endpoints()["Endpoints"])
            },
            "configs": sorted(e["EndpointConfigName"] for e in sagemaker.list_endpoint_configs()["EndpointConfigs"]),
            "models": sorted(entry["ModelName"] for entry in sagemaker.list_models()["Models"]),
            "alarms": sorted(alarm["AlarmName"] for alarm in cloudwatch.describe_alarms()["MetricAlarms"]),
            "targets": [
                (target["ResourceId"], target["MinCapacity"], target["MaxCapacity"])
                for target in scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
            ],
            "policies": [
                (policy["PolicyName"], policy["TargetTrackingScalingPolicyConfiguration"])
                for policy in scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
            ],
            "files": self.files(),
        }


def _content(content: bytes, name: str) -> Any:
    if not name.endswith(".json"):
        return len(content)
    document = json.loads(content)
    for event in document.get("events", []):
        event.pop("at")
    return document


@pytest.fixture
def account(
    moto_url: str, host: Any, updates: Updates, monkeypatch: pytest.MonkeyPatch, made_clients: dict[Any, Any]
) -> Account:
    """An empty account with a bucket and a role; the endpoint `small` answers as `host` does."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto_url)
    urllib.request.urlopen(urllib.request.Request(f"{moto_url}/moto-api/reset", method="POST")).close()
    build = boto3.client

    def client(name: str, **options: Any) -> Any:
        if name == "sagemaker-runtime":  # that of each test is another one
            return build(name, **options)
        key = (name, os.environ["AWS_DEFAULT_REGION"])
        if key not in made_clients:
            made_clients[key] = build(name, endpoint_url=moto_url)
        return made_clients[key]

    monkeypatch.setattr("boto3.client", client)
    clients = client
    location = {"LocationConstraint": "eu-central-1"}
    clients("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration=location)
    role = clients("iam").create_role(RoleName="hosting", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    return Account(role, clients, host)


@pytest.fixture(scope="session")
def write_version(write_folder, manifest, model_bytes, tmp_path_factory) -> Callable[..., Path]:
    """Writes a model folder of the small model under a version, with canaries that it answers."""

    def write(version: str, **changes: Any) -> Path:
        folder = tmp_path_factory.mktemp("versions") / version
        plain = load_model(write_folder(folder, model_bytes, replace(manifest, version=version)), in_memory=True)
        texts = ("invoice charged", "crash urgent")
        expected = answers_of(EmbeddedClassifier(plain).predict(texts))
        canaries = tuple(Canary(text, answer) for text, answer in zip(texts, expected, strict=True))
        whole = replace(manifest, version=version, canaries=canaries, **changes)
        return write_folder(folder, model_bytes, whole)

    return write


@pytest.fixture(scope="session")
def v1(write_version) -> Path:
    return write_version("v1", training={"facets": {"category": {"test": {"accuracy": 0.9}}}})


@pytest.fixture(scope="session")
def v2(write_version) -> Path:
    return write_version("v2", training={"facets": {"category": {"test": {"accuracy": 0.95}}}})


@pytest.fixture
def deployed(account: Account, v1: Path, capsys: pytest.CaptureFixture[str]) -> Account:
    """An account with v1 on two instances."""
    arguments = ("deploy", str(v1), "--store", STORE, "--endpoint-name", ENDPOINT, "--role", account.role)
    assert account.run(*arguments, "--instances", "2", "--yes") == 0
    capsys.readouterr()
    return account


@pytest.fixture
def interrupt(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """`interrupt(n)` stops the command after its n-th step (from 0), before its result is reported."""
    begun = 0
    carry_out = Executor.carry_out

    def arrange(at: int) -> None:
        def stop_after(self: Executor, action: Any) -> None:
            nonlocal begun
            here, begun = begun == at, begun + 1
            carry_out(self, action)
            if here:
                raise KeyboardInterrupt

        monkeypatch.setattr(Executor, "carry_out", stop_after)

    return arrange


@pytest.fixture
def serve_model(account: Account) -> Callable[[Path], None]:
    """Makes the endpoint serve another model."""
    return lambda folder: account.host.serve(open_artefact(folder))


@pytest.fixture
def other_model(write_folder, write_fasttext, manifest, tmp_path) -> Callable[[str], Path]:
    """Writes a model with other answers, under a version."""

    def write(version: str) -> Path:
        model = write_fasttext({"</s>": [0.1] * 9, "invoice": [0.2] * 9}, manifest.raw_labels())
        return write_folder(tmp_path / "other", model, replace(manifest, version=version))

    return write
