"""Lambda entry: POST /slack/events and POST /slack/commands."""

import logging
import os
import time
from collections.abc import Mapping
from functools import cache
from typing import Any

from bot.http.proxy import Answer
from bot.http.slack_events import handle
from bot.queue.sender import SqsQueue, build_queue
from bot.settings import read_signing_secret, require

# Lambda's own log handler is used, because Powertools would lengthen every cold start of this function.
logging.getLogger("bot").setLevel(os.environ.get("POWERTOOLS_LOG_LEVEL") or os.environ.get("LOG_LEVEL") or "INFO")


@cache
def _front() -> tuple[str, SqsQueue]:
    """Return the signing secret and the queue, which an instance of the function keeps between calls."""
    return read_signing_secret(os.environ), build_queue(require(os.environ, "TRIAGE_QUEUE_URL"))


def handler(event: Mapping[str, Any], context: object) -> Answer:
    """Raises MissingSetting."""
    return handle(event, *_front(), time.time())
