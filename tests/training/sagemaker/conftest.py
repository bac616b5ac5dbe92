"""Settings of jobs, the stand-in for AWS, and the commands that use it."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest

from classifier_infra.model.manifest import Facet, Label, Manifest
from training.blazingtext.local_run import PYTHON
from training.data.prepare import prepare
from training.sagemaker.layout import Place
from training.sagemaker.requests import Machines

ROLE = "arn:aws:iam::123456789012:role/BlazingTriageTraining"
REGION = "eu-central-1"


@pytest.fixture(scope="session")
def place() -> Place:
    return Place("triage-models", "triage", REGION)


@pytest.fixture(scope="session")
def machines() -> Machines:
    return Machines("ml.c5.2xlarge")


@pytest.fixture(scope="session")
def role() -> str:
    return ROLE


@pytest.fixture
def run(run: Callable[..., Any]) -> Callable[..., Any]:
    """Run a command of `python -m training sagemaker` in this process."""
    return partial(run, "sagemaker")


@pytest.fixture(scope="session")
def model_folder(write_folder, write_fasttext, tmp_path_factory) -> Path:
    """A model of two labels, red for "warm" and blue for "cold"."""
    facets = (Facet("category", (Label("red", "Red"), Label("blue", "Blue"))),)
    manifest = Manifest("colours-1", "1", facets, "direct", 1.0, model_sha256="0" * 64, model_bytes=0)
    words = {"</s>": (0.0, 0.0), "warm": (4.0, -4.0), "cold": (-4.0, 4.0)}
    model = write_fasttext(words, manifest.raw_labels())
    return write_folder(tmp_path_factory.mktemp("models") / "colours", model, manifest)


@pytest.fixture(scope="session")
def sdk() -> None:
    """Skip tests of the SageMaker SDK where it is missing."""
    pytest.importorskip("sagemaker.core", reason="the SageMaker SDK is in .venv-sagemaker")


@pytest.fixture(scope="session")
def fasttext_trainer() -> None:
    """Skip tests of training jobs without the original fastText, with which the stand-in trains."""
    if not PYTHON.exists() or subprocess.run([PYTHON, "-c", "import fasttext"], capture_output=True).returncode:
        missing = "the fastText environment is not there; `make test` sets it up where its wheels exist (Python < 3.13)"
        (pytest.fail if os.environ.get("CI") == "true" and sys.version_info < (3, 13) else pytest.skip)(missing)


# --- The stand-in for AWS ---------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def aws_url() -> Iterator[str]:
    command = [sys.executable, Path(__file__).with_name("stand_in_aws.py")]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@pytest.fixture
def no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """An environment without AWS credentials, region and address."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def aws(no_aws: None, monkeypatch: pytest.MonkeyPatch, aws_url: str) -> Callable[..., Any]:
    """Point boto3 and the SDK at the stand-in; `aws("s3")` returns a client."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "any")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "any")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_url)
    return boto3.client


@pytest.fixture
def bucket(aws: Callable[[str], Any], request: pytest.FixtureRequest) -> str:
    """An empty bucket for this test."""
    name = f"bucket-{abs(hash(request.node.nodeid)):x}"
    aws("s3").create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
    return name


@pytest.fixture
def keys(aws: Callable[[str], Any], bucket: str) -> Callable[[], list[str]]:
    """List the keys of the bucket."""
    return lambda: [found["Key"] for found in aws("s3").list_objects_v2(Bucket=bucket).get("Contents", ())]


# --- Data -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def data(write_facet, message_rows, tmp_path_factory) -> Path:
    """Thirty messages of three classes, some of them for validation and test."""
    folder = tmp_path_factory.mktemp("data") / "messages"
    return write_facet(folder, train=message_rows, validation=message_rows[::3], test=message_rows[::2])


@pytest.fixture(scope="session")
def prepared(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    prepare(data, folder)
    return folder
