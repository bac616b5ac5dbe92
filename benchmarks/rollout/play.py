"""Run the rehearsal with the real commands: promote a good model, promote a bad one that is rolled back, roll back."""

import contextlib
import shutil
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from benchmarks.rollout.account import CALLER, SageMaker, build_clients
from benchmarks.rollout.world import World
from classifier_infra.cli.promote import promote, rollback
from classifier_infra.endpoint.console import Console
from classifier_infra.endpoint.executor import Executor
from classifier_infra.endpoint.history import Event, history_json
from classifier_infra.endpoint.requests import VERSION_TAG, Deployment, RealTime
from classifier_infra.endpoint.rollout import Limits, Strategy
from classifier_infra.endpoint.state import check_folder, describe
from classifier_infra.errors import CommandError
from classifier_infra.inference.model_store import FolderStore
from classifier_infra.local.app import create_app
from classifier_infra.local.container import Scorer
from classifier_infra.local.endpoint import Endpoint, Variant
from classifier_infra.local.server import serving
from classifier_infra.model.artefact import ARCHIVE, MANIFEST, open_artefact, read_manifest

ENDPOINT = "rehearsal"
INSTANCES = 4
GOOD, BAD = "v2", "v3"
_QUIET_STEPS = 8
_BODY = b'{"instances": ["please help"], "configuration": {"k": 1}}'


@dataclass(frozen=True, slots=True)
class RehearsalStore(FolderStore):
    """A folder that locates its files in an S3 bucket, because SageMaker requires one."""

    def locate(self, name: str) -> str:
        return f"s3://{ENDPOINT}/{name}"


@dataclass(slots=True)
class FailingModel:
    """A model that fails at every third invocation."""

    model: Scorer
    asked: int = 0

    def scores(self, text: str, k: int) -> list[tuple[float, str]]:
        self.asked += 1
        if self.asked % 3 == 0:
            raise ValueError
        return self.model.scores(text, k)


@dataclass(frozen=True, slots=True)
class Stage:
    """The objects of a rehearsal."""

    world: World
    executor: Executor
    sagemaker: SageMaker

    def version_of(self, config: str) -> str:
        """Return the version of the model that a configuration runs."""
        tags = self.sagemaker.configs[config]["Tags"]
        return next(str(tag["Value"]) for tag in tags if tag["Key"] == VERSION_TAG)


def play(model: Path, folder: Path, console: Console, strategy: Strategy) -> Stage:
    """Run the rehearsal with a model, in an empty folder, and return its final state. Raises ArtefactError."""
    check_folder(model)
    with _stage(model, folder, console) as stage:
        _quiet(stage)
        _act(stage, f"promote {GOOD}", lambda: promote(_options(folder, GOOD, strategy), stage.executor))
        _act(stage, f"promote {BAD}", lambda: promote(_options(folder, BAD, strategy), stage.executor))
        _act(stage, "rollback", lambda: rollback(_options(folder, None, strategy), stage.executor))
    return stage


def _act(stage: Stage, name: str, act: Callable[[], None]) -> None:
    stage.world.events.append((stage.world.now, name))
    stage.executor.console.say(f"--- {name}, at minute {stage.world.now / 60:g}")
    try:
        act()
    except CommandError as error:
        stage.executor.console.say(str(error))
    _quiet(stage)


def _quiet(stage: Stage) -> None:
    for _ in range(_QUIET_STEPS):
        stage.world.step()


def _options(folder: Path, version: str | None, strategy: Strategy) -> Namespace:
    limits = strategy.limits or Limits()
    return Namespace(
        endpoint_name=ENDPOINT,
        model=str(folder / "models" / version) if version else None,
        to=None,
        strategy=strategy.kind,
        percent=strategy.percent,
        wait=strategy.wait,
        bake=strategy.bake,
        error_percent=limits.error_percent,
        latency_ms=limits.latency_ms,
        dry_run=False,
    )


@contextlib.contextmanager
def _stage(model: Path, folder: Path, console: Console) -> Iterator[Stage]:
    """Serve v1 on a local endpoint, with v2 and v3 ready to be promoted."""
    store = RehearsalStore(folder / "store")
    for version in ("v1", GOOD, BAD):
        _write_version(model, folder / "models" / version, version)
    deployment = _deploy_first(store, folder / "models" / "v1")
    fleet = Variant(deployment.config_name, open_artefact(model))
    endpoint = Endpoint(ENDPOINT, [fleet])
    with serving(create_app([endpoint])) as url, contextlib.closing(_runtime(url)) as runtime:
        world = World(endpoint, INSTANCES, deployment.config_name, lambda: _invoke(runtime))
        world.watch(deployment.config_name)
        sagemaker = SageMaker(world, lambda url, config: _open(store, url))
        sagemaker.create_model(**deployment.model_request())
        sagemaker.create_endpoint_config(**deployment.config_request())
        yield Stage(world, Executor(build_clients(sagemaker), store, console, runtime, poll_seconds=0.0), sagemaker)


def _write_version(model: Path, folder: Path, version: str) -> None:
    folder.mkdir(parents=True)
    shutil.copyfile(model / ARCHIVE, folder / ARCHIVE)
    manifest = replace(read_manifest(model), version=version)
    (folder / MANIFEST).write_text(manifest.to_json(), encoding="utf-8")


def _deploy_first(store: RehearsalStore, folder: Path) -> Deployment:
    for name in (ARCHIVE, MANIFEST):
        store.upload(folder / name, f"v1/{name}")
    model = describe(store, read_manifest(folder))
    shape = RealTime("ml.c5.large", INSTANCES)
    deployment = Deployment(ENDPOINT, model, "blazingtext:1", "arn:aws:iam::123456789012:role/rehearsal", shape)
    event = Event("deploy", "v1", deployment.config_name, CALLER, at="")
    store.write("active.json", b'{"version": "v1"}')
    store.write(f"history-{ENDPOINT}.json", history_json([event]))
    return deployment


def _open(store: RehearsalStore, url: str) -> Scorer:
    version = url.split("/")[-2]
    model = open_artefact(store.folder / version)
    return FailingModel(model) if version == BAD else model


def _runtime(url: str) -> Any:
    config = Config(retries={"total_max_attempts": 1, "mode": "standard"})
    return boto3.client(
        "sagemaker-runtime",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="rehearsal",
        aws_secret_access_key="rehearsal",
        config=config,
    )


def _invoke(runtime: Any) -> None:
    with contextlib.suppress(ClientError):  # the endpoint counts it
        runtime.invoke_endpoint(EndpointName=ENDPOINT, ContentType="application/json", Body=_BODY)["Body"].read()
