"""HTTP of the local endpoint, byte by byte."""

import asyncio
import socket
import threading

import pytest
from starlette.requests import Request
from starlette.responses import Response

from classifier_infra.local.app import MAX_BODY_BYTES, create_app
from classifier_infra.local.endpoint import Endpoint, Variant
from classifier_infra.local.faults import Fault
from classifier_infra.local.server import serving

OK = b"HTTP/1.1 200 OK\r\n"
ANSWER = b'[{"label": ["__label__billing"], "prob": [0.75]}]'


class Model:
    """Answers the same to every text, and keeps the texts."""

    def __init__(self):
        self.texts = []

    def scores(self, text, k):
        self.texts.append(text)
        return [(0.75, "__label__billing")]


def build_app(*faults, model=None):
    return create_app([Endpoint(name, [Variant("AllTraffic", model or Model())]) for name in ("quick", "slow")], faults)


def app_of(answer):
    """Build an application from a coroutine function that answers a request."""

    async def app(scope, receive, send):
        await (await answer(Request(scope, receive)))(scope, receive, send)

    return app


@app_of
async def echo(request):
    """Answer with the request's own method, path and body."""
    return Response(f"{request.method} {request.url.path} ".encode() + await request.body())


class Peer:
    """A plain socket, connected."""

    def __init__(self, url):
        host, _, port = url.removeprefix("http://").partition(":")
        self.socket = socket.create_connection((host, int(port)), timeout=30)
        self.stream = self.socket.makefile("rb")

    def send(self, *data):
        for part in data:
            self.socket.sendall(part)

    def head(self):
        """Read the head of the next reply: the status line, and the headers by their lower-case names."""
        status = self.stream.readline()
        headers = {}
        while (line := self.stream.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return status, headers

    def reply(self):
        status, headers = self.head()
        return status, self.stream.read(int(headers["content-length"]))

    def close(self):
        self.stream.close()
        self.socket.close()


@pytest.fixture
def connect():
    peers = []

    def connect(url):
        peers.append(Peer(url))
        return peers[-1]

    yield connect
    for peer in peers:
        peer.close()


def post(body, path=b"/"):
    return b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (path, len(body), body)


def invocation(endpoint=b"quick"):
    head = b"POST /endpoints/%s/invocations HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" % endpoint
    return head + b'Content-Length: 25\r\n\r\n{"instances": ["secret"]}'


def test_one_connection_serves_many_requests(connect):
    with serving(echo) as url:
        peer = connect(url)
        replies = []
        for body in (b"a", b"b"):
            peer.send(post(body))
            replies.append(peer.reply())

    assert replies == [(OK, b"POST / a"), (OK, b"POST / b")]


def test_a_reply_has_a_date_and_a_length_and_its_headers(connect):
    with serving(Response(b"{}", 424, {"x-amzn-RequestId": "1"})) as url:
        peer = connect(url)
        peer.send(post(b""))
        lines = [peer.stream.readline() for _ in range(5)]

    assert lines[0] == b"HTTP/1.1 424 Failed Dependency\r\n"
    assert lines[1].startswith(b"date: ")
    assert lines[1].endswith(b" GMT\r\n")
    assert lines[2:] == [b"x-amzn-requestid: 1\r\n", b"content-length: 2\r\n", b"\r\n"]


def test_a_request_may_come_in_pieces(connect):
    data = post(b"body", b"/path")

    with serving(echo) as url:
        peer = connect(url)
        peer.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer.send(*(data[position : position + 1] for position in range(len(data))))
        reply = peer.reply()

    assert reply == (OK, b"POST /path body")


def test_a_chunked_body_is_put_together(connect):
    with serving(echo) as url:
        peer = connect(url)
        peer.send(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n")
        reply = peer.reply()

    assert reply == (OK, b"POST / abc")


def test_the_path_excludes_the_query(connect):
    with serving(echo) as url:
        peer = connect(url)
        peer.send(post(b"", b"/path?query=1"))
        reply = peer.reply()

    assert reply == (OK, b"POST /path ")


def test_requests_sent_at_once_are_answered_in_their_order_though_the_first_is_slow(connect):
    @app_of
    async def app(request):
        body = await request.body()
        await asyncio.sleep(0.05 if body == b"a" else 0.0)
        return Response(body)

    with serving(app) as url:
        peer = connect(url)
        peer.send(post(b"a") + post(b"b"), post(b"c"))
        replies = [peer.reply()[1] for _ in range(3)]

    assert replies == [b"a", b"b", b"c"]


def test_a_slow_reply_does_not_block_other_connections(connect):
    with serving(build_app(Fault("slow", endpoint="slow", seconds=30.0))) as url:
        slow, quick = connect(url), connect(url)
        slow.send(invocation(b"slow"))
        quick.send(invocation(b"quick"))
        reply = quick.reply()
        slow.close()

    assert reply == (OK, ANSWER)


def test_a_client_that_expects_100_continue_gets_it(connect):
    with serving(echo) as url:
        peer = connect(url)
        peer.send(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nExpect: 100-continue\r\n\r\n")
        status, _ = peer.head()
        peer.send(b"a")
        reply = peer.reply()

    assert (status, reply) == (b"HTTP/1.1 100 Continue\r\n", (OK, b"POST / a"))


def test_a_reply_to_head_has_no_body(connect):
    with serving(echo) as url:
        peer = connect(url)
        peer.send(b"HEAD / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        _, headers = peer.head()
        rest = peer.stream.read()

    assert (headers["content-length"], rest) == (str(len("HEAD / ")), b"")


@pytest.mark.parametrize("request_line", [b"POST / HTTP/1.1\r\nConnection: close", b"POST / HTTP/1.0"])
def test_the_connection_is_closed_on_request(connect, request_line):
    with serving(echo) as url:
        peer = connect(url)
        peer.send(request_line + b"\r\nHost: x\r\nContent-Length: 1\r\n\r\na")
        _, headers = peer.head()
        rest = peer.stream.read()

    assert (headers["connection"], rest) == ("close", b"POST / a")


def test_invalid_http_is_a_bad_request(connect):
    with serving(echo) as url:
        peer = connect(url)
        peer.send(b"hello\r\n\r\n")
        status, headers = peer.head()

    assert (status, headers["connection"]) == (b"HTTP/1.1 400 Bad Request\r\n", "close")


SCOPE = {"type": "http", "method": "POST", "path": "/invocations", "headers": [(b"content-type", b"application/json")]}


def test_a_body_over_the_limit_is_refused_without_reading_the_rest():
    part = {"type": "http.request", "body": bytes(MAX_BODY_BYTES // 4), "more_body": True}
    parts = [part] * 10
    sent = []

    async def receive():
        return parts.pop()

    async def send(message):
        sent.append(message)

    asyncio.run(build_app()(dict(SCOPE), receive, send))

    assert (sent[0]["status"], len(parts)) == (413, 5)


def test_an_incomplete_request_is_not_answered(caplog):
    messages = [
        {"type": "http.disconnect"},
        {"type": "http.request", "body": b'{"instances": [""]}', "more_body": True},
    ]
    model = Model()

    async def receive():
        return messages.pop()

    asyncio.run(build_app(model=model)(dict(SCOPE), receive, send=None))

    assert (model.texts, caplog.text) == ([], "")


def test_an_error_of_the_application_is_a_500_and_its_message_is_not_logged(connect, caplog):
    class BrokenModel:
        def scores(self, text, k):
            raise RuntimeError(text)

    with serving(build_app(model=BrokenModel())) as url:
        peer = connect(url)
        peer.send(invocation())
        status, _ = peer.reply()

    assert status == b"HTTP/1.1 500 Internal Server Error\r\n"
    assert "RuntimeError while answering POST /endpoints/quick/invocations" in caplog.text
    assert "secret" not in caplog.text


# --- Broken on purpose ----------------------------------------------------------------------------------------


def test_a_pause_comes_in_the_middle_of_the_body(connect):
    with serving(build_app(Fault("slow-body", seconds=30.0))) as url:
        peer = connect(url)
        peer.send(invocation())
        _, headers = peer.head()
        half = peer.stream.read(len(ANSWER) // 2)
        peer.close()

    assert (headers["content-length"], half) == (str(len(ANSWER)), ANSWER[: len(ANSWER) // 2])


def test_a_truncated_reply_is_shorter_than_its_content_length(connect):
    with serving(build_app(Fault("truncated"))) as url:
        peer = connect(url)
        peer.send(invocation())
        _, headers = peer.head()
        rest = peer.stream.read()

    assert (headers["content-length"], rest) == (str(len(ANSWER)), ANSWER[: len(ANSWER) // 2])


# --- Ending ---------------------------------------------------------------------------------------------------


def test_a_server_finishes_requests_before_it_stops(connect):
    is_asked = threading.Event()

    @app_of
    async def app(request):
        is_asked.set()
        await asyncio.sleep(0.1)
        return Response(b"late")

    with serving(app) as url:
        peer = connect(url)
        peer.send(post(b""))
        is_asked.wait(30)
    status, headers = peer.head()
    rest = peer.stream.read()

    assert (status, headers["connection"], rest) == (OK, "close", b"late")


def test_a_client_that_does_not_read_gets_a_limited_number_of_replies(connect):
    answered = []

    @app_of
    async def app(request):
        answered.append(1)
        return Response(bytes(1 << 20))

    with serving(app) as url:
        peer = connect(url)
        peer.socket.settimeout(0.5)
        with pytest.raises(TimeoutError):
            peer.send(*[post(bytes(1 << 16))] * 1000)
        peer.close()

    assert len(answered) < 500
