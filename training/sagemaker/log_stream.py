"""The log of a job in CloudWatch, read on from where the last look ended."""

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from training.sagemaker.aws import explaining

TRAINING_GROUP = "/aws/sagemaker/TrainingJobs"
_LAST_LINES = 10


class LogStream:
    """The lines of all streams of a job; there are none before its machine has started."""

    def __init__(self, client: Any, job: str, group: str = TRAINING_GROUP) -> None:
        self._client = client
        self._group = group
        self._prefix = f"{job}/"
        self._tokens: dict[str, str] = {}

    def new_lines(self) -> Iterator[str]:
        """Give the lines that there were not at the last call. Raises JobError."""
        for stream in self._streams():
            yield from self._read(stream)

    def _streams(self) -> list[str]:
        with explaining():
            try:
                found = self._client.describe_log_streams(logGroupName=self._group, logStreamNamePrefix=self._prefix)
            except ClientError as error:
                if error.response["Error"]["Code"] == "ResourceNotFoundException":
                    return []
                raise
        return [stream["logStreamName"] for stream in found["logStreams"]]

    def _read(self, stream: str) -> Iterator[str]:
        while True:
            before = self._tokens.get(stream)
            token = {"nextToken": before} if before else {}
            with explaining():
                page = self._client.get_log_events(
                    logGroupName=self._group, logStreamName=stream, startFromHead=True, **token
                )
            self._tokens[stream] = page["nextForwardToken"]
            for event in page["events"]:
                yield from event["message"].splitlines()
            # The end is where CloudWatch gives the token back that it was given.
            if page["nextForwardToken"] == before or not page["events"]:
                return


def last_lines(lines: list[str]) -> list[str]:
    """Give the lines that tell why a job has failed, as far as a log does: its end."""
    return [line for line in lines if line.strip()][-_LAST_LINES:]
