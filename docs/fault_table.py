"""Write the table of faults in docs/endpoint.md from what boto3 raises for each: `python -m docs.fault_table`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from starlette.types import Receive, Scope, Send

from classifier_infra.local.app import create_app
from classifier_infra.local.endpoint import Endpoint, Variant
from classifier_infra.local.faults import KINDS, Fault
from classifier_infra.local.server import serving

PAGE = Path(__file__).with_name("endpoint.md")
BEGIN, END = "<!-- fault table -->\n", "<!-- end of fault table -->"
HEAD = """\
| fault | what happens | what boto3 raises | tried again by boto3: legacy | standard |
|---|---|---|---|---|
"""
# Read timeouts in seconds: for the faults that take their time one that is shorter, for the others one that never ends.
LONG = 30.0
READ_TIMEOUTS = {"hang": 0.1, "slow": 0.1, "slow-body": 0.5}


class _Model:
    def scores(self, text: str, k: int) -> list[tuple[float, str]]:
        return [(0.75, "__label__billing"), (0.25, "__label__general")][:k]


class _Host:
    """An endpoint with one fault at a time, which counts the requests since that was switched on."""

    def __init__(self) -> None:
        self._endpoint = Endpoint("support", [Variant("AllTraffic", _Model())])

    def fail(self, name: str) -> None:
        self._app = create_app([self._endpoint], [Fault(name, seconds=LONG)])
        self.requests = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.requests += 1
        await self._app(scope, receive, send)


def build_table() -> str:
    host = _Host()
    with serving(host) as url:
        return HEAD + "".join(_row(name, host, url) for name in KINDS)


def _row(name: str, host: _Host, url: str) -> str:
    (seen, legacy), (_, standard) = (_observe(name, host, url, mode) for mode in ("legacy", "standard"))
    return f"| `{name}` | {KINDS[name].meaning} | {seen} | {_yes(legacy)} | {_yes(standard)} |\n"


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _observe(name: str, host: _Host, url: str, mode: str) -> tuple[str, bool]:
    """Return what boto3 raises for a fault, and whether it retried."""
    host.fail(name)
    with _client(url, mode, READ_TIMEOUTS.get(name, LONG)) as client:
        seen = _invoke(client)
    return seen, host.requests > 1


@contextmanager
def _client(url: str, mode: str, read_timeout: float) -> Iterator[object]:
    config = Config(read_timeout=read_timeout, retries={"total_max_attempts": 2, "mode": mode})
    keys = {"aws_access_key_id": "any", "aws_secret_access_key": "any", "region_name": "us-east-1"}
    with mock.patch("botocore.endpoint.time.sleep"):  # between two tries
        client = boto3.client("sagemaker-runtime", endpoint_url=url, config=config, **keys)
        yield client
        client.close()


def _invoke(client: object) -> str:
    body = b'{"instances": ["a"]}'
    try:
        answer = client.invoke_endpoint(EndpointName="support", ContentType="application/json", Body=body)
    except ClientError as error:
        return _describe(error)
    except BotoCoreError as error:
        return f"`{type(error).__name__}`"
    try:
        return f"nothing; the body is `{answer['Body'].read().decode()}`"
    except BotoCoreError as error:
        return f"`{type(error).__name__}`, when the body is read"


def _describe(error: ClientError) -> str:
    status = error.response["ResponseMetadata"]["HTTPStatusCode"]
    inner = error.response.get("OriginalStatusCode")
    return f"`{type(error).__name__}`, code `{error.response['Error']['Code']}`, status {status}" + (
        "" if inner is None else f" with {inner} inside"
    )


def with_table(page: str) -> str:
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + build_table() + END + after


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    sys.exit()
