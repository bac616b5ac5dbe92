"""`sagemaker status`: what has become of a job."""

import argparse
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from training.sagemaker.aws import open_session
from training.sagemaker.cli.options import add_command, add_poll, add_region
from training.sagemaker.cli.train import print_end
from training.sagemaker.cli.tune import print_trials
from training.sagemaker.cli.watch import watch
from training.sagemaker.errors import Refused
from training.sagemaker.logs import LogStream
from training.sagemaker.sdk import Sagemaker
from training.sagemaker.states import JobState

_OURS = "triage-"
_MOST_LISTED = 20


def add_status(commands: Any) -> None:
    command = add_command(commands, "status", "say what has become of a job, wait for it, or stop it", _status)
    command.add_argument("job", nargs="?", metavar="JOB", help="its name (default: list the newest training jobs)")
    what = command.add_mutually_exclusive_group()
    what.add_argument("--wait", action="store_true", help="follow it to its end")
    what.add_argument("--stop", action="store_true", help="stop a training job; what it has learnt is lost")
    command.add_argument("--figure", type=Path, metavar="FILE.png", help="draw the results of a tuning job")
    add_region(command)
    add_poll(command)


def _status(options: argparse.Namespace) -> None:
    session, region = open_session(options.region)
    sagemaker = Sagemaker(session, region)
    if not options.job:
        _list(sagemaker)
        return
    kind, state = _find(sagemaker, options.job)
    if options.stop:
        _stop(sagemaker, kind, state)
        return
    if options.wait and not state.has_ended:
        look = getattr(sagemaker, kind)
        is_training = kind == "training"
        lines = LogStream(session.client("logs"), state.name).new_lines if is_training else _no_lines
        state = watch(lambda: look(state.name), lines, state.name, region, options.poll)
    _print(kind, state, region)
    if kind == "tuning":
        print_trials(sagemaker, state.name, region, options.figure)


def _no_lines() -> Iterable[str]:
    return ()


def _list(sagemaker: Sagemaker) -> None:
    names = sagemaker.training_names(_OURS)[:_MOST_LISTED]
    if not names:
        print(f"There is no training job whose name has {_OURS!r} in it.")
    for name in names:
        state = sagemaker.training(name)
        assert state is not None, "it has just been listed"
        accuracy = state.metrics.get("validation:accuracy")
        print(f"{name}  {state.describe()}" + (f"  validation accuracy {accuracy:.4f}" if accuracy else ""))


def _find(sagemaker: Sagemaker, name: str) -> tuple[str, JobState]:
    for kind in ("training", "tuning", "processing", "transform"):
        look: Callable[[str], JobState | None] = getattr(sagemaker, kind)
        if state := look(name):
            return kind, state
    raise Refused([f"there is no job {name!r} in this region and account; `status` alone lists the newest"])


def _stop(sagemaker: Sagemaker, kind: str, state: JobState) -> None:
    if kind != "training":
        raise Refused([f"{state.name} is a {kind} job; only training jobs are stopped from here"])
    if state.has_ended:
        raise Refused([f"{state.name} has ended already: {state.describe()}"])
    sagemaker.stop_training(state.name)
    print(f"Stopping {state.name}")


def _print(kind: str, state: JobState, region: str) -> None:
    if kind == "training" and state.is_completed:
        print_end(state, None, region)
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
