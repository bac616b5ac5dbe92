import base64
import json
import logging
import subprocess
import sys
import time
from urllib.parse import urlencode

import pytest

from bot.http.proxy import MAX_BODY_BYTES, sign
from bot.http.slack_events import handle
from bot.lambdas import front
from bot.queue.messages import AskRecord, CommandRecord, MessageRecord, from_json
from bot.settings import MissingSetting
from bot.ui.text import commands as command_text
from tests.bot.doubles import RecordingQueue

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"

EVENT = {
    "type": "event_callback",
    "team_id": "T0",
    "api_app_id": "A0",
    "event_id": "Ev0",
    "event": {
        "type": "message",
        "user": "U0MAYA",
        "text": "I was charged twice, write to maya@example.com",
        "ts": "1700000000.000100",
        "channel": "C0SUPPORT",
    },
}

COMMAND = {
    "command": "/classify",
    "text": "I was charged twice",
    "team_id": "T0",
    "channel_id": "C0SUPPORT",
    "user_id": "U0MAYA",
    "response_url": "https://hooks.slack.com/commands/T0/1/secret",
}


@pytest.fixture
def post(signed_event, signing_secret, queue):
    """Post a signed request to the front; give status and body."""

    def send(path, body, content_type, /, queue=queue, **changes):
        event = signed_event(path, body, content_type) | changes
        answer = handle(event, signing_secret, queue, time.time())
        return answer["statusCode"], json.loads(answer["body"] or "null")

    return send


def test_a_message_is_acknowledged_and_queued(post, queue):
    status, _ = post("/slack/events", json.dumps(EVENT).encode(), JSON)

    assert status == 200
    assert [record.text for record in queue.records] == ["I was charged twice, write to [email]"]


def test_a_signed_request_reaches_sqs_through_the_entry_module(
    signed_event, signing_secret, aws_environment, queue_url, received, monkeypatch
):
    monkeypatch.setenv("SLACK_SIGNING_SECRET", signing_secret)
    monkeypatch.setenv("TRIAGE_QUEUE_URL", queue_url)
    monkeypatch.setenv("SWITCHES_QUEUE_URL", queue_url)
    front._front.cache_clear()

    answer = front.handler(signed_event("/slack/events", json.dumps(EVENT).encode(), JSON), None)

    assert answer["statusCode"] == 200
    [record] = [from_json(body) for body in received()]
    assert isinstance(record, MessageRecord)
    assert record.key.ts == "1700000000.000100"


def test_a_rotated_signing_secret_is_noticed_without_a_restart(
    signed_event, signing_secret, aws_environment, queue_url, monkeypatch
):
    monkeypatch.setenv("SLACK_SIGNING_SECRET", "the secret of before")
    monkeypatch.setenv("TRIAGE_QUEUE_URL", queue_url)
    monkeypatch.setenv("SWITCHES_QUEUE_URL", queue_url)
    front._front.cache_clear()
    body = json.dumps(EVENT).encode()
    assert front.handler(signed_event("/slack/events", body, JSON), None)["statusCode"] == 401

    monkeypatch.setenv("SLACK_SIGNING_SECRET", signing_secret)
    monkeypatch.setattr("bot.settings._RENEWED_EVERY_SECONDS", 0)

    assert front.handler(signed_event("/slack/events", body, JSON), None)["statusCode"] == 200


@pytest.mark.parametrize("text", ["stop", "Stop!", "“stop”", "stop.", "START", "mute", "unmute <#C0LOUD|loud>"])
def test_what_people_switch_goes_past_what_waits(signed_event, signing_secret, text):
    queue, switches = RecordingQueue(), RecordingQueue()
    body = urlencode(COMMAND | {"text": text}).encode()

    handle(signed_event("/slack/commands", body, FORM), signing_secret, queue, time.time(), switches)

    assert (len(queue.records), len(switches.records)) == (0, 1)
    assert switches.records[0].said_at == pytest.approx(time.time(), abs=60)


@pytest.mark.parametrize("text", ["stats", "policy", "stop charging my card"])
def test_what_people_ask_waits_like_everything_else(signed_event, signing_secret, text):
    queue, switches = RecordingQueue(), RecordingQueue()
    body = urlencode(COMMAND | {"text": text}).encode()

    handle(signed_event("/slack/commands", body, FORM), signing_secret, queue, time.time(), switches)

    assert (len(queue.records), len(switches.records)) == (1, 0)


def test_a_setting_that_is_missing_fails_with_its_name(monkeypatch):
    monkeypatch.delenv("SLACK_SIGNING_SECRET", raising=False)
    monkeypatch.delenv("SLACK_SECRET_NAME", raising=False)
    front._front.cache_clear()

    with pytest.raises(MissingSetting, match="SLACK_SIGNING_SECRET"):
        front.handler({}, None)


def test_slack_learns_that_the_url_is_ours(post, queue):
    body = json.dumps({"token": "x", "challenge": "3eZbrw1aB", "type": "url_verification"}).encode()

    assert post("/slack/events", body, JSON) == (200, {"challenge": "3eZbrw1aB"})
    assert queue.records == []


def test_an_event_of_no_use_is_acknowledged_and_not_queued(post, queue):
    reaction = EVENT | {"event": {"type": "reaction_added", "user": "U0MAYA"}}

    status, _ = post("/slack/events", json.dumps(reaction).encode(), JSON)

    assert status == 200
    assert queue.records == []


def test_slack_is_asked_to_send_again_what_could_not_be_queued(post, broken_queue):
    status, _ = post("/slack/events", json.dumps(EVENT).encode(), JSON, queue=broken_queue)

    assert status == 503


