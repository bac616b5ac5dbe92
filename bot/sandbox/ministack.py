"""SQS and DynamoDB on this machine: ministack, spoken to over HTTP by unpatched boto3."""

import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from bot.sandbox.process import ProcessError, ServerProcess, free_port

# It pins a botocore of its own, so it has an environment of its own.
PYTHON = Path(__file__).parents[2] / ".venv-ministack" / "bin" / "python"


@contextmanager
def run_ministack(python: Path = PYTHON) -> Iterator[str]:
    """Run ministack on a free port of 127.0.0.1 for the length of the `with` block, and give its URL.

    `python` is the interpreter of the environment that ministack is installed in. What it holds is in memory and gone
    at the end. Raises ProcessError.
    """
    with closing(create_ministack(port := free_port(), python)) as server:
        server.start()
        server.wait()
        yield f"http://127.0.0.1:{port}"


def create_ministack(port: int, python: Path = PYTHON) -> ServerProcess:
    """Prepare ministack without starting it. Raises ProcessError when it is not installed."""
    if not python.exists():
        raise ProcessError(f"no {python}; make it with `make .venv-ministack/.ready`")
    # Its default is to listen on every interface.
    chosen = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "SERVICES": "sqs,dynamodb", "LOG_LEVEL": "WARNING"}
    environment = {"PATH": os.environ.get("PATH", ""), **chosen}
    return ServerProcess(python, ["ministack"], f"http://127.0.0.1:{port}/_ministack/health", environment)
