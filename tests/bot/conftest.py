"""Fixtures of the bot's tests: a taxonomy with a classifier, DynamoDB and SQS, queues, and a stand-in Slack."""

import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import boto3
import pytest

from bot.policy.policy import Policy
from bot.policy.settings import Switches, TeamSettings
from bot.queue.messages import MessageRecord
from bot.queue.sender import QueueUnavailable
from bot.sandbox.resources import create_queues, create_tables
from bot.sandbox.slack.seed import build_workspace
from bot.sandbox.slack.server import Server, create_app
from bot.sandbox.slack.settings import Settings
from bot.store.ledger import Ledger
from bot.triage.case import FacetResult
from bot.ui.dialog import build_notice
from classifier_infra.model.manifest import Facet, Label, Manifest
from classifier_infra.model.prediction import FacetPrediction, Prediction, Score
from tests.bot.doubles import Clock, FixedSettings, KeywordClassifier, RecordingQueue
from tests.bot.stand_in_slack import SIGNING_SECRET, TOKEN, LossyClient, SlackStandIn

AWS = {"region_name": "eu-central-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}


@pytest.fixture
def clock() -> Clock:
    return Clock()


# --- A taxonomy, a classifier and a message ----------------------------------------------------------------------


def build_labels(*names: str) -> tuple[Label, ...]:
    return tuple(Label(name, name.capitalize()) for name in names)


@pytest.fixture
def manifest() -> Manifest:
    facets = (
        Facet("category", build_labels("billing", "technical", "general"), threshold=0.8),
        Facet("urgency", build_labels("low", "normal", "high"), threshold=0.7),
        Facet("tone", build_labels("negative", "neutral", "positive"), threshold=0.7),
    )
    return Manifest("model-1", "1", facets, "heads", 4.0, "0" * 64, 1)


@pytest.fixture
def predict(manifest) -> Callable[..., Prediction]:
    """Build a prediction: `predict(category={"billing": 0.9}, …)`; labels not named share what is left."""

    def build(**facets: Mapping[str, float]) -> Prediction:
        return Prediction(
            {facet.name: _spread(facet, facets.get(facet.name, {})) for facet in manifest.facets}, "model-1", "endpoint"
        )

    return build


def _spread(facet: Facet, given: Mapping[str, float]) -> FacetPrediction:
    others = [label.name for label in facet.labels if label.name not in given]
    rest = (1 - sum(given.values())) / len(others) if others else 0.0
    scores = [Score(name, given.get(name, rest)) for name in (label.name for label in facet.labels)]
    return FacetPrediction(tuple(sorted(scores, key=lambda score: -score.confidence)))


@pytest.fixture
def facet_results() -> tuple[FacetResult, ...]:
    """Billing, high urgency, perhaps negative."""
    return (
        FacetResult("category", (Score("billing", 0.94), Score("technical", 0.04), Score("general", 0.02)), sure=True),
        FacetResult("urgency", (Score("high", 0.88), Score("normal", 0.10), Score("low", 0.02)), sure=True),
        FacetResult("tone", (Score("negative", 0.55), Score("neutral", 0.40), Score("positive", 0.05)), sure=False),
    )


@pytest.fixture
def classifier(manifest, predict) -> KeywordClassifier:
    return KeywordClassifier(manifest, predict)


@pytest.fixture
def build_record() -> Callable[..., MessageRecord]:
    """Build a message's record; name only what the test is about."""

    def build(**changes: Any) -> MessageRecord:
        values: dict[str, Any] = {
            "team": "T0SANDBOX",
            "channel": "C0SUPPORT",
            "ts": "1700000000.000100",
            "author": "U0MAYA",
            "text": "a billing matter",
            "truncated": False,
            "bot": None,
            "received_at": 1_700_000_000,
        }
        return MessageRecord(**values | changes)

    return build


@pytest.fixture
def settings_of() -> Callable[..., FixedSettings]:
    """Build the settings of every team from a policy and the switches set beside it."""

    def build(policy: Policy, **switches: Any) -> FixedSettings:
        return FixedSettings(TeamSettings(policy, Switches(**switches)))

    return build


# --- AWS ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def dynamodb(ministack_url):
    return boto3.client("dynamodb", endpoint_url=ministack_url, **AWS)


@pytest.fixture(scope="session")
def sqs(ministack_url):
    return boto3.client("sqs", endpoint_url=ministack_url, **AWS)


@pytest.fixture(scope="session")
def ledger_table(dynamodb) -> str:
    """The table as it is deployed; use keys of your own in it."""
    return create_tables(dynamodb, f"bot-{uuid.uuid4().hex[:8]}")["LedgerTable"]


@pytest.fixture
def ledger(dynamodb, ledger_table) -> Ledger:
    return Ledger(dynamodb, ledger_table)


@pytest.fixture
def queue_url(sqs) -> str:
    return create_queues(sqs, f"bot-{uuid.uuid4().hex[:8]}")["TriageQueue"]


@pytest.fixture
def received(sqs, queue_url) -> Callable[[], list[str]]:
    """Return the bodies of the messages in the queue."""

    def receive() -> list[str]:
        answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)
        return [message["Body"] for message in answer.get("Messages", [])]

    return receive


