"""The commands of `python -m bot`: arguments and environment in, an outcome out."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command has to say: on stdout, and on stderr where something was not done (exit code 1)."""

    text: str = ""
    problem: str = ""
