"""`sagemaker status`: show a job, wait for it, or stop it."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from training.sagemaker import Refused
from training.sagemaker.cli.job import Account
from training.sagemaker.cli.options import add_command, add_poll, add_region
from training.sagemaker.cli.train import print_outcome
from training.sagemaker.cli.tune import print_trials
from training.sagemaker.sdk import RESOURCES, Sagemaker
from training.sagemaker.states import JobState

_OURS = "triage-"
_MOST_LISTED = 20


def add_status(commands: Any) -> None:
    command = add_command(commands, "status", "show a job, wait for it, or stop it", _status)
    command.add_argument("job", nargs="?", metavar="JOB", help="its name (default: list the newest training jobs)")
    what = command.add_mutually_exclusive_group()
    what.add_argument("--wait", action="store_true", help="wait until it ends and print its progress")
    what.add_argument("--stop", action="store_true", help="stop a training job; it leaves no model")
    command.add_argument("--figure", type=Path, metavar="FILE.png", help="draw the results of a tuning job")
    add_region(command)
    add_poll(command)


def _status(options: argparse.Namespace) -> None:
    account = Account(options.region)
    if not options.job:
        _list(account.sagemaker)
        return
    kind, state = _find(account.sagemaker, options.job)
    if options.stop:
        _stop(account.sagemaker, kind, state)
        return
    if options.wait and not state.has_ended:
        state = account.watch(kind, state.name, options.poll)
    _print(kind, state, account.region)
    if kind == "tuning":
        print_trials(account.sagemaker, state.name, account.region, options.figure)


def _list(sagemaker: Sagemaker) -> None:
    names = sagemaker.training_names(_OURS)[:_MOST_LISTED]
    if not names:
        print(f"There is no training job whose name contains {_OURS!r}.")
    for name in names:
        state = sagemaker.find("training", name)
        assert state is not None, "it was listed just now"
        accuracy = state.metrics.get("validation:accuracy")
        print(f"{name}  {state.describe()}" + (f"  validation accuracy {accuracy:.4f}" if accuracy else ""))


def _find(sagemaker: Sagemaker, name: str) -> tuple[str, JobState]:
    for kind in RESOURCES:
        if state := sagemaker.find(kind, name):
            return kind, state
    raise Refused(f"there is no job {name!r} in this region and account; `status` without a name lists the newest")


def _stop(sagemaker: Sagemaker, kind: str, state: JobState) -> None:
    if kind != "training":
        raise Refused(f"{state.name} is a {kind} job; this command stops training jobs only")
    if state.has_ended:
        raise Refused(f"{state.name} has ended already: {state.describe()}")
    sagemaker.stop_training(state.name)
    print(f"Stopping {state.name}")


def _print(kind: str, state: JobState, region: str) -> None:
    if kind == "training" and state.is_completed:
        print_outcome(state, None, region)
        return
    print(f"{kind} job {state.name}: " + "; ".join(_facts(state)))


def _facts(state: JobState) -> Iterator[str]:
    yield state.describe()
    if state.reason:
        yield state.reason
    if state.created:
        yield f"created {state.created:%Y-%m-%d %H:%M} UTC"
    if state.ended:
        yield f"ended {state.ended:%Y-%m-%d %H:%M} UTC"
