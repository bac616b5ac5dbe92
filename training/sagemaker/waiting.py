"""Looking at a job until it has ended."""

import time
from collections.abc import Callable, Iterable

from training.sagemaker.log_stream import last_lines
from training.sagemaker.logs import TrainingLog
from training.sagemaker.states import JobState


def follow(
    look: Callable[[], JobState],
    new_lines: Callable[[], Iterable[str]],
    poll: float,
    say: Callable[[str], object],
    show: Callable[[TrainingLog], object] = lambda log: None,
) -> tuple[JobState, TrainingLog, list[str]]:
    """Look every `poll` seconds until a job has ended; give its state, what its log told, and the log's end.

    `say` is told each change that a person would want to know of, `show` what the log has told so far.
    """
    log, said = TrainingLog(), ""
    lines: list[str] = []
    while True:
        state = look()
        if state.describe() != said:
            said = state.describe()
            say(said)
        for line in new_lines():
            before, log = log, log.read(line)
            lines = last_lines([*lines, line])
            if news := log.tell(before):
                say(f"  {news}")
        show(log)
        # The log was read after the last look, so that none of a job that has ended is missed.
        if state.has_ended:
            return state, log, lines
        time.sleep(poll)
