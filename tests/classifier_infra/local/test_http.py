"""HTTP as the local endpoint speaks it, by its bytes."""

import asyncio
import socket
import threading

import pytest

from classifier_infra.local.asgi import MAX_BODY_BYTES, Reply, Request, to_asgi
from classifier_infra.local.server import serving

OK = b"HTTP/1.1 200 OK\r\n"


def echo(request: Request) -> Reply:
    """Answer with the request's own method, path and body."""
    return Reply(200, f"{request.method} {request.path} ".encode() + request.body)


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
        """Give the head of the next reply: the status line, then the headers by their lower-case names."""
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


def post(body, path=b"/", headers=b""):
    return b"POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n%s\r\n%s" % (path, len(body), headers, body)


def test_one_connection_serves_many_requests(connect):
    with serving(echo) as url:
        peer = connect(url)
        replies = []
        for body in (b"a", b"b"):
            peer.send(post(body))
            replies.append(peer.reply())

    assert replies == [(OK, b"POST / a"), (OK, b"POST / b")]


def test_a_reply_has_a_date_and_a_length_and_its_headers(connect):
    with serving(lambda request: Reply(424, b"{}", (("x-amzn-RequestId", "1"),))) as url:
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


def test_a_query_is_no_part_of_the_path(connect):
    with serving(echo) as url:
        peer = connect(url)
        peer.send(post(b"", b"/path?query=1"))
        reply = peer.reply()

    assert reply == (OK, b"POST /path ")


def test_requests_sent_at_once_are_answered_in_their_order_though_the_first_is_slow(connect):
    def app(request):
        return Reply(200, request.body, delay=0.05 if request.body == b"a" else 0.0)

    with serving(app) as url:
        peer = connect(url)
        peer.send(post(b"a") + post(b"b"), post(b"c"))
        replies = [peer.reply()[1] for _ in range(3)]

    assert replies == [b"a", b"b", b"c"]


def test_a_slow_reply_holds_up_no_other_connection(connect):
    def app(request):
        return Reply(200, request.body, delay=30.0 if request.body == b"slow" else 0.0)

    with serving(app) as url:
        slow, quick = connect(url), connect(url)
        slow.send(post(b"slow"))
        quick.send(post(b"quick"))
        reply = quick.reply()
        slow.close()

    assert reply == (OK, b"quick")


def test_a_client_that_asks_first_is_told_to_go_on(connect):
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
def test_who_wants_the_connection_closed_gets_it_closed(connect, request_line):
    with serving(echo) as url:
        peer = connect(url)
        peer.send(request_line + b"\r\nHost: x\r\nContent-Length: 1\r\n\r\na")
        _, headers = peer.head()
        rest = peer.stream.read()

    assert (headers["connection"], rest) == ("close", b"POST / a")


def test_what_is_no_http_is_a_bad_request(connect):
    with serving(echo) as url:
        peer = connect(url)
        peer.send(b"hello\r\n\r\n")
        status, headers = peer.head()

    assert (status, headers["connection"]) == (b"HTTP/1.1 400 Bad Request\r\n", "close")


def test_a_body_over_all_limits_is_refused_and_the_rest_of_it_not_read():
    part = {"type": "http.request", "body": bytes(MAX_BODY_BYTES // 4), "more_body": True}
    parts = [part] * 10
    sent = []

    async def receive():
        return parts.pop()

    async def send(message):
        sent.append(message)

    asyncio.run(to_asgi(echo)({"type": "http"}, receive, send))

    assert (sent[0]["status"], len(parts)) == (413, 5)


def test_half_a_request_is_not_answered():
    messages = [{"type": "http.disconnect"}, {"type": "http.request", "body": b"half", "more_body": True}]
    asked = []

    async def receive():
        return messages.pop()

    asyncio.run(to_asgi(asked.append)({"type": "http"}, receive, send=None))

    assert asked == []


def test_an_error_of_the_application_is_a_500_and_its_words_are_not_logged(connect, caplog):
    def app(request):
        raise ValueError(request.body.decode())

    with serving(app) as url:
        peer = connect(url)
        peer.send(post(b"secret"))
        status, _ = peer.reply()

    assert status == b"HTTP/1.1 500 Internal Server Error\r\n"
    assert "ValueError while answering POST /" in caplog.text
    assert "secret" not in caplog.text


# --- Broken on purpose ----------------------------------------------------------------------------------------


def test_a_pause_comes_in_the_middle_of_the_body(connect):
    with serving(lambda request: Reply(200, b"abcd", pause=30.0)) as url:
        peer = connect(url)
        peer.send(post(b""))
        _, headers = peer.head()
        half = peer.stream.read(2)
        peer.close()

    assert (headers["content-length"], half) == ("4", b"ab")


def test_a_cut_reply_promises_more_than_it_has(connect):
    with serving(lambda request: Reply(200, b"abcd", is_cut=True)) as url:
        peer = connect(url)
        peer.send(post(b""))
        _, headers = peer.head()
        rest = peer.stream.read()

    assert (headers["content-length"], rest) == ("4", b"ab")


# --- Ending ---------------------------------------------------------------------------------------------------


def test_a_server_that_ends_finishes_what_was_asked(connect):
    is_asked = threading.Event()

    def app(request):
        is_asked.set()
        return Reply(200, b"late", delay=0.1)

    with serving(app) as url:
        peer = connect(url)
        peer.send(post(b""))
        is_asked.wait(30)
    status, headers = peer.head()
    rest = peer.stream.read()

    assert (status, headers["connection"], rest) == (OK, "close", b"late")


def test_a_client_that_reads_nothing_is_not_answered_without_end(connect):
    answered = []

    def app(request):
        answered.append(1)
        return Reply(200, bytes(1 << 20))

    with serving(app) as url:
        peer = connect(url)
        peer.socket.settimeout(0.5)
        with pytest.raises(TimeoutError):
            peer.send(*[post(bytes(1 << 16))] * 1000)
        peer.close()

    assert len(answered) < 500
