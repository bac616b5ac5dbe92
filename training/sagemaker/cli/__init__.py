"""The commands of `python -m training sagemaker`."""

import argparse
from typing import Any

from training.sagemaker.cli.fetch import add_fetch
from training.sagemaker.cli.options import EXAMPLES
from training.sagemaker.cli.process import add_process
from training.sagemaker.cli.similar import add_similar
from training.sagemaker.cli.status import add_status
from training.sagemaker.cli.train import add_train
from training.sagemaker.cli.transform import add_transform
from training.sagemaker.cli.tune import add_tune
from training.sagemaker.cli.vectors import add_vectors


def add_sagemaker(commands: Any) -> None:
    """Add `sagemaker` with its own commands."""
    purpose = "train, tune, prepare and classify on AWS, with SageMaker's BlazingText"
    parser = commands.add_parser(
        "sagemaker",
        help=purpose,
        description=f"{purpose[0].upper()}{purpose[1:]}.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    added = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    add_train(added)
    add_tune(added)
    add_status(added)
    add_fetch(added)
    add_process(added)
    add_transform(added)
    add_vectors(added)
    add_similar(added)
