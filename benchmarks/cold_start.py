"""Cold start of the front, compared with a hello-world Bolt app with its Lambda adapter.

Both run on Lambda's Python from a folder with bytecode, as deployed: the front from its own archive, Bolt from the same
locked libraries. Each start is a new process, and contenders take turns, so that other load on the machine affects all.
The time is from the first line of Python to the answer to one signed event, without the interpreter's own start, which
is the same for all. SQS, Secrets Manager and Slack (Bolt's `auth.test`) are one small server on this machine.
"""

import hashlib
import hmac
import json
import os
import statistics
import subprocess
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks.results import BenchmarkError, save
from classifier_infra.packaging.__main__ import build
from classifier_infra.packaging.runtime import PYTHON_VERSION, PackagingError, compile_below, find_python

ROOT = Path(__file__).parents[1]
MODEL = ROOT / "build" / "models" / "starter"
OUT = ROOT / "build" / "lambda"
CHILD = Path(__file__).with_name("cold_start_child.py")
PLATFORM = "x86_64"
STARTS = 25
TARGET = 0.7
MOST_MEGABYTES = 45
SECRET = "of-the-benchmark"
PACKAGES = ("botocore", "boto3", "slack-bolt", "slack-sdk")

BOLT = """
import os
from slack_bolt import App
from slack_bolt.adapter.aws_lambda import SlackRequestHandler
from slack_sdk import WebClient

app = App(
    client=WebClient("xoxb-of-the-benchmark", base_url=os.environ["SLACK_API_URL"]),
    signing_secret=os.environ["SLACK_SIGNING_SECRET"],
    process_before_response=True,
    token_verification_enabled=False,
)


@app.event("message")
def hello(event, logger):
    logger.info("hello")


def handler(event, context):
    return SlackRequestHandler(app).handle(event, context)
"""

BOTOCORE = """
import os
from botocore.session import get_session


def handler(event, context):
    client = get_session().create_client("sqs")
    client.send_message(QueueUrl=os.environ["TRIAGE_QUEUE_URL"], MessageBody=event["body"])
    return {"statusCode": 200}
"""


@dataclass(frozen=True)
class Contender:
    """A module with a `handler`, and the folders with all that it imports."""

    name: str
    folders: tuple[Path, ...]
    module: str
    environment: Mapping[str, str]


def run() -> None:
    """Cold start of the front and of a hello-world Bolt app, and the size of the front's archive."""
    python = find_python(os.environ.get("PATH", ""), Path.home())
    if python is None:
        raise BenchmarkError(f"no Python {PYTHON_VERSION} found, on which Lambda runs the functions")
    if not (MODEL / "manifest.json").is_file():
        raise BenchmarkError(f"there is no {MODEL}; train it with `make train-starter`")
    with tempfile.TemporaryDirectory() as scratch, _aws() as aws:
        folder = Path(scratch)
        contenders, unpacked = _lay_out(folder, python, aws)
        event = folder / "event.json"
        starts: dict[str, list[dict[str, Any]]] = {each.name: [] for each in contenders}
        for _ in range(STARTS):
            for each in contenders:
                event.write_text(json.dumps(_build_event()), encoding="utf-8")
                starts[each.name].append(_start(python, each, event))
    figures = _figures(starts)
    figures["unpacked_megabytes"] = unpacked / 1e6
    save("cold_start", "Cold start of the front", _text(figures), figures, PACKAGES)


def _lay_out(folder: Path, python: Path, aws: str) -> tuple[list[Contender], int]:
    """Unpack the front's archive, and write the peers beside the same libraries."""
    try:
        archive = next(each for each in build(PLATFORM, MODEL, OUT, python) if each.path.name.startswith("front-"))
    except PackagingError as error:
        raise BenchmarkError(str(error)) from error
    front = folder / "front"
    with zipfile.ZipFile(archive.path) as zipped:
        zipped.extractall(front)
    libraries = max(OUT.glob(f"libraries/{PLATFORM}-*"), key=lambda each: each.stat().st_mtime)
    peers = folder / "peers"
    peers.mkdir()
    for name, source in (("hello_bolt", BOLT), ("bare_botocore", BOTOCORE)):
        (peers / f"{name}.py").write_text(source, encoding="utf-8")
    compile_below(peers, python)
    plain = {
        "AWS_ACCESS_KEY_ID": "benchmark",
        "AWS_SECRET_ACCESS_KEY": "benchmark",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL": aws,
        "TRIAGE_QUEUE_URL": f"{aws}/1/triage",
        "SWITCHES_QUEUE_URL": f"{aws}/1/switches",
    }
    signed = {**plain, "SLACK_API_URL": f"{aws}/api/", "SLACK_SIGNING_SECRET": SECRET}
    return [
        Contender("hello-world Bolt app", (peers, libraries), "hello_bolt", signed),
        Contender("front", (front,), "bot.lambdas.front", signed),
        Contender(
            "front, secret from Secrets Manager", (front,), "bot.lambdas.front", {**plain, "SLACK_SECRET_NAME": "s"}
        ),
        Contender("bare botocore, one SendMessage", (peers, libraries), "bare_botocore", plain),
    ], archive.unpacked


