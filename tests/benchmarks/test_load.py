"""The load that benchmarks put on a server: every request is sent, and every reply is looked at."""

import json
import subprocess
import sys
from pathlib import Path

from classifier_infra.local.asgi import Reply
from classifier_infra.local.server import serving

ROOT = Path(__file__).parents[2]


def load(url, *options):
    command = [sys.executable, "-m", "benchmarks.load", url.rpartition(":")[2], "/path", *options]
    return json.loads(subprocess.run(command, cwd=ROOT, input=b"body", stdout=subprocess.PIPE, check=True).stdout)


def test_all_requests_are_sent_and_timed():
    seen = []

    def app(request):
        seen.append((request.method, request.path, request.body))
        return Reply(200, b"answer")

    with serving(app) as url:
        figures = load(url, "--count", "50", "--connections", "3")

    assert seen == [("POST", "/path", b"body")] * 51  # one more to learn the answer
    assert (figures["requests"], figures["wrong"], figures["answer"]) == (50, 0, "answer")
    assert 0 < figures["p50"] <= figures["p99"]


def test_another_answer_than_the_first_is_counted():
    replies = iter([Reply(200, b"a"), *[Reply(200, b"a"), Reply(200, b"b"), Reply(500, b"a"), Reply(200, b"a")]])

    with serving(lambda request: next(replies)) as url:
        figures = load(url, "--count", "2", "--connections", "1")

    assert figures["wrong"] == 1


def test_a_run_ends_in_time():
    with serving(lambda request: Reply(200, delay=0.01)) as url:
        figures = load(url, "--count", "1000000", "--connections", "1", "--seconds", "0.1")

    assert 0 < figures["requests"] < 100
