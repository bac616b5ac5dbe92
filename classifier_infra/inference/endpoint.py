"""A SageMaker BlazingText endpoint as a classifier, with retries, a deadline and a circuit breaker."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from classifier_infra.inference.classifier import ClassifierRejected, ClassifierUnavailable
from classifier_infra.inference.deadline import NO_DEADLINE, Bounded, Deadline
from classifier_infra.inference.events import EndpointFailed, Report
from classifier_infra.inference.invocation import UnusableAnswer, judge, plan_payloads, read_scores
from classifier_infra.model.decoding import UnexpectedScores
from classifier_infra.model.model import Model
from classifier_infra.model.prediction import Caution, Prediction

if TYPE_CHECKING:
    from types_boto3_sagemaker_runtime import SageMakerRuntimeClient

T = TypeVar("T")

# The service's limits for one invocation, in bytes. botocore enforces neither; the service answers 413.
REAL_TIME_BYTES = 6_291_456
SERVERLESS_BYTES = 4_194_304

# With less time than this an invocation is not tried: the answer would be late, and count as the endpoint's failure.
_LEAST_SECONDS = 0.05

# --- Circuit breaker ----------------------------------------------------------------------------------------

FAILURES_TO_OPEN = 3
FIRST_PAUSE = 1.0  # seconds
LONGEST_PAUSE = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class CircuitBreaker:
    """Consecutive failures, and when the endpoint may be called again (in seconds of one clock)."""

    failures: int = 0
    retry_at: float = float("-inf")

    def allows(self, now: float) -> bool:
        return now >= self.retry_at

    def after_success(self) -> "CircuitBreaker":
        return CircuitBreaker()

    def after_failure(self, now: float) -> "CircuitBreaker":
        failures = self.failures + 1
        if failures < FAILURES_TO_OPEN:
            return CircuitBreaker(failures)
        pause = min(FIRST_PAUSE * 2.0 ** min(failures - FAILURES_TO_OPEN, 30), LONGEST_PAUSE)
        # Jitter, because many instances of a function see the same outage.
        return CircuitBreaker(failures, now + pause * random.uniform(0.5, 1.0))  # noqa: S311, not for secrets


# --- Connection ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """Settings for calling the endpoint. `patience` is the time in seconds for all tries of a call and their pauses."""

    name: str
    max_bytes: int = REAL_TIME_BYTES
    patience: float = 10.0
    tries: int = 3


class Endpoint:
    """The connection to an endpoint, with its circuit breaker.

    For one caller at a time, as in a Lambda function: two could both probe a failing endpoint.
    """

    def __init__(self, client: "SageMakerRuntimeClient", settings: EndpointSettings, report: Report) -> None:
        self.settings = settings
        self._client = client
        self._report = report
        self._breaker = CircuitBreaker()
        self._bounded = Bounded()

    def invoke(self, body: bytes, read: Callable[[bytes], T], deadline: Deadline) -> T:
        """Send a body and return what `read` makes of the answer; `read` may raise UnusableAnswer, UnexpectedScores.

        Raises ClassifierUnavailable (at once while the circuit breaker is open) and ClassifierRejected.
        """
        self._check_worth_calling(deadline)
        try:
            answer = self._retry(body, read, deadline.at_most(self.settings.patience))
        except ClassifierRejected:
            self._breaker = self._breaker.after_success()  # it answers
            raise
        except ClassifierUnavailable as error:
            self._breaker = self._breaker.after_failure(time.monotonic())
            self._report(EndpointFailed(str(error)))
            raise
        self._breaker = self._breaker.after_success()
        return answer

    def _check_worth_calling(self, deadline: Deadline) -> None:
        if deadline.left() < _LEAST_SECONDS:
            raise ClassifierUnavailable("no time is left to ask the endpoint")
        if not self._breaker.allows(time.monotonic()):
            raise ClassifierUnavailable(f"the endpoint is not asked: it failed {self._breaker.failures} times in a row")

    def _retry(self, body: bytes, read: Callable[[bytes], T], deadline: Deadline) -> T:
        tries = 0
        while True:
            tries += 1
            try:
                return read(self._bounded.call(lambda: self._call(body), deadline))
            except TimeoutError as error:
                raise ClassifierUnavailable("no answer from the endpoint in time") from error
            except (UnusableAnswer, UnexpectedScores) as error:
                raise ClassifierUnavailable(f"the endpoint's answer cannot be used ({error})") from error
            except (BotoCoreError, ClientError) as error:
                failure = judge(error)
                pause = None if failure.pause is None else failure.pause * 2 ** (tries - 1)
                if pause is None or tries == self.settings.tries or pause + _LEAST_SECONDS > deadline.left():
                    raise failure.error from error
                time.sleep(pause)

    def _call(self, body: bytes) -> bytes:
        response = self._client.invoke_endpoint(
            EndpointName=self.settings.name, ContentType="application/json", Accept="application/json", Body=body
        )
        return response["Body"].read()


def build_endpoint(settings: EndpointSettings, report: Report) -> Endpoint:
    """Build an endpoint on boto3, which reads the region, credentials and another URL from the environment."""
    import boto3  # here, so that a function with an embedded model does not import it
    from botocore.config import Config

    config = Config(
        connect_timeout=1.0,
        # Only ends calls that were abandoned, so it must not come before `patience` has passed.
        read_timeout=settings.patience + 1.0,
        # Endpoint retries itself: botocore does not retry every transient error, nor know the deadline.
        retries={"total_max_attempts": 1, "mode": "standard"},
        tcp_keepalive=True,
    )
    return Endpoint(boto3.client("sagemaker-runtime", config=config), settings, report)


# --- Classifier ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EndpointClassifier:
    """An endpoint that serves `model`. `caution` is a reason not to act on its predictions."""

    endpoint: Endpoint
    model: Model
    caution: Caution | None = None

    def predict(self, texts: Sequence[str], deadline: Deadline = NO_DEADLINE) -> list[Prediction]:
        """Implement Predictor with one invocation, or more if the texts or their answers exceed its limit."""
        words = self.model.normalise(texts)
        predictions: list[Prediction] = []
        for payload in plan_payloads(words, self.model.raw_labels, self.endpoint.settings.max_bytes):
            carried = words[len(predictions) : len(predictions) + payload.count]
            predictions += self.endpoint.invoke(payload.body, partial(self._read, carried), deadline)
        return predictions

    def _read(self, words: Sequence[str], answer: bytes) -> list[Prediction]:
        return [
            self.model.predict(text, scores, "endpoint", self.caution)
            for text, scores in zip(words, read_scores(answer, len(words)), strict=True)
        ]