@pytest.fixture
def aws_environment(monkeypatch, ministack_url) -> None:
    """Point clients that are built from the environment at ministack."""
    for name in ("AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_DYNAMODB"):
        monkeypatch.setenv(name, ministack_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", AWS["region_name"])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


@pytest.fixture
def later() -> RecordingQueue:
    """The `effects` queue."""
    return RecordingQueue()


@pytest.fixture
def queue() -> RecordingQueue:
    """The queue that the functions called by Slack send to."""
    return RecordingQueue()


@pytest.fixture
def broken_queue() -> RecordingQueue:
    queue = RecordingQueue()
    queue.failure = QueueUnavailable("SQS did not take the record (EndpointConnectionError)")
    return queue


# --- Slack --------------------------------------------------------------------------------------------------


@pytest.fixture
def signing_secret() -> str:
    return SIGNING_SECRET


@pytest.fixture
def signed_event() -> Callable[..., dict[str, Any]]:
    """Build the proxy event of a REST API for a request that Slack signed now."""

    def build(path: str, body: bytes, content_type: str, at: float | None = None) -> dict[str, Any]:
        timestamp = str(int(time.time() if at is None else at))
        digest = hmac.new(SIGNING_SECRET.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
        headers = {
            "Content-Type": content_type,
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": f"v0={digest}",
        }
        return {
            "resource": path,
            "path": path,
            "httpMethod": "POST",
            "headers": headers,
            "body": body.decode("utf-8"),
            "isBase64Encoded": False,
        }

    return build


@pytest.fixture
def team() -> str:
    """The ID of a workspace that no other test uses."""
    return f"T{uuid.uuid4().hex.upper()}"


@pytest.fixture
def slack(serve) -> SlackStandIn:
    workspace = build_workspace(time.time)
    app = create_app(workspace, Settings(SIGNING_SECRET, TOKEN))
    url = serve(Server(app))
    client = LossyClient(TOKEN, base_url=f"{url}/api/", retry_handlers=[])
    return SlackStandIn(url, workspace, client, app.state.installation)


@pytest.fixture
def dialog(slack) -> str:
    """The ID of a dialog that Anna has open."""
    trigger = slack.installation.interaction_tokens.issue_trigger("U0ANNA")
    return str(slack.client.views_open(trigger_id=trigger, view=build_notice("…"))["view"]["id"])


@pytest.fixture
def shown_dialog(slack, dialog) -> Callable[[], str]:
    """Return what the open dialog shows, as JSON."""
    return lambda: json.dumps(slack.installation.modals[dialog].form, ensure_ascii=False)


@pytest.fixture
def sweep_environ(aws_environment, dynamodb, tmp_path, slack, queue_url) -> dict[str, str]:
    """The settings of a sweep, with a ledger of its own: other tests' requests are not in this Slack's history."""
    (tmp_path / "policy.yml").write_text("version: 1\n", encoding="utf-8")
    return {
        "SLACK_BOT_TOKEN": slack.client.token,
        "SLACK_API_URL": f"{slack.url}/api/",
        "LEDGER_TABLE": create_tables(dynamodb, f"sweeping-{uuid.uuid4().hex[:8]}")["LedgerTable"],
        "TRIAGE_QUEUE_URL": queue_url,
        "POLICY_FILE": str(tmp_path / "policy.yml"),
    }
