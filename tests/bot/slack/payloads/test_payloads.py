"""Payloads in the shapes that Slack publishes samples of, with values of our own: each is handled, or ignored, as its
file says. `outcome` names the kinds of records that reach the queue, or what is answered instead.
"""

import json
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.http import interactive
from bot.http import slack_events as front
from bot.listeners.app import create_app
from bot.listeners.dependencies import Dependencies
from bot.pipeline.corrections import CorrectionHandler
from bot.policy.policy import Policy
from bot.queue.messages import MessageKey, to_json
from bot.slack.api import build_client
from bot.store.settings import SettingsStore
from bot.store.stats import StatsStore
from bot.triage.case import Decision
from bot.ui.text import commands as command_text
from bot.workspaces.workspaces import OneWorkspace

HERE = Path(__file__).parent
FORM = "application/x-www-form-urlencoded"


def samples(kind: str) -> list[Any]:
    return [read_sample(path) for path in sorted((HERE / kind).glob("*.json"))]


def read_sample(path: Path) -> Any:
    sample = json.loads(path.read_text(encoding="utf-8"))
    return pytest.param(sample["payload"], sample["outcome"], id=path.stem)


class Records:
    def __init__(self) -> None:
        self.kinds: list[str] = []

    def send(self, record, delay=0, due=None) -> None:
        self.kinds.append(json.loads(to_json(record))["kind"])


@pytest.fixture
def queue() -> Records:
    return Records()


@pytest.fixture
def post_front(signed_event, signing_secret, queue):
    def post(path: str, body: bytes, content_type: str) -> tuple[int, Any]:
        answer = front.handle(signed_event(path, body, content_type), signing_secret, queue, time.time())
        return answer["statusCode"], json.loads(answer["body"] or "null")

    return post


@pytest.mark.parametrize(("payload", "outcome"), samples("events"))
def test_every_event_is_answered_with_200_and_queued_or_not(post_front, queue, payload, outcome):
    status, body = post_front("/slack/events", json.dumps(payload).encode(), "application/json")

    assert status == 200
    if outcome == "challenge":
        assert body == {"challenge": payload["challenge"]}
    else:
        assert queue.kinds == ([] if outcome == "nothing" else [outcome])


@pytest.mark.parametrize(("payload", "outcome"), samples("commands"))
def test_every_command_is_answered_with_200_and_queued_or_not(post_front, queue, payload, outcome):
    status, body = post_front("/slack/commands", urlencode(payload).encode(), FORM)

    said = {
        "help": command_text.HELP,
        "unknown": command_text.UNKNOWN,
        "command": command_text.TAKEN,
        "ask": command_text.ASKED,
    }
    assert status == 200
    assert (body or {}).get("text") == said.get(outcome)
    assert queue.kinds == ([outcome] if outcome in ("command", "ask") else [])


# --- What people press and open -----------------------------------------------------------------------------


@pytest.fixture
def team(ledger, facet_results) -> str:
    """A workspace that no other test knows, in which the message of the samples was decided about."""
    team = f"T{uuid.uuid4().hex.upper()}"
    key = MessageKey(team, "C0FFFF666", "1700000000.000100")
    ledger.record_decision(key, Decision("suggest", "mode", facet_results, "model-1"), time.time())
    return team


@pytest.fixture
def post_interactive(signed_event, signing_secret, ledger, queue, slack):
    store = SettingsStore(ledger.client, ledger.table, Policy())
    stats = StatsStore(ledger.client, ledger.table)
    dependencies = Dependencies(CorrectionHandler(ledger, queue, store, time.time), store, stats, "version: 1")
    workspaces = OneWorkspace(build_client(slack.client.token, slack.client.base_url))
    app = create_app(workspaces, dependencies, slack.client.base_url)

    def post(payload: Any) -> int:
        event = signed_event("/slack/interactive", urlencode({"payload": json.dumps(payload)}).encode(), FORM)
        return int(interactive.handle(event, signing_secret, app, time.time())["statusCode"])

    return post


@pytest.mark.parametrize(("payload", "outcome"), samples("interactive"))
def test_every_press_is_taken_or_refused(post_interactive, queue, slack, team, payload, outcome):
    trigger = slack.installation.interaction_tokens.issue_trigger("U0ANNA")

    status = post_interactive(payload | {"team": payload["team"] | {"id": team}, "trigger_id": trigger})

    if outcome == "not ours":
        assert (status, queue.kinds) == (404, [])
    else:
        assert (status, queue.kinds) == (200, outcome.split())
