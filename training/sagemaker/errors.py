"""What a command says when it cannot go on."""

from collections.abc import Sequence


class JobError(Exception):
    """The command cannot be carried out. The message tells a person why and what to do."""

    status = 1
    """The exit code of the process."""


class Refused(JobError):
    """What was asked for would fail or surprise, so nothing has been created. Each fault has its remedy."""

    status = 2

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)
