"""A SageMaker BlazingText endpoint as a classifier: asked within the time there is, and no more often than it helps."""

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


import random

FAILURES_TO_OPEN = 3
FIRST_PAUSE = 1.0  # seconds
LONGEST_PAUSE = 60.0  # seconds


@dataclass(frozen=True, slots=True)
class CircuitBreaker:
    """Failures in a row, and the moment (seconds, of any one clock) from which on the service may be asked."""

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
        # Many instances of a function see the same outage; they should not all knock at the same moment.
        return CircuitBreaker(failures, now + pause * random.uniform(0.5, 1.0))  # noqa: S311, no secret hangs on it


T = TypeVar("T")

# The service model's cap on one invocation of a real-time endpoint; a serverless one takes 4 MB. botocore enforces
# neither, the service answers 413.
REAL_TIME_BYTES = 6_291_456
SERVERLESS_BYTES = 4_194_304

# Less is not worth the attempt: the answer would come too late, and the endpoint would count as slow.
_LEAST_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """How the endpoint is asked. Times are in seconds; `patience` is for all tries of one invocation and the pauses."""

    name: str
    max_bytes: int = REAL_TIME_BYTES
    patience: float = 10.0
    tries: int = 3


class Endpoint:
    """The connection to an endpoint, and what is remembered of its failures.

    For one caller at a time, as in a Lambda function: two would at worst probe a failing endpoint both.
    """

    def __init__(self, client: "SageMakerRuntimeClient", settings: EndpointSettings, report: Report) -> None:
        self.settings = settings
        self._client = client
        self._report = report
        self._breaker = CircuitBreaker()
        self._bounded = Bounded()

    def invoke(self, body: bytes, read: Callable[[bytes], T], deadline: Deadline) -> T:
        """Send a body and give what `read` makes of the answer; `read` may raise UnusableAnswer, UnexpectedScores.

        Raises ClassifierUnavailable (also without asking, while the endpoint keeps failing) and ClassifierRejected.
        """
        self._check_worth_asking(deadline)
        try:
            answer = self._try(body, read, deadline.at_most(self.settings.patience))
        except ClassifierRejected:
            self._breaker = self._breaker.after_success()  # it answers
            raise
        except ClassifierUnavailable as error:
            self._breaker = self._breaker.after_failure(time.monotonic())
            self._report(EndpointFailed(str(error)))
            raise
        self._breaker = self._breaker.after_success()
        return answer

    def _check_worth_asking(self, deadline: Deadline) -> None:
        if deadline.left() < _LEAST_SECONDS:
            raise ClassifierUnavailable("no time is left to ask the endpoint")
        if not self._breaker.allows(time.monotonic()):
            raise ClassifierUnavailable(f"the endpoint is not asked: it failed {self._breaker.failures} times in a row")

    def _try(self, body: bytes, read: Callable[[bytes], T], deadline: Deadline) -> T:
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
    """Build an endpoint on boto3, which takes region, credentials and another address from the environment.

    `AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME` is that address.
    """
    import boto3  # only here, so that a function that answers by itself does not pay for it
    from botocore.config import Config

    config = Config(
        connect_timeout=1.0,
        # Only ends calls that nobody waits for any more, so it may not come before patience has ended.
        read_timeout=settings.patience + 1.0,
        # Tries are made here: botocore repeats neither all that passes nor with an eye on the time.
        retries={"total_max_attempts": 1, "mode": "standard"},
        tcp_keepalive=True,
    )
    return Endpoint(boto3.client("sagemaker-runtime", config=config), settings, report)


@dataclass(frozen=True, slots=True)
class EndpointClassifier:
    """An endpoint that serves `model`. `caution` is why it is not to be relied upon, if so."""

    endpoint: Endpoint
    model: Model
    caution: Caution | None = None

    def predict(self, texts: Sequence[str], deadline: Deadline = NO_DEADLINE) -> list[Prediction]:
        """See client.Classifier. One invocation, unless the texts or their answers exceed what one may carry."""
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
