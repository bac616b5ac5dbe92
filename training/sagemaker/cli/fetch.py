"""`sagemaker fetch`: from a finished job to a model folder."""

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from classifier_infra.model.manifest import Manifest
from training.cli.options import describe_accuracy
from training.data.dataset import TEST, VALIDATION, read_dataset
from training.sagemaker.aws import open_session
from training.sagemaker.cli.options import add_command, add_region
from training.sagemaker.cli.train import look_at_training
from training.sagemaker.errors import JobError, Refused
from training.sagemaker.jobs.inputs import DESCRIPTION
from training.sagemaker.jobs.tuning import best
from training.sagemaker.layout import split_uri
from training.sagemaker.requests import TRAIN_CHANNEL
from training.sagemaker.s3 import download
from training.sagemaker.sdk import Sagemaker
from training.sagemaker.states import JobState

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


def add_fetch(commands: Any) -> None:
    command = add_command(commands, "fetch", "turn a finished training job into a model folder", _fetch)
    command.add_argument("job", metavar="JOB", help="a training job, or a tuning job: then its best one")
    command.add_argument("data", type=Path, metavar="DATA_DIR", help="the data folder that was prepared for it")
    command.add_argument("--out", type=Path, required=True, metavar="MODEL_DIR", help="where to write the model")
    add_region(command)


def _fetch(options: argparse.Namespace) -> None:
    session, region = open_session(options.region)
    sagemaker, s3 = Sagemaker(session, region), session.client("s3")
    state = look_at_training(sagemaker, _find_job(sagemaker, options.job))
    if not state.is_completed:
        raise Refused([f"{state.name} is {state.describe()}; only a completed job has a model"])
    facets = read_dataset(options.data)
    from training.artefact import write_artefact  # scikit-learn takes seconds to import
    from training.sagemaker.jobs.fetch import extract, make_manifest, parse_prepared

    prepared = parse_prepared(_read_description(s3, state))
    with tempfile.TemporaryDirectory(prefix="job-") as scratch:
        content = extract(_download(s3, state, Path(scratch)))
    manifest = make_manifest(options.out.resolve().name, content, facets, prepared, state)
    write_artefact(options.out, content, manifest)
    _print(manifest, options.out)


def _find_job(sagemaker: Sagemaker, name: str) -> str:
    """Give the training job meant: itself, or the best of a tuning job. Raises Refused."""
    if sagemaker.training(name) or not sagemaker.tuning(name):
        return name
    winner = best(sagemaker.trials(name))
    if winner is None:
        raise Refused([f"no job of {name} has told a validation accuracy yet; see `status {name}`"])
    print(f"The best job of {name} is {winner.name}")
    return winner.name


def _read_description(s3: "S3Client", state: JobState) -> bytes:
    bucket, prefix = split_uri(state.channels[TRAIN_CHANNEL])
    key = f"{prefix.rstrip('/').rpartition('/')[0]}/{DESCRIPTION}"
    with tempfile.TemporaryDirectory(prefix="job-") as scratch:
        path = Path(scratch) / DESCRIPTION
        download(s3, bucket, key, path)
        return path.read_bytes()


def _download(s3: "S3Client", state: JobState, folder: Path) -> Path:
    bucket, key = split_uri(state.model_uri)
    path = folder / "model.tar.gz"
    with tqdm(desc="Downloading", unit="B", unit_scale=True, disable=None, leave=False) as bar:
        download(s3, bucket, key, path, bar.update)
    if not path.stat().st_size:
        raise JobError(f"{state.model_uri} is empty")
    return path


def _print(manifest: Manifest, out: Path) -> None:
    for facet in manifest.facets:
        described = manifest.training["facets"][facet.name]
        split = "test" if "test" in described else "validation"
        print(describe_accuracy(facet.name, described[split], {"test": TEST, "validation": VALIDATION}[split]))
    print(f"Wrote {out}: version {manifest.version}, model.bin {manifest.model_bytes / 1e6:.1f} MB")
