"""What the bot's tests stand on: a taxonomy, a classifier of keywords, real DynamoDB and SQS, a stand-in Slack."""

import hashlib
import hmac
import json
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import boto3
import httpx2
import pytest
from slack_sdk import WebClient

from bot.pipeline.command_handler import CommandHandler
from bot.pipeline.effects import Effects
from bot.pipeline.follow_ups import FollowUps
from bot.pipeline.idempotency import Idempotency
from bot.pipeline.webhooks import Call
from bot.policy.policy import Policy
from bot.policy.settings import Switches, TeamSettings
from bot.queue.messages import MessageRecord, Record
from bot.queue.sender import QueueUnavailable
from bot.sandbox.resources import create_queues, create_tables
from bot.sandbox.slack.seed import build_workspace
from bot.sandbox.slack.server import Server, create_app
from bot.sandbox.slack.settings import Settings
from bot.sandbox.slack.workspace import Message, Workspace
from bot.slack.blocks import View
from bot.slack.client import SlackActions
from bot.store.digests import Digests
from bot.store.ledger import Ledger
from bot.store.rotations import RoundRobin
from bot.store.settings import SettingsStore
from bot.store.stats import StatsStore
from bot.triage.case import FacetResult
from bot.ui.dialog import build_notice
from classifier_infra.inference.classifier import ClassifierRejected
from classifier_infra.model.explanation import Explanation, WordContribution
from classifier_infra.model.manifest import Facet, Label, Manifest
from classifier_infra.model.prediction import FacetPrediction, Prediction, Score

SIGNING_SECRET = "signing-secret-of-the-tests"
TOKEN = "xoxb-of-the-tests"
AWS = {"region_name": "eu-central-1", "aws_access_key_id": "test", "aws_secret_access_key": "test"}


class Clock:
    """Moves only when told. It starts now, because Slack's and the table's times are compared with it."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


# --- A taxonomy and what is read by it ----------------------------------------------------------------------


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


@dataclass
class KeywordClassifier:
    """Reads the words `billing`, `technical` and `urgent`; refuses texts with `poison`; `failure` breaks all calls."""

    manifest: Manifest
    build: Callable[..., Prediction]
    failure: Exception | None = None
    calls: list[list[str]] = field(default_factory=list)

    def predict(self, texts: Sequence[str]) -> list[Prediction]:
        self.calls.append(list(texts))
        if self.failure:
            raise self.failure
        if any("poison" in text for text in texts):
            raise ClassifierRejected("the endpoint refused the texts")
        return [self._read(text) for text in texts]

    def _read(self, text: str) -> Prediction:
        category = next((word for word in ("billing", "technical") if word in text), None)
        return self.build(
            category={category: 0.95} if category else {"general": 0.4},
            urgency={"high" if "urgent" in text else "normal": 0.9},
            tone={"neutral": 0.9},
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


@dataclass
class FixedSettings:
    """Settings that are the same for every team; what holds can be changed in place."""

    held: TeamSettings

    def load(self, team: str, now: float) -> TeamSettings:
        return self.held


@pytest.fixture
def settings_of() -> Callable[..., FixedSettings]:
    """Build the settings of every team from a policy, and what has been switched on top of it."""

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
    """Give the bodies of the messages that are in the queue."""

    def receive() -> list[str]:
        answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)
        return [message["Body"] for message in answer.get("Messages", [])]

    return receive


@pytest.fixture
def aws_environment(monkeypatch, ministack_url) -> None:
    """Lead clients that are built from the environment to ministack."""
    for name in ("AWS_ENDPOINT_URL_SQS", "AWS_ENDPOINT_URL_DYNAMODB"):
        monkeypatch.setenv(name, ministack_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", AWS["region_name"])
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")


class Later:
    """A queue, as far as it is sent to: records, with the seconds each has to wait."""

    def __init__(self) -> None:
        self.sent: list[tuple[Record, float]] = []
        self.due: list[float | None] = []
        self.failure: Exception | None = None

    def send(self, record: Record, delay: float = 0, due: float | None = None) -> None:
        if self.failure:
            raise self.failure
        self.sent.append((record, delay))
        self.due.append(due)

    @property
    def records(self) -> list[Record]:
        return [record for record, _ in self.sent]


@pytest.fixture
def later() -> Later:
    """The queue `effects`."""
    return Later()


@pytest.fixture
def queue() -> Later:
    """The queue that the functions which Slack calls hand in to."""
    return Later()


@pytest.fixture
def broken_queue() -> Later:
    queue = Later()
    queue.failure = QueueUnavailable("SQS did not take the record (EndpointConnectionError)")
    return queue


class OpenRoad:
    """A pace that keeps nobody waiting, for what is not about pace: tests share the channels and the table."""

    def take(self, line: str, interval: float, now: float, longest: float | None = None) -> float:
        return now


@pytest.fixture
def build_steps(dynamodb, ledger_table, ledger, later) -> Callable[..., Idempotency]:
    """Build what carries steps out; name only what the test is about."""

    def build(**changes: Any) -> Idempotency:
        values: dict[str, Any] = {
            "ledger": ledger,
            "rate_limiter": OpenRoad(),
            "summaries": Digests(dynamodb, ledger_table),
            "later": later,
            "now": time.time,
        }
        return Idempotency(**values | changes)

    return build


class NoCalls:
    """Webhooks for what is not about them."""

    def __call__(self, call: Call) -> None:
        raise AssertionError("no webhook is called here")


@pytest.fixture
def build_duties(dynamodb, ledger_table) -> Callable[..., FollowUps]:
    """Build what rules ask for beside posts; `call` calls webhooks."""

    def build(
        actions: SlackActions, steps: Idempotency, held: FixedSettings, call: Callable[[Call], None] | None = None
    ) -> FollowUps:
        return FollowUps(actions, steps, held, RoundRobin(dynamodb, ledger_table), call or NoCalls())

    return build


@pytest.fixture
def build_effects(build_duties, manifest) -> Callable[..., Effects]:
    """Build what acts in Slack."""

    def build(
        actions: SlackActions, steps: Idempotency, held: FixedSettings, call: Callable[[Call], None] | None = None
    ) -> Effects:
        return Effects(actions, steps, manifest, held, build_duties(actions, steps, held, call))

    return build


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


class LossyClient(WebClient):
    """Loses the next answer of the methods in `lose`: Slack has done what was asked, and nobody hears of it."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.lose: list[str] = []

    def api_call(self, api_method: str, **options: Any) -> Any:
        answer = super().api_call(api_method, **options)
        if api_method in self.lose:
            self.lose.remove(api_method)
            raise TimeoutError("the read operation timed out")
        return answer


