"""Lambda entry: POST /slack/events and POST /slack/commands."""

import logging
import os
import time
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from bot.http.proxy import Answer, answer_verified
from bot.http.slack_events import handle
from bot.queue.sender import SqsQueue, build_queue
from bot.settings import Renewed, read_signing_secret, require

# Lambda's own log handler is used, because Powertools would lengthen every cold start of this function.
logging.getLogger("bot").setLevel(os.environ.get("POWERTOOLS_LOG_LEVEL") or os.environ.get("LOG_LEVEL") or "INFO")


@cache
def _front() -> tuple[Renewed[str], SqsQueue, SqsQueue]:
    """Return the signing secret and the queues, which an instance of the function keeps between calls."""
    secret = Renewed(lambda: read_signing_secret(os.environ), time.time)
    queue = build_queue(require(os.environ, "TRIAGE_QUEUE_URL"))
    return secret, queue, replace(queue, url=require(os.environ, "SWITCHES_QUEUE_URL"))


def handler(event: Mapping[str, Any], context: object) -> Answer:
    """Raises MissingSetting."""
    secret, queue, switches = _front()
    return answer_verified(secret, lambda known: handle(event, known, queue, time.time(), switches))
