"""Lambda entry: POST /slack/events and POST /slack/commands."""

import logging
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from bot.http.proxy import Answer
from bot.http.slack_events import handle
from bot.queue.sender import SqsQueue, build_queue
from bot.settings import read_signing_secret, require

# Lambda's own handler writes what the package logs; Powertools would lengthen every cold start of this function.
logging.getLogger("bot").setLevel(os.environ.get("POWERTOOLS_LOG_LEVEL") or os.environ.get("LOG_LEVEL") or "INFO")


@dataclass(frozen=True, slots=True)
class Front:
    """What one instance of the function keeps between calls."""

    signing_secret: str = field(repr=False)
    queue: SqsQueue


@cache
def _front() -> Front:
    return Front(read_signing_secret(os.environ), build_queue(require(os.environ, "TRIAGE_QUEUE_URL")))


def handler(event: Mapping[str, Any], context: object) -> Answer:
    """Raises MissingSetting."""
    front = _front()
    return handle(event, front.signing_secret, front.queue, time.time())
