"""What is posted to the function: proved to be Slack's, read, and answered for the workspace it is from."""

import json
import time
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.lambdas import interactive
from bot.queue.messages import CorrectionRecord, from_json
from bot.slack.api import WorkspaceUninstalled, build_client

FORM = "application/x-www-form-urlencoded"


def test_a_button_that_is_not_ours_is_not_found(post, queue, key, press):
    assert post(press(key, action_id="buy:0")) == 404
    assert queue.records == []


@pytest.mark.parametrize("name", ["team", "user", "channel", "container", "view"])
def test_what_nobody_listens_to_is_refused_whatever_in_it_is_null(post, key, name):
    payload = {"type": "?", "team": {"id": key.team}, "user": {"id": "U0ANNA"}, name: None}

    assert post(urlencode({"payload": json.dumps(payload)}).encode()) == 404


@pytest.mark.parametrize(
    "payload",
    [
        {"type": "block_actions", "actions": [{"action_id": "correct:0"}]},
        {"type": "block_actions", "actions": [{"action_id": "correct:0", "value": "category=technical"}]},
        {"type": "block_actions", "team": "T0", "actions": [{"action_id": "correct:0", "value": 5}]},
        {"type": "block_actions", "user": [], "actions": [{"action_id": "correct:0"}]},
        {"type": "block_actions", "team": [[]], "user": 0, "channel": 5, "actions": {}},
    ],
)
def test_a_payload_of_an_unexpected_shape_is_refused(post, payload):
    assert post(urlencode({"payload": json.dumps(payload)}).encode()) in (400, 404)


@pytest.mark.parametrize(
    "body", [b"", b"payload=", b"payload=%7B", b"payload=[]", b"payload=5", b"other=1", b"payload=" + b"[" * 50_000]
)
def test_a_form_without_a_payload_is_a_bad_request(post, body):
    assert post(body) == 400


def test_a_forged_press_corrects_nothing(post, ledger, key, press):
    assert post(press(key), headers={"Content-Type": FORM, "X-Slack-Signature": "v0=0"}) == 401

    assert ledger.load(key, time.time()).corrections == ()


def test_presses_come_as_a_form_only(post, key, press):
    assert post(press(key), content_type="application/json") == 415


def test_a_press_reaches_sqs_through_the_entry_module(
    signed_event, signing_secret, aws_environment, ledger_table, queue_url, received, key, monkeypatch, tmp_path, press
):
    for name, value in {
        "SLACK_SIGNING_SECRET": signing_secret,
        "SLACK_BOT_TOKEN": "xoxb-1",
        "SLACK_API_URL": "http://127.0.0.1:9/api/",
        "LEDGER_TABLE": ledger_table,
        "TRIAGE_QUEUE_URL": queue_url,
        "POLICY_FILE": str(tmp_path / "policy.yml"),
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "policy.yml").write_text("version: 1\n", encoding="utf-8")
    interactive._interactive.cache_clear()
    context = SimpleNamespace(
        function_name="interactive", memory_limit_in_mb=512, invoked_function_arn="arn", aws_request_id="1"
    )

    answer = interactive.handler(signed_event("/slack/interactive", press(key), FORM), context)

    assert answer["statusCode"] == 200
    [record] = [from_json(body) for body in received()]
    assert isinstance(record, CorrectionRecord)
    assert record.key == key


# --- Several workspaces ---------------------------------------------------------------------------------------


class OneOfThem:
    """One workspace has a token, and the others have none."""

    def __init__(self, team: str, client: Any) -> None:
        self.team, self.client = team, client

    def client_for(self, team: str) -> Any:
        if team != self.team:
            raise WorkspaceUninstalled("not_installed")
        return self.client


def use_shortcut(slack, team: str) -> bytes:
    payload = {
        "type": "message_action",
        "callback_id": "classify_message",
        "team": {"id": team, "domain": "example"},
        "user": {"id": "U0ANNA", "username": "anna", "team_id": team},
        "channel": {"id": "C0RANDOM", "name": "random"},
        "message": {"type": "message", "user": "U0MAYA", "ts": "1700000000.000100", "text": "charged twice"},
        "message_ts": "1700000000.000100",
        "response_url": "http://127.0.0.1:9/actions",
        "trigger_id": slack.installation.interaction_tokens.issue_trigger("U0ANNA"),
    }
    return urlencode({"payload": json.dumps(payload)}).encode()


def test_a_dialog_is_opened_with_the_token_of_the_workspace_where_it_was_asked_for(post_in, slack, queue):
    wrong = build_client("xoxb-of-another", slack.client.base_url)

    assert post_in(OneOfThem("T1", slack.client), use_shortcut(slack, "T1"))["statusCode"] == 200
    assert post_in(OneOfThem("T1", wrong), use_shortcut(slack, "T1"))["statusCode"] == 503

    assert [record.team for record in queue.records] == ["T1"]
    assert len(slack.installation.modals) == 1


def test_a_press_where_the_bot_is_not_in_any_more_shows_slacks_warning(post_in, slack, queue):
    assert post_in(OneOfThem("T1", slack.client), use_shortcut(slack, "T9OTHER"))["statusCode"] == 500
    assert queue.records == []
