"""The load generator sends every request, and checks every reply."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from classifier_infra.local.server import serving

ROOT = Path(__file__).parents[2]


def load(url, *options):
    command = [sys.executable, "-m", "benchmarks.load", url.rpartition(":")[2], "/path", *options]
    return json.loads(subprocess.run(command, cwd=ROOT, input=b"body", stdout=subprocess.PIPE, check=True).stdout)


def app_of(answer):
    """Build an application from a function that answers a request, given its body."""

    async def endpoint(request):
        return answer(request, await request.body())

    return Starlette(routes=[Route("/path", endpoint, methods=["POST"])])


def test_all_requests_are_sent_and_timed():
    seen = []

    def answer(request, body):
        seen.append((request.method, request.url.path, body))
        return Response(b"answer")

    with serving(app_of(answer)) as url:
        figures = load(url, "--count", "50", "--connections", "3")

    assert seen == [("POST", "/path", b"body")] * 51  # one more to learn the answer
    assert (figures["requests"], figures["wrong"], figures["answer"]) == (50, 0, "answer")
    assert 0 < figures["p50"] <= figures["p99"]


def test_answers_that_differ_from_the_first_are_counted():
    replies = iter([Response(b"a"), Response(b"a"), Response(b"b"), Response(b"a", 500), Response(b"a")])

    with serving(app_of(lambda request, body: next(replies))) as url:
        figures = load(url, "--count", "2", "--connections", "1")

    assert figures["wrong"] == 1


def test_a_run_ends_in_time():
    async def app(scope, receive, send):
        await asyncio.sleep(0.01)
        await Response()(scope, receive, send)

    with serving(app) as url:
        figures = load(url, "--count", "1000000", "--connections", "1", "--seconds", "0.1")

    assert 0 < figures["requests"] < 100
