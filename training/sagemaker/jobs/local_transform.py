"""Batch classification with the local endpoint, a server in its own process with SageMaker's HTTP API."""

import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

from classifier_infra.inference.classifier import Answer, ClassifierUnavailable, predict_each
from classifier_infra.inference.endpoint import Endpoint, EndpointClassifier, EndpointSettings
from classifier_infra.model.model import Model
from training.sagemaker import JobError
from training.sagemaker.jobs.batch import Parts, Shard, answers_of, write_answers

_NAME = "past-messages"
# One thread decodes while the other waits for an answer.
_THREADS = 2
_PATIENCE_SECONDS = 60.0


@contextmanager
def local_endpoint(model: Path) -> Iterator[str]:
    """Serve a model folder on a free port of 127.0.0.1 and yield the URL. Raises JobError."""
    command = [sys.executable, "-m", "classifier_infra", "serve", str(model), "--port", "0", "--endpoint-name", _NAME]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603 (this Python, our module)
        assert process.stdout is not None, "requested above"
        try:
            words = process.stdout.readline().split()
            if not words:
                raise JobError("the local endpoint did not start; see its message above")
            yield words[-1]
        finally:
            process.terminate()


def classify_locally(
    url: str, model: Model, shards: Iterable[Shard], parts: Parts, on_done: Callable[[int], object]
) -> None:
    """Classify the shards without a part yet. Raises JobError if the endpoint fails; finished parts stay."""
    idle: SimpleQueue[EndpointClassifier] = SimpleQueue()
    for _ in range(_THREADS):
        idle.put(EndpointClassifier(_connect(url), model))

    def work(shard: Shard) -> int:
        if not parts.has(shard):
            classifier = idle.get()
            try:
                parts.put(shard, write_answers(shard, _classify(classifier, shard)))
            finally:
                idle.put(classifier)
        return len(shard.messages)

    for count in _spread(work, shards):
        on_done(count)


def _classify(classifier: EndpointClassifier, shard: Shard) -> dict[int, Answer | str]:
    answers = predict_each(classifier, [message.text for message in shard.messages if not message.fault])
    for answer in answers:
        if isinstance(answer, ClassifierUnavailable):
            raise JobError(f"the endpoint failed: {answer}. Run the command again to resume")
    return answers_of(shard, answers)


def _spread(work: Callable[[Shard], int], shards: Iterable[Shard]) -> Iterator[int]:
    """Process shards in parallel, reading only a few ahead."""
    with ThreadPoolExecutor(_THREADS) as pool:
        pending: deque[Future[int]] = deque()
        for shard in shards:
            pending.append(pool.submit(work, shard))
            if len(pending) > _THREADS:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()


def _connect(url: str) -> Endpoint:
    import boto3  # here, so that other commands do not wait for it
    from botocore.config import Config

    client = boto3.client(
        "sagemaker-runtime",
        endpoint_url=url,
        region_name="us-east-1",  # the local endpoint ignores region and credentials
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106
        config=Config(read_timeout=_PATIENCE_SECONDS, retries={"total_max_attempts": 1, "mode": "standard"}),
    )
    return Endpoint(client, EndpointSettings(_NAME, patience=_PATIENCE_SECONDS), lambda event: None)
