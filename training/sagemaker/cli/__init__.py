"""The commands of `python -m training sagemaker`."""

from typing import Any

from training.sagemaker.cli.fetch import add_fetch
from training.sagemaker.cli.options import add_command
from training.sagemaker.cli.process import add_process
from training.sagemaker.cli.status import add_status
from training.sagemaker.cli.train import add_train
from training.sagemaker.cli.transform import add_transform
from training.sagemaker.cli.tune import add_tune
from training.sagemaker.cli.vectors import add_similar, add_vectors


def add_sagemaker(commands: Any) -> None:
    """Add `sagemaker` and its commands."""
    parser = add_command(
        commands, "sagemaker", "train, tune, prepare and classify on AWS, with SageMaker's BlazingText"
    )
    added = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for add in (add_train, add_tune, add_status, add_fetch, add_process, add_transform, add_vectors, add_similar):
        add(added)