def _start(python: Path, contender: Contender, event: Path) -> dict[str, Any]:
    path = os.pathsep.join(str(each) for each in contender.folders)
    command = [str(python), "-I", "-B", str(CHILD), path, contender.module, str(event)]
    done = subprocess.run(command, env=dict(contender.environment), capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchmarkError(f"{contender.name} did not start: {done.stderr[-500:]}")
    start: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    if start["status"] != 200:
        raise BenchmarkError(f"{contender.name} answered {start['status']}")
    return start


def _build_event() -> dict[str, Any]:
    """Build the proxy event of a message to triage, signed with the current time."""
    message = {
        "type": "message",
        "channel": "C0SUPPORT",
        "user": "U0MAYA",
        "ts": "1.000001",
        "text": "a refund, please",
    }
    body = json.dumps({"type": "event_callback", "team_id": "T0", "event_id": "Ev1", "event": message})
    now = str(int(time.time()))
    digest = hmac.new(SECRET.encode(), f"v0:{now}:{body}".encode(), hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "X-Slack-Request-Timestamp": now,
        "X-Slack-Signature": f"v0={digest}",
    }
    return {
        "path": "/slack/events",
        "httpMethod": "POST",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "body": body,
        "isBase64Encoded": False,
        "requestContext": {"path": "/slack/events", "httpMethod": "POST"},
    }


class _Aws(BaseHTTPRequestHandler):
    """SQS, Secrets Manager with one secret, and Slack's `auth.test`."""

    def do_POST(self) -> None:
        body = json.dumps(self._answer(self.rfile.read(int(self.headers["Content-Length"])))).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/x-amz-json-1.0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _answer(self, body: bytes) -> dict[str, Any]:
        if self.path == "/api/auth.test":
            return {"ok": True, "team_id": "T0", "user_id": "U0", "bot_id": "B0", "user": "bot", "team": "team"}
        sent = json.loads(body)
        if "SecretId" in sent:
            return {"Name": "s", "SecretString": json.dumps({"signing_secret": SECRET})}
        digest = hashlib.md5(sent["MessageBody"].encode(), usedforsecurity=False).hexdigest()
        return {"MessageId": "1", "MD5OfMessageBody": digest}

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def _aws() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Aws)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


def _figures(starts: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    rows = []
    for name, measured in starts.items():
        by_clock = [each["milliseconds"] for each in measured]
        rows.append(
            {
                "name": name,
                "milliseconds": statistics.median(by_clock),
                "quartiles": statistics.quantiles(by_clock, n=4)[::2],
                "ratio": _ratio(measured, starts["hello-world Bolt app"], "milliseconds"),
                "processor": statistics.median(each["processor"] for each in measured),
                "processor_ratio": _ratio(measured, starts["hello-world Bolt app"], "processor"),
                "megabytes": statistics.median(each["megabytes"] for each in measured),
            }
        )
    return {"starts": STARTS, "target": TARGET, "rows": rows}


def _ratio(measured: list[dict[str, Any]], base: list[dict[str, Any]], figure: str) -> float:
    return statistics.median(own[figure] / other[figure] for own, other in zip(measured, base, strict=True))


def _text(figures: Mapping[str, Any]) -> str:
    lines = [
        "| contender | median | quartiles | against Bolt | processor time | against Bolt | memory |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in figures["rows"]:
        low, high = row["quartiles"]
        lines.append(
            f"| {row['name']} | {row['milliseconds']:.0f} ms | {low:.0f}–{high:.0f} ms | {row['ratio']:.2f} "
            f"| {row['processor']:.0f} ms | {row['processor_ratio']:.2f} | {row['megabytes']:.0f} MB |"
        )
    intro = (
        f"From the first line of Python to the answer to one signed event, on Python {PYTHON_VERSION}, "
        f"{figures['starts']} processes each, taking turns. Ratios are medians of each turn's own ratio; "
        f"the target for the front is {figures['target']}."
    )
    size = (
        f"The front's archive holds {figures['unpacked_megabytes']:.1f} MB unpacked; the target is {MOST_MEGABYTES} MB."
    )
    return "\n".join([intro, "", *lines, "", size])
