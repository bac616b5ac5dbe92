"""`sagemaker fetch`: make a model folder from a finished training job."""

import argparse
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from classifier_infra.model.manifest import Manifest
from training.cli.options import describe_accuracy
from training.data.dataset import TEST, VALIDATION, read_dataset
from training.sagemaker import JobError, Refused
from training.sagemaker.cli.job import Account
from training.sagemaker.cli.options import add_command, add_region
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
    command = add_command(commands, "fetch", "make a model folder from a finished training job", _fetch)
    command.add_argument("job", metavar="JOB", help="a training job, or a tuning job for the best of its jobs")
    command.add_argument("data", type=Path, metavar="DATA_DIR", help="the data folder that was prepared for the job")
    command.add_argument("--out", type=Path, required=True, metavar="MODEL_DIR", help="where to write the model")
    add_region(command)


def _fetch(options: argparse.Namespace) -> None:
    account = Account(options.region)
    state = account.find("training", _find_job(account.sagemaker, options.job))
    if not state.is_completed:
        raise Refused(f"{state.name} is {state.describe()}; only a completed job has a model")
    facets = read_dataset(options.data)
    from training.artefact import write_artefact  # scikit-learn takes seconds to import
    from training.sagemaker.jobs.fetch import extract, make_manifest, parse_prepared

    with tempfile.TemporaryDirectory(prefix="job-") as scratch:
        prepared = parse_prepared(_download_description(account.s3, state, Path(scratch)).read_bytes())
        content = extract(_download_model(account.s3, state, Path(scratch)))
    manifest = make_manifest(options.out.resolve().name, content, facets, prepared, state)
    write_artefact(options.out, content, manifest)
    _print(manifest, options.out)


def _find_job(sagemaker: Sagemaker, name: str) -> str:
    """Return the name of a training job, or of the best training job of a tuning job. Raises Refused."""
    if sagemaker.find("training", name) or not sagemaker.find("tuning", name):
        return name
    winner = best(sagemaker.trials(name))
    if winner is None:
        raise Refused(f"no job of {name} has reported a validation accuracy yet; see `status {name}`")
    print(f"The best job of {name} is {winner.name}")
    return winner.name


def _download_description(s3: "S3Client", state: JobState, folder: Path) -> Path:
    bucket, prefix = split_uri(state.channels[TRAIN_CHANNEL])
    path = folder / DESCRIPTION
    download(s3, bucket, f"{prefix.rstrip('/').rpartition('/')[0]}/{DESCRIPTION}", path)
    return path


def _download_model(s3: "S3Client", state: JobState, folder: Path) -> Path:
    path = folder / "model.tar.gz"
    with tqdm(desc="Downloading", unit="B", unit_scale=True, disable=None, leave=False) as bar:
        download(s3, *split_uri(state.model_uri), path, bar.update)
    if not path.stat().st_size:
        raise JobError(f"{state.model_uri} is empty")
    return path


def _print(manifest: Manifest, out: Path) -> None:
    for facet in manifest.facets:
        described = manifest.training["facets"][facet.name]
        split = "test" if "test" in described else "validation"
        print(describe_accuracy(facet.name, described[split], {"test": TEST, "validation": VALIDATION}[split]))
    print(f"Wrote {out}: version {manifest.version}, model.bin {manifest.model_bytes / 1e6:.1f} MB")
