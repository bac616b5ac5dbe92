"""Each fault as an HTTP client meets it."""

import asyncio
import gc
import socket
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from benchmarks.faults.proxy import Faults, Proxy, ProxyLoop
from benchmarks.faults.rules import Fault, Rule


@dataclass
class Server:
    """A server behind a proxy, the requests that reached it, the kills of its client and the seconds skipped."""

    faults: Faults = field(default_factory=Faults)
    reached: list[bytes] = field(default_factory=list)
    kills: list[None] = field(default_factory=list)
    skipped: list[float] = field(default_factory=list)
    url: str = ""

    def post(self, body: bytes = b"hello", **headers: str) -> str:
        with httpx2.Client(trust_env=False, timeout=2) as client:
            return client.post(self.url, content=body, headers=headers).raise_for_status().text


@pytest.fixture
def server(serve) -> Iterator[Server]:
    server = Server()

    async def take(request):
        server.reached.append(await request.body())
        return PlainTextResponse("a whole answer")

    upstream = serve(Starlette(routes=[Route("/{path:path}", take, methods=["POST"])]))
    loop = ProxyLoop()
    proxy = Proxy("worker", "sqs", server.faults, lambda: server.kills.append(None), upstream, server.skipped.append)
    loop.run(proxy.start())
    server.url = proxy.url
    yield server
    loop.run(proxy.stop())
    loop.close()


def test_without_a_rule_requests_and_answers_go_through_unchanged(server):
    assert server.post() == "a whole answer"
    assert server.reached == [b"hello"]


@pytest.mark.parametrize(
    ("fault", "reached"),
    [(Fault.RESET, 0), (Fault.LOST, 1), (Fault.TRUNCATED, 1), (Fault.KILL_BEFORE, 0), (Fault.KILL_AFTER, 1)],
)
def test_a_broken_request_has_or_has_not_reached_the_server_and_the_next_one_goes_through(server, fault, reached):
    server.faults.set(Rule(fault, "sqs:*"))

    with pytest.raises(httpx2.HTTPError):
        server.post()

    assert len(server.reached) == reached
    assert server.post() == "a whole answer"
    assert len(server.kills) == (fault in (Fault.KILL_BEFORE, Fault.KILL_AFTER))


@pytest.mark.parametrize(("fault", "status"), [(Fault.THROTTLED, 400), (Fault.ERROR, 500)])
def test_an_error_response_has_its_status_and_the_server_is_not_reached(server, fault, status):
    server.faults.set(Rule(fault, "sqs:*"))

    with pytest.raises(httpx2.HTTPStatusError) as raised:
        server.post()

    assert (raised.value.response.status_code, server.reached) == (status, [])


def test_a_service_that_is_down_refuses_connections(server):
    server.faults.set(Rule(Fault.REFUSED, "sqs:*"))
    with pytest.raises(httpx2.HTTPError):
        server.post()

    with pytest.raises(httpx2.ConnectError):
        server.post()


def test_a_delayed_message_is_sent_at_once_and_time_is_skipped(server):
    server.post(b'{"DelaySeconds": 60, "MessageBody": "x"}', **{"x-amz-target": "AmazonSQS.SendMessage"})

    assert (server.reached, server.skipped) == ([b'{"MessageBody": "x"}'], [60.0])


@pytest.mark.parametrize("turns", range(5))
def test_connections_accepted_while_a_service_goes_down_are_closed(turns):
    async def go_down_amid_connections():
        proxy = Proxy("worker", "slack", Faults(), lambda: None, "http://127.0.0.1:9", lambda seconds: None)
        await proxy.start()
        peers = [socket.create_connection(("127.0.0.1", proxy.port)) for _ in range(3)]
        for _ in range(turns):  # varies how far asyncio is in accepting them
            await asyncio.sleep(0)
        await proxy.stop()
        for peer in peers:
            peer.close()
        for _ in range(10):
            await asyncio.sleep(0)

    with warnings.catch_warnings(record=True) as left_open:
        warnings.simplefilter("always", ResourceWarning)
        asyncio.run(go_down_amid_connections())
        gc.collect()

    assert [str(each.message) for each in left_open] == []
