"""The whole system, started as a person starts it, and ways to look at it from outside."""

import hashlib
import hmac
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx2
import pytest

ROOT = Path(__file__).parents[2]
STARTER = ROOT / "build" / "models" / "starter"
SIGNING_SECRET = "end-to-end"
PATIENCE_SECONDS = 60.0


@pytest.fixture(name="until")
def until_fixture() -> Callable[..., Any]:
    return until


def until(look: Callable[[], Any], what: str, patience: float = PATIENCE_SECONDS) -> Any:
    """Look again and again until there is something to see; give that."""
    deadline = time.monotonic() + patience
    while not (seen := look()):
        assert time.monotonic() < deadline, f"waited {patience:.0f} s in vain for {what}"
        time.sleep(0.05)
    return seen


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox, seen over HTTP only."""

    slack: str
    gateway: str
    classifier: str
    aws: str
    webhooks: str
    names: dict[str, str]

    # What a customer or a colleague does in Slack.

    def write(self, text: str, channel: str = "C0SUPPORT", user: str = "U0MAYA") -> str:
        return self._act("messages", channel=channel, user=user, text=text)["ts"]

    def edit(self, ts: str, text: str, channel: str = "C0SUPPORT", user: str = "U0MAYA") -> None:
        self._act("messages/edit", channel=channel, user=user, ts=ts, text=text)

    def delete(self, ts: str, channel: str = "C0SUPPORT", user: str = "U0MAYA") -> None:
        self._act("messages/delete", channel=channel, user=user, ts=ts)

    def command(self, text: str, channel: str = "C0LEADS", user: str = "U0ANNA") -> None:
        self._act("commands", channel=channel, user=user, command="/classify", text=text)

    def press(self, message: dict[str, Any], action: dict[str, Any], user: str = "U0ANNA", **chosen: Any) -> None:
        where = {"channel": message["channel"], "user": user, "ts": message["ts"], "block_id": action["block_id"]}
        self._act("actions", **where, action_id=action["action_id"], chosen=chosen)

    def _act(self, path: str, **fields: Any) -> dict[str, Any]:
        return httpx2.post(f"{self.slack}/sandbox/{path}", json=fields, timeout=10).raise_for_status().json()

    # What is to be seen there.

    def state(self) -> dict[str, Any]:
        return httpx2.get(f"{self.slack}/sandbox/state", timeout=10).raise_for_status().json()

    def channel(self, channel: str) -> dict[str, Any]:
        return next(each for each in self.state()["channels"] if each["id"] == channel)

    def message(self, channel: str, ts: str) -> dict[str, Any]:
        return next(each for each in self.channel(channel)["messages"] if each["ts"] == ts)

    def replies(self, channel: str, ts: str) -> list[dict[str, Any]]:
        messages = self.channel(channel)["messages"]
        return [{**each, "channel": channel} for each in messages if each.get("thread_ts") == ts and each["ts"] != ts]

    def posts_about(self, ts: str, channel: str) -> list[dict[str, Any]]:
        """Give the messages of a channel that link to the message `ts`."""
        link = f"p{ts.replace('.', '')}"
        return [each for each in self.channel(channel)["messages"] if link in json.dumps(each)]

    def reactions(self, channel: str, ts: str) -> dict[str, int]:
        return {each["name"]: each["count"] for each in self.message(channel, ts).get("reactions", [])}

    def reply(self, ts: str, channel: str = "C0SUPPORT") -> dict[str, Any]:
        return until(lambda: self.replies(channel, ts), "a reply in the thread")[0]

    # What surrounds the handlers.

    def switch_classifier(self, on: bool) -> None:
        httpx2.post(f"{self.gateway}/sandbox/classifier/{'start' if on else 'stop'}", timeout=40).raise_for_status()

    def deliver(self, body: bytes, path: str = "/slack/events", **headers: str) -> httpx2.Response:
        """Send what Slack would send, signed with the right secret unless headers say otherwise."""
        return httpx2.post(f"{self.gateway}{path}", content=body, headers={**sign(body), **headers}, timeout=10)

    def classify(self, body: Any, **headers: str) -> httpx2.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return httpx2.put(
            f"{self.gateway}/blazingtext", content=content, headers={"content-type": "application/json", **headers}
        )

    def ledger_rows(self, channel: str, ts: str) -> list[dict[str, Any]]:
        client = boto3.client("dynamodb", **self._aws())
        return client.query(
            TableName=self.names["LEDGER_TABLE"],
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"T0SANDBOX#{channel}#{ts}"}},
        )["Items"]

    def waiting(self) -> int:
        client = boto3.client("sqs", **self._aws())
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = client.get_queue_attributes(QueueUrl=self.names["TRIAGE_QUEUE_URL"], AttributeNames=names)
        return sum(int(count) for count in attributes["Attributes"].values())

    def _aws(self) -> dict[str, str]:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return {"endpoint_url": self.aws, "region_name": "eu-central-1", **keys}


def sign(body: bytes, timestamp: str | None = None, secret: str = SIGNING_SECRET) -> dict[str, str]:
    """Give Slack's headers for a JSON body."""
    timestamp = timestamp or str(int(time.time()))
    digest = hmac.new(secret.encode(), b"v0:" + timestamp.encode() + b":" + body, hashlib.sha256).hexdigest()
    return {
        "content-type": "application/json",
        "x-slack-request-timestamp": timestamp,
        "x-slack-signature": f"v0={digest}",
    }


@pytest.fixture(scope="session")
def start_sandbox() -> Callable[[Path], AbstractContextManager[Sandbox]]:
    return run_sandbox


@contextmanager
def run_sandbox(model: Path) -> Iterator[Sandbox]:
    with subprocess.Popen(
        [sys.executable, "-m", "bot.sandbox", "--model", str(model), "--port", "0"],
        cwd=ROOT,
        env={**os.environ, "SLACK_SIGNING_SECRET": SIGNING_SECRET},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield _look_up(process)
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)


def _look_up(process: subprocess.Popen[str]) -> Sandbox:
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if line.strip().startswith("Demo page"):
            gateway = line.split()[2].rstrip("/")
            about = httpx2.get(f"{gateway}/sandbox", timeout=10).raise_for_status().json()
            return Sandbox(**about["addresses"], names=about["names"])
    pytest.fail("the sandbox did not start:\n" + "".join(said))


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    assert (STARTER / "manifest.json").exists(), "train the starter model first: make train-starter"
    with run_sandbox(STARTER) as sandbox:
        yield sandbox
