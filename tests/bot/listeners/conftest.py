"""The function that hears what people press, on the stand-in Slack, with what it hands to the worker."""

import json
import time
import uuid
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from bot.http.interactive import handle
from bot.http.proxy import Answer
from bot.listeners.app import create_app
from bot.listeners.dependencies import Dependencies
from bot.pipeline.corrections import CorrectionHandler
from bot.policy.parsing.parser import WrittenPolicy
from bot.policy.policy import Policy
from bot.queue.messages import MessageKey
from bot.store.settings import SettingsStore
from bot.store.stats import StatsStore
from bot.triage.case import Decision
from bot.workspaces.workspaces import OneWorkspace, Workspaces

FORM = "application/x-www-form-urlencoded"
DEFAULT_POLICY = "version: 1\nroutes:\n  billing: C0BILLING\n"


@pytest.fixture
def store(ledger) -> SettingsStore:
    return SettingsStore(ledger.client, ledger.table, Policy())


@pytest.fixture
def put_in_force(store, team):
    """Have Sofia save a policy."""
    return lambda text: store.save_policy(team, WrittenPolicy.of(text), "U0SOFIA", time.time())


@pytest.fixture
def stats(ledger) -> StatsStore:
    return StatsStore(ledger.client, ledger.table)


@pytest.fixture
def dependencies(ledger, queue, store, stats) -> Dependencies:
    return Dependencies(CorrectionHandler(ledger, queue, store, time.time), store, stats, DEFAULT_POLICY)


@pytest.fixture
def post_in(signed_event, signing_secret, dependencies, slack):
    """Post a signed form to the function, which serves some workspaces; give its answer."""

    def post(workspaces: Workspaces, body: bytes, content_type: str = FORM, **changes: Any) -> Answer:
        app = create_app(workspaces, dependencies, slack.client.base_url)
        event = signed_event("/slack/interactive", body, content_type) | changes
        return handle(event, signing_secret, app, time.time())

    return post


@pytest.fixture
def post(post_in, slack):
    """Post a signed form to the function, which serves any workspace; give the status."""
    workspaces = OneWorkspace(slack.client)
    return lambda body, *content_type, **changes: post_in(workspaces, body, *content_type, **changes)["statusCode"]


@pytest.fixture
def send(post_in, slack, team):
    """Send what Slack does when Anna presses or submits something; give status and answer."""
    workspaces = OneWorkspace(slack.client)

    def send(**payload: Any) -> tuple[int, Any]:
        user = {"id": "U0ANNA", "username": "anna", "team_id": team}
        trigger = slack.installation.interaction_tokens.issue_trigger("U0ANNA")
        whole = {"team": {"id": team, "domain": "example"}, "user": user, "trigger_id": trigger, **payload}
        answer = post_in(workspaces, urlencode({"payload": json.dumps(whole)}).encode())
        return answer["statusCode"], json.loads(answer["body"] or "null")

    return send


@pytest.fixture
def key(ledger, facet_results) -> MessageKey:
    """A message that was decided about."""
    key = MessageKey("T0", f"C{uuid.uuid4().hex.upper()}", "1700000000.000100")
    ledger.record_decision(key, Decision("automatic", "sure", facet_results, "model-1"), time.time())
    return key


@pytest.fixture
def waiting(ledger, facet_results) -> MessageKey:
    """An urgent message that waits for a person's word, in a workspace that no other test knows."""
    key = MessageKey(f"T{uuid.uuid4().hex.upper()}", "C0SUPPORT", f"{time.time():.6f}")
    ledger.record_decision(key, Decision("suggest", "mode", facet_results, "model-1", urgent=True), time.time())
    return key


@pytest.fixture
def told(serve):
    """A response_url, and what is answered there."""
    bodies: list[dict[str, Any]] = []

    async def note(request):
        bodies.append(await request.json())
        return PlainTextResponse("ok")

    url = serve(Starlette(routes=[Route("/actions", note, methods=["POST"])]))
    return SimpleNamespace(url=f"{url}/actions", bodies=bodies)


@pytest.fixture
def press():
    """Build the form that Slack posts when somebody presses a button under the bot's reply."""

    def press(key: MessageKey, response_url: str = "http://127.0.0.1:9/actions", **action: Any) -> bytes:
        payload = {
            "type": "block_actions",
            "team": {"id": key.team, "domain": "example"},
            "user": {"id": "U0ANNA", "username": "anna", "team_id": key.team},
            "api_app_id": "A0TRIAGE",
            "container": {
                "type": "message",
                "message_ts": "1700000001.000100",
                "channel_id": key.channel,
                "thread_ts": key.ts,
                "is_ephemeral": False,
            },
            "channel": {"id": key.channel, "name": "support"},
            "response_url": response_url,
            "trigger_id": "1.2.3",
            "actions": [
                {
                    "type": "button",
                    "block_id": "b0",
                    "action_id": "correct:0",
                    "value": "category=technical",
                    "action_ts": "1700000002.000100",
                }
                | action
            ],
        }
        return urlencode({"payload": json.dumps(payload)}).encode()

    return press


@pytest.fixture
def press_home(send):
    """Press something in the Home tab; give the status."""

    def press(team: str, action_id: str, value: str | None = None, chosen: str | None = None, **changes: Any) -> int:
        action: dict[str, Any] = {"type": "button", "block_id": "b0", "action_id": action_id, "action_ts": "1.1"}
        action |= {"value": value} if value is not None else {}
        action |= {"selected_option": {"value": chosen}} if chosen is not None else {}
        payload = {
            "type": "block_actions",
            "team": {"id": team, "domain": "example"},
            "container": {"type": "view", "view_id": "V1"},
            "view": {"id": "V1", "type": "home", "state": {"values": {}}},
            "actions": [action],
        }
        return int(send(**payload | changes)[0])

    return press
