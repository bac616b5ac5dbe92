"""The scheduler invokes the functions that serverless.yml schedules, and goes on after a failure."""

import threading
from pathlib import Path

import pytest

from bot.sandbox.gateway import Function
from bot.sandbox.scheduler import Scheduler, read_rates

ROOT = Path(__file__).parents[3]


def test_the_rates_are_those_that_are_deployed():
    assert read_rates(ROOT / "serverless.yml") == {"scheduled": 1800}


def test_a_schedule_of_another_kind_is_refused(tmp_path):
    path = tmp_path / "serverless.yml"
    path.write_text('functions: {report: {events: [{schedule: "cron(0 9 * * ? *)"}]}}', encoding="utf-8")

    with pytest.raises(ValueError, match="cron"):
        read_rates(path)


def test_a_function_that_fails_is_invoked_again(caplog):
    invocations = threading.Semaphore(0)

    def handler(event, context):
        invocations.release()
        raise RuntimeError("no Slack today")

    scheduler = Scheduler(Function("scheduled", handler), seconds=0.01)
    scheduler.start()

    assert all(invocations.acquire(timeout=10) for _ in range(2))
    scheduler.stop()
    assert "The function scheduled raised" in caplog.text
