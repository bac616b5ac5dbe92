"""Train and evaluate classifiers from the command line."""

import argparse
import os
import sys
from collections.abc import Sequence

from classifier_infra.model.artefact import ArtefactError
from training.blazingtext.hyperparameters import HyperparameterError
from training.blazingtext.local_run import LocalRunError
from training.cli.data import add_download, add_prepare, add_starter
from training.cli.evaluate import add_evaluate
from training.cli.options import EXAMPLES
from training.cli.train import add_train
from training.data.dataset import DataError
from training.data.download import DownloadError
from training.sagemaker import JobError
from training.sagemaker.cli import add_sagemaker


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except DataError as error:
        print(error, file=sys.stderr)
        count = len(error.problems)
        print(f"{count} problem{'s' * (count > 1)}; nothing was written.", file=sys.stderr)
        return 2
    except HyperparameterError as error:
        print(error, file=sys.stderr)
        return 2
    except JobError as error:
        print(error, file=sys.stderr)
        return error.status
    except BrokenPipeError:
        # The reader closed the pipe. Without a new target, Python would print another traceback when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ArtefactError, DownloadError, LocalRunError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Train and evaluate classifiers of customer messages.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for add in (add_train, add_evaluate, add_prepare, add_starter, add_download, add_sagemaker):
        add(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
