"""Invoke functions at their `rate(…)` in serverless.yml, as EventBridge does."""

import logging
import re
import threading
from pathlib import Path

import yaml

from bot.sandbox.gateway import Function

_LOGGER = logging.getLogger(__name__)

_RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
_SECONDS = {"minute": 60, "hour": 3_600, "day": 86_400}


def read_rates(serverless_yml: Path) -> dict[str, int]:
    """Return function name → seconds between invocations, for every function with a schedule."""
    functions = yaml.safe_load(serverless_yml.read_text(encoding="utf-8"))["functions"]
    events = [(name, event) for name, function in functions.items() for event in function.get("events", [])]
    return {name: _seconds(event["schedule"]) for name, event in events if "schedule" in event}


def _seconds(schedule: str) -> int:
    rate = _RATE.fullmatch(schedule)
    if not rate:
        raise ValueError(f"the schedule {schedule!r} is not supported; use the form rate(30 minutes)")
    return int(rate[1]) * _SECONDS[rate[2]]


class Scheduler:
    """Invokes one function at a fixed rate, on a thread of its own, until it is stopped."""

    def __init__(self, function: Function, seconds: float) -> None:
        self._function = function
        self._seconds = seconds
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="scheduler", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=10)

    def _run(self) -> None:
        while not self._stopping.wait(self._seconds):
            try:
                self._function.invoke({})
            except Exception:  # as in Lambda, the next scheduled invocation makes up for it
                _LOGGER.exception("The function %s raised", self._function.name)
