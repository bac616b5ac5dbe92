"""The error that ends a command."""


class CommandError(Exception):
    """A command cannot be carried out; the message says why, and `status` is the exit code."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status
