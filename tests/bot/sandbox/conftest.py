"""A stand-in Slack over real HTTP, and an app that records its requests."""

import json
import queue
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx2
import pytest
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.sandbox.slack.seed import build_workspace
from bot.sandbox.slack.server import Server, create_app
from bot.sandbox.slack.settings import Settings
from bot.sandbox.slack.workspace import Workspace
from tests.bot.stand_in_slack import SIGNING_SECRET, TOKEN

SECONDS = 60


@dataclass
class StandIn:
    """A served stand-in Slack. Only read `workspace`; change it over HTTP."""

    url: str
    workspace: Workspace
    client: WebClient

    def do(self, action: str, **fields: Any) -> httpx2.Response:
        """Use an action of the page's API, by default as Maya in #support."""
        request = {"channel": "C0SUPPORT", "user": "U0MAYA"} | fields
        # In ASCII, which can express what UTF-8 cannot: lone surrogates.
        body, headers = json.dumps(request), {"content-type": "application/json"}
        return httpx2.post(f"{self.url}/sandbox/{action}", content=body, headers=headers, timeout=SECONDS)

    def write(self, text: str, **fields: Any) -> str:
        """Write a message and return its ts."""
        return str(self.do("messages", text=text, **fields).raise_for_status().json()["ts"])

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = httpx2.get(f"{self.url}/sandbox/state", timeout=SECONDS).raise_for_status().json()
        return state

    def channel(self, channel_id: str = "C0SUPPORT") -> dict[str, Any]:
        return next(each for each in self.state()["channels"] if each["id"] == channel_id)

    def state_when(self, condition: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Follow the stream until the state meets a condition, and return the state."""
        with httpx2.stream("GET", f"{self.url}/sandbox/stream", timeout=SECONDS) as stream:
            for line in stream.iter_lines():
                if line and condition(state := self.state()):
                    return state
        raise AssertionError("the stream ended before the condition was fulfilled")


@dataclass
class Received:
    headers: dict[str, str]
    body: bytes

    def is_signed(self) -> bool:
        return SignatureVerifier(SIGNING_SECRET).is_valid_request(self.body, self.headers)

    def form(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(self.body.decode()).items()}

    def payload(self) -> dict[str, Any]:
        payload: dict[str, Any] = json.loads(self.form()["payload"])
        return payload


@dataclass
class App:
    """A small app: puts each request in a queue and sends the answers of a test, then 200."""

    url: str = ""
    answers: "queue.SimpleQueue[Response]" = field(default_factory=queue.SimpleQueue)
    requests: "queue.SimpleQueue[Received]" = field(default_factory=queue.SimpleQueue)
    fallback: Callable[[], Response] = Response

    def next(self) -> Received:
        return self.requests.get(timeout=SECONDS)

    async def take(self, request: Request) -> Response:
        self.requests.put(Received(dict(request.headers), await request.body()))
        return self.fallback() if self.answers.empty() else self.answers.get()


@pytest.fixture
def receiving_app(serve) -> App:
    app = App()
    app.url = serve(Starlette(routes=[Route("/{path:path}", app.take, methods=["POST"])]))
    return app


@pytest.fixture
def start_slack(serve, clock) -> Callable[..., StandIn]:
    """Start a stand-in with settings of the test's choosing."""

    def start(**settings: Any) -> StandIn:
        workspace = build_workspace(clock)
        url = serve(Server(create_app(workspace, Settings(SIGNING_SECRET, TOKEN, **settings))))
        return StandIn(url, workspace, WebClient(TOKEN, base_url=f"{url}/api/", retry_handlers=[]))

    return start


@pytest.fixture
def slack(start_slack) -> StandIn:
    """A stand-in with no app listening."""
    return start_slack()


@pytest.fixture
def connected_slack(start_slack, receiving_app) -> StandIn:
    """A stand-in whose app listens, and whose retries wait for nothing."""
    return start_slack(
        events_url=f"{receiving_app.url}/slack/events",
        commands_url=f"{receiving_app.url}/slack/commands",
        interactivity_url=f"{receiving_app.url}/slack/interactive",
        retry_delays=(0.0, 0.0, 0.0),
    )


@pytest.fixture
def buttons() -> list[dict[str, Any]]:
    """Blocks with a button and a menu."""
    return [
        {
            "type": "actions",
            "block_id": "correct",
            "elements": [
                {
                    "type": "button",
                    "action_id": "billing",
                    "text": {"type": "plain_text", "text": "Billing"},
                    "value": "b",
                },
                {
                    "type": "static_select",
                    "action_id": "other",
                    "options": [{"text": {"type": "plain_text", "text": "General"}, "value": "g"}],
                },
            ],
        }
    ]


@pytest.fixture
def run_command(start_slack, receiving_app):
    """Run /classify; return the stand-in and the form that the app received."""

    def run(answer=None, text="hello"):
        slack = start_slack(commands_url=receiving_app.url)
        if answer is not None:
            receiving_app.answers.put(answer)
        slack.do("commands", command="/classify", text=text).raise_for_status()
        return slack, receiving_app.next().form()

    return run


@pytest.fixture
def press(start_slack, receiving_app, buttons):
    """Post `buttons`, press one as Maya; return the stand-in, the message's ts and the payload received."""

    def press_button(action_id="billing", chosen=None):
        slack = start_slack(interactivity_url=receiving_app.url)
        ts = slack.client.chat_postMessage(channel="C0SUPPORT", text="Which?", blocks=buttons)["ts"]
        slack.do("actions", ts=ts, block_id="correct", action_id=action_id, chosen=chosen).raise_for_status()
        return slack, ts, receiving_app.next().payload()

    return press_button
