"""The CloudFormation template of serverless.yml, compiled once."""

import json
import os
import shutil
import subprocess
import urllib.request
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import pytest
from moto.server import ThreadedMotoServer

from bot.sandbox.gateway import read_functions
from classifier_infra.packaging.runtime import PYTHON_VERSION, find_python

ROOT = Path(__file__).parents[2]
RESOURCES = ROOT / "classifier_infra" / "resources"
SERVERLESS = ROOT / "node_modules" / ".bin" / "serverless"


@dataclass(frozen=True, slots=True)
class Compiled:
    """The template written to `path`, its resources and its outputs."""

    path: Path
    resources: Mapping[str, Mapping[str, Any]]
    outputs: Mapping[str, Mapping[str, Any]]

    def of_type(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """Return all resources of a type: logical id → properties."""
        return {name: each["Properties"] for name, each in self.resources.items() if each["Type"] == kind}


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    if not (shutil.which("node") and SERVERLESS.exists()):
        _skip_or_fail("Node.js, or node_modules/ (npm ci), is missing")
    return _read(_compile(tmp_path_factory.mktemp("serverless")))


@pytest.fixture(scope="session")
def website_template(template: Compiled, tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    """The template with the parameter that puts the demo page into a public bucket."""
    return _read(_compile(tmp_path_factory.mktemp("website"), "--param", "site=website"))


@pytest.fixture(scope="session")
def archives() -> Callable[[str], dict[str, Path]]:
    """A function that finds the archives for a platform (`arm64` or `x86_64`) by function."""

    def find(platform: str) -> dict[str, Path]:
        functions = read_functions(ROOT / "serverless.yml").handlers
        paths = {name: ROOT / "build" / "lambda" / f"{name}-{platform}.zip" for name in functions}
        if missing := [path for path in paths.values() if not path.exists()]:
            _skip_or_fail(f"{missing[0]} is missing: make build/lambda/classify-{platform}.zip")
        if min(path.stat().st_mtime for path in paths.values()) < _newest_source():
            _skip_or_fail(f"the archives are older than the code: make build/lambda/classify-{platform}.zip")
        return paths

    return find


def _newest_source() -> float:
    sources = (path for folder in ("bot", "classifier_infra") for path in (ROOT / folder).rglob("*.py"))
    return max(path.stat().st_mtime for path in sources)


@pytest.fixture(scope="session")
def python_of_lambda() -> Path:
    """An interpreter of Lambda's version."""
    python = find_python(os.environ["PATH"], Path.home())
    if python is None:
        pytest.skip(f"no Python {PYTHON_VERSION} is here")
    return python


@pytest.fixture(scope="module")
def moto_url() -> Iterator[str]:
    """The URL of an empty stand-in for AWS. Those of a process share one account."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    urllib.request.urlopen(urllib.request.Request(f"{url}/moto-api/reset", method="POST"))
    yield url
    server.stop()


def _skip_or_fail(reason: str) -> NoReturn:
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


def _read(folder: Path) -> Compiled:
    path = folder / "cloudformation-template-update-stack.json"
    document = json.loads(path.read_text())
    return Compiled(path, document["Resources"], document["Outputs"])


def _compile(folder: Path, *options: str) -> Path:
    """Package a copy of the service, so that other processes in this tree cannot remove `.serverless/`."""
    shutil.copy(ROOT / "serverless.yml", folder)
    shutil.copytree(RESOURCES, folder / RESOURCES.relative_to(ROOT))
    for name in read_functions(ROOT / "serverless.yml").handlers:
        with zipfile.ZipFile(folder / f"{name}-arm64.zip", "w"):
            pass  # the archives' contents do not matter for the template
    without_credentials = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    command = [SERVERLESS, "package", "--param", "archives=.", *options]
    done = subprocess.run(command, cwd=folder, env=without_credentials, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / ".serverless"
