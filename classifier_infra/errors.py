"""Errors that a command reports to the person who ran it."""


class CommandError(Exception):
    """The command cannot be carried out; the message tells a person why, `status` is the process's."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