@dataclass
class SlackStandIn:
    """A stand-in Slack over HTTP; `workspace` is what people see in it."""

    url: str
    workspace: Workspace
    client: LossyClient
    installation: Any

    def write(self, text: str, channel: str = "C0SUPPORT", user: str = "U0MAYA") -> str:
        """Write a message as a person and give its ts."""
        return str(self._do("messages", channel=channel, user=user, text=text)["ts"])

    def edit(self, ts: str, text: str, channel: str = "C0SUPPORT", user: str = "U0MAYA") -> None:
        """Edit a message as its author."""
        self._do("messages/edit", channel=channel, user=user, ts=ts, text=text)

    def delete(self, ts: str, channel: str = "C0SUPPORT", user: str = "U0MAYA") -> None:
        """Delete a message as its author."""
        self._do("messages/delete", channel=channel, user=user, ts=ts)

    def _do(self, what: str, **wish: str) -> Any:
        answer = httpx2.post(f"{self.url}/sandbox/{what}", json=wish, timeout=10)
        return answer.raise_for_status().json()

    def thread(self, ts: str, channel: str = "C0SUPPORT") -> list[Message]:
        """Give the answers to a message."""
        return self.workspace.channel(channel).thread(ts)[1:]

    def posts(self, channel: str) -> list[Message]:
        return list(self.workspace.channel(channel).messages.values())

    def reactions(self, ts: str, channel: str = "C0SUPPORT") -> list[str]:
        return [each.name for each in self.workspace.channel(channel).message(ts).reactions]

    def calls(self, method: str) -> int:
        return sum(call.method == method for call in self.installation.calls)


@pytest.fixture
def team() -> str:
    """A workspace that no other test knows."""
    return f"T{uuid.uuid4().hex.upper()}"


@pytest.fixture
def slack(serve) -> SlackStandIn:
    workspace = build_workspace(time.time)
    app = create_app(workspace, Settings(SIGNING_SECRET, TOKEN))
    url = serve(Server(app))
    client = LossyClient(TOKEN, base_url=f"{url}/api/", retry_handlers=[], timeout=4)
    return SlackStandIn(url, workspace, client, app.state.installation)


@pytest.fixture
def dialog(slack) -> str:
    """A dialog that Anna has open; its id."""
    trigger = slack.installation.interaction_tokens.issue_trigger("U0ANNA")
    return str(slack.client.views_open(trigger_id=trigger, view=build_notice("…"))["view"]["id"])


@pytest.fixture
def shown_dialog(slack, dialog) -> Callable[[], str]:
    """Give what the open dialog shows, as JSON."""
    return lambda: json.dumps(slack.installation.modals[dialog].form, ensure_ascii=False)


# --- Answers ------------------------------------------------------------------------------------------------


class Answers:
    """Notes what is answered at which response_url, or fails as it is told."""

    def __init__(self) -> None:
        self.given: list[tuple[str, View]] = []
        self.failure: Exception | None = None

    def __call__(self, url: str, view: View, replace: bool = False) -> None:
        if self.failure:
            raise self.failure
        self.given.append((url, view))


@pytest.fixture
def answers() -> Answers:
    return Answers()


@pytest.fixture
def command_handler(slack, ledger, manifest, build_steps, answers) -> CommandHandler:
    """The bot's answers, of a team that routes two of its labels."""
    store = SettingsStore(ledger.client, ledger.table, Policy(routes={"billing": "C0BILLING", "technical": "C0TECH"}))
    stats = StatsStore(ledger.client, ledger.table)
    return CommandHandler(manifest, _explain, store, stats, SlackActions(slack.client), build_steps(), answers)


def _explain(text: str, facet: str, label: str) -> Explanation:
    """The longer a word, the more it says."""
    words = [WordContribution(word, place, float(len(word)), known=True) for place, word in enumerate(text.split())]
    return Explanation(facet, label, 1.0, 0.0, tuple(words))
