"""What stands in for the classifier, the queue, the settings and the clock in the bot's tests."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bot.pipeline.webhooks import Call
from bot.policy.policy import Policy
from bot.policy.settings import TeamSettings
from bot.queue.messages import Record
from bot.slack.blocks import View
from classifier_infra.inference.classifier import ClassifierRejected
from classifier_infra.model.manifest import Manifest
from classifier_infra.model.prediction import Prediction


class Clock:
    """A clock that only the test moves. It starts now, because Slack's and the table's times are compared with it."""

    def __init__(self) -> None:
        self.now = time.time()

    def __call__(self) -> float:
        return self.now


@dataclass
class KeywordClassifier:
    """Classify by the words `billing`, `technical` and `urgent`; reject `poison`; raise `failure` if it is set."""

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


@dataclass
class FixedSettings:
    """The same settings for every team; `held` can be replaced."""

    held: TeamSettings

    def load(self, team: str, now: float) -> TeamSettings:
        return self.held

    def policy_of(self, team: str, version: int | None, now: float) -> Policy:
        return self.held.policy


class RecordingQueue:
    """A queue sender that keeps the records it is sent, with the delay of each in seconds."""

    def __init__(self) -> None:
        self.sent: list[tuple[Record, float]] = []
        self.due: list[float | None] = []
        self.since: list[float | None] = []
        self.failure: Exception | None = None

    def send(self, record: Record, delay: float = 0, due: float | None = None, since: float | None = None) -> None:
        if self.failure:
            raise self.failure
        self.sent.append((record, delay))
        self.due.append(due)
        self.since.append(since)

    @property
    def records(self) -> list[Record]:
        return [record for record, _ in self.sent]


class NoRateLimit:
    """A rate limiter that never delays: tests share the channels and the table."""

    def take(self, line: str, interval: float, now: float, longest: float | None = None) -> float:
        return now


class NoCalls:
    """A webhook caller for tests in which no webhook is due."""

    def __call__(self, call: Call) -> None:
        raise AssertionError("no webhook is called here")


class Answers:
    """Keep what is answered at which response_url, or raise `failure` if it is set."""

    def __init__(self) -> None:
        self.given: list[tuple[str, View]] = []
        self.failure: Exception | None = None

    def __call__(self, url: str, view: View, replace: bool = False) -> None:
        if self.failure:
            raise self.failure
        self.given.append((url, view))
