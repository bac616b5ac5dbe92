"""Waiting for a job at a terminal or in a pipe: progress, the end, and a way back for those who leave."""

import shlex
from collections.abc import Callable, Iterable

from tqdm import tqdm

from training.sagemaker.errors import JobError
from training.sagemaker.logs import TrainingLog, follow
from training.sagemaker.states import JobState


class Left(JobError):
    """A person has left; the job goes on."""

    status = 130


def watch(
    look: Callable[[], JobState], new_lines: Callable[[], Iterable[str]], name: str, region: str, poll: float
) -> JobState:
    """Wait for a job, and say what happens. Raises Left at Ctrl-C, JobError where the job fails or is stopped."""
    with tqdm(total=100, desc="Training", unit="%", disable=None, leave=False) as bar:

        def show(log: TrainingLog) -> None:
            bar.update((log.progress or 0) - bar.n)

        try:
            state, log, lines = follow(look, new_lines, poll, _say, show)
        except KeyboardInterrupt as interrupt:
            raise Left(f"\n{describe_way_back(name, region)}") from interrupt
    if not state.is_completed:
        raise JobError(_describe_failure(state, log, lines))
    return state


def _say(text: str) -> None:
    with tqdm.external_write_mode():
        print(text, flush=True)


def describe_way_back(name: str, region: str) -> str:
    command = shlex.join(["python", "-m", "training", "sagemaker", "status", name, "--region", region])
    return f"Job {name} goes on. Come back with: {command} --wait; end it with: {command} --stop"


def _describe_failure(state: JobState, log: TrainingLog, lines: list[str]) -> str:
    reason = state.reason or (log.faults[-1] if log.faults else "AWS gives no reason")
    end = "".join(f"\n    {line}" for line in lines)
    return f"job {state.name} is {state.status}: {reason}" + (f"\n  the end of its log:{end}" if end else "")
