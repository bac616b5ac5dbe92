"""How a queue hands messages out: fairly, or in the ways that SQS allows itself."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from enum import StrEnum
from typing import Any

Event = Mapping[str, Any]
Handle = Callable[[Event], Mapping[str, Any]]
"""Handles a batch and gives `batchItemFailures`."""


class HandingOut(StrEnum):
    """The value is its name in tables."""

    FAIR = "fair"
    TWICE = "SQS: each message to two workers at once, who race for each row"
    AGAIN = "SQS: once more, after it was handled"
    NEWEST_FIRST = "SQS: out of order, the newest first"


def hand_out(way: HandingOut, event: Event, workers: tuple[Handle, ...]) -> dict[str, Any]:
    """Hand a batch to the first of the workers, and for TWICE to all of them; give what has to be delivered again."""
    batch = {"Records": sorted(event["Records"], key=_sent_at, reverse=way is HandingOut.NEWEST_FIRST)}
    if way is HandingOut.TWICE:
        with ThreadPoolExecutor(len(workers)) as pool:
            answers = list(pool.map(lambda handle: handle(batch), workers))
    else:
        answers = [workers[0](batch)]
    failed = {failure["itemIdentifier"] for answer in answers for failure in answer.get("batchItemFailures", [])}
    if way is HandingOut.AGAIN:
        failed |= {each["messageId"] for each in batch["Records"] if _tries(each) == 1}
    return {"batchItemFailures": [{"itemIdentifier": each} for each in sorted(failed)]}


def _tries(record: Mapping[str, Any]) -> int:
    return int(record["attributes"]["ApproximateReceiveCount"])


def _sent_at(record: Mapping[str, Any]) -> int:
    return int(record["attributes"]["SentTimestamp"])