def test_every_delivery_is_queued_for_the_ledger_knows_which_are_repeated(post, queue):
    for _ in range(4):
        post("/slack/events", json.dumps(EVENT).encode(), JSON)

    assert len(queue.records) == 4


@pytest.mark.parametrize("body", [b"not json", b"[]", b"null", b"", b"[" * 100_000, b'"text"', b"{\xff}"])
def test_a_signed_body_that_is_no_json_object_is_a_bad_request(signing_secret, queue, body):
    event = _signed_bytes(signing_secret, body, JSON)

    answer = handle(event, signing_secret, queue, time.time())

    assert answer["statusCode"] == 400
    assert queue.records == []


def _signed_bytes(secret, body, content_type):
    timestamp = str(int(time.time()))
    return {
        "path": "/slack/events",
        "headers": {
            "content-type": content_type,
            "x-slack-request-timestamp": timestamp,
            "x-slack-signature": sign(secret, timestamp, body),
        },
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
    }


def test_a_base64_body_is_decoded_before_its_signature_is_checked(signing_secret, queue):
    event = _signed_bytes(signing_secret, json.dumps(EVENT).encode(), JSON)

    assert handle(event, signing_secret, queue, time.time())["statusCode"] == 200
    assert len(queue.records) == 1


def test_a_body_that_is_not_the_base64_it_says_is_a_bad_request(post):
    status, _ = post("/slack/events", b"{}", JSON, body="%%%", isBase64Encoded=True)

    assert status == 400


def test_a_forged_request_is_refused(post, queue):
    status, _ = post("/slack/events", b"{}", JSON, body=json.dumps(EVENT))

    assert status == 401
    assert queue.records == []


@pytest.mark.parametrize("age", [301, -301])
def test_a_request_signed_too_long_ago_or_ahead_is_refused(signed_event, signing_secret, queue, age):
    now = 1_700_000_000
    event = signed_event("/slack/events", json.dumps(EVENT).encode(), JSON, at=now - age)

    assert handle(event, signing_secret, queue, now)["statusCode"] == 401


@pytest.mark.parametrize("headers", [None, {}, {"X-Slack-Signature": "v0=ü", "X-Slack-Request-Timestamp": "soon"}])
def test_a_request_without_a_signature_that_is_one_is_refused(post, headers):
    status, _ = post("/slack/events", b"{}", JSON, headers=headers)

    assert status == 401


def test_events_come_as_json_only(post):
    status, body = post("/slack/events", json.dumps(EVENT).encode(), "text/plain")

    assert status == 415
    assert JSON in body["error"]


def test_a_content_type_may_name_its_charset_in_any_letters(post, queue):
    status, _ = post("/slack/events", json.dumps(EVENT).encode(), "Application/JSON; charset=utf-8")

    assert (status, len(queue.records)) == (200, 1)


def test_a_body_beyond_all_that_slack_sends_is_refused(post):
    status, _ = post("/slack/events", b" " * (MAX_BODY_BYTES + 1), JSON)

    assert status == 413


def test_there_is_nothing_at_other_paths(post):
    assert post("/slack/other", b"{}", JSON)[0] == 404


def test_a_stage_or_base_path_before_the_route_does_not_matter(post, queue):
    status, _ = post("/bots/slack/events", json.dumps(EVENT).encode(), JSON)

    assert (status, len(queue.records)) == (200, 1)


def test_a_command_is_queued_and_answered_at_once_for_its_user_only(post, queue):
    status, body = post("/slack/commands", urlencode(COMMAND).encode(), FORM)

    assert (status, body) == (200, {"response_type": "ephemeral", "text": command_text.TAKEN})
    [record] = queue.records
    assert isinstance(record, CommandRecord)


def test_what_is_no_text_is_queued_too(post, queue):
    _, body = post("/slack/commands", urlencode(COMMAND | {"text": "stats"}).encode(), FORM)

    assert body["text"] == command_text.ASKED
    [record] = queue.records
    assert isinstance(record, AskRecord)


def test_help_is_answered_without_the_queue(post, queue):
    status, body = post("/slack/commands", urlencode(COMMAND | {"text": "help"}).encode(), FORM)

    assert (status, body["text"]) == (200, command_text.HELP)
    assert queue.records == []


def test_a_command_that_could_not_be_queued_is_answered_in_words(post, broken_queue):
    status, body = post("/slack/commands", urlencode(COMMAND).encode(), FORM, queue=broken_queue)

    assert (status, body["text"]) == (200, command_text.NOT_TAKEN)


def test_slacks_certificate_check_is_answered(post, queue):
    assert post("/slack/commands", b"ssl_check=1&token=x", FORM)[0] == 200
    assert queue.records == []


def test_neither_text_nor_response_url_is_logged(post, caplog, broken_queue):
    with caplog.at_level(logging.DEBUG):
        post("/slack/events", json.dumps(EVENT).encode(), JSON)
        post("/slack/events", json.dumps(EVENT).encode(), JSON, queue=broken_queue)
        post("/slack/commands", urlencode(COMMAND).encode(), FORM, queue=broken_queue)

    assert "charged" not in caplog.text
    assert "hooks.slack.com" not in caplog.text


def test_the_front_imports_nothing_that_makes_slack_wait():
    heavy = [
        "slack_bolt",
        "slack_sdk",
        "pydantic",
        "aws_lambda_powertools",
        "boto3",
        "yaml",
        "fasttext",
        "bot.policy.policy",
        "bot.triage.display",
    ]
    program = f"import sys, bot.lambdas.front; print([name for name in {heavy} if name in sys.modules])"

    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "[]"
