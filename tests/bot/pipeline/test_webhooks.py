import json
import ssl
from ipaddress import ip_address

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from bot.pipeline import webhooks
from bot.pipeline.webhooks import (
    Call,
    WebhookFailed,
    WebhookRefused,
    Webhooks,
    connect_publicly,
    connect_to_stand_in,
    find_public_address,
    is_public,
)


class Receiver:
    """A webhook receiver that records requests and returns the status it is set to."""

    def __init__(self) -> None:
        self.received: list[tuple[str, dict[str, str], dict]] = []
        self.status = 204
        self.app = Starlette(routes=[Route("/{path:path}", self._take, methods=["POST", "GET"])])

    async def _take(self, request: Request) -> Response:
        self.received.append((str(request.url), dict(request.headers), json.loads(await request.body() or "{}")))
        if self.status == 302:
            return RedirectResponse("/elsewhere", 302)
        return Response(status_code=self.status)


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def stand_in(serve, receiver) -> Webhooks:
    return Webhooks(connect_to_stand_in(serve(receiver.app)))


def call(url: str = "https://crm.example.com/hooks/1?key=2") -> Call:
    return Call(url, "T0#C0#1.1#crm", {"event": "message.triaged"})


def test_a_call_carries_its_document_and_the_key_that_is_always_the_same(stand_in, receiver):
    stand_in.call(call())

    [(url, headers, document)] = receiver.received
    assert url == "http://crm.example.com/hooks/1?key=2"
    assert headers["idempotency-key"] == "T0#C0#1.1#crm"
    assert headers["content-type"] == "application/json"
    assert document == {"event": "message.triaged"}


@pytest.mark.parametrize("status", [408, 425, 429, 500, 503])
def test_what_may_succeed_later_is_told_from_what_will_not(stand_in, receiver, status):
    receiver.status = status

    with pytest.raises(WebhookFailed, match=f"status {status}"):
        stand_in.call(call())


@pytest.mark.parametrize("status", [304, 400, 401, 404, 410])
def test_what_the_other_side_refuses_is_not_called_again(stand_in, receiver, status):
    receiver.status = status

    with pytest.raises(WebhookRefused, match=f"status {status}"):
        stand_in.call(call())


def test_a_redirect_is_not_followed(stand_in, receiver):
    receiver.status = 302

    with pytest.raises(WebhookRefused, match="status 302"):
        stand_in.call(call())
    assert len(receiver.received) == 1


def test_who_does_not_answer_may_later():
    with pytest.raises(WebhookFailed, match="ConnectionRefusedError"):
        Webhooks(connect_to_stand_in("http://127.0.0.1:9")).call(call())


# --- Whose address it is ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/",
        "https://[::ffff:10.0.0.1]/",
        "https://localhost/",
        "https://0x7f000001/",
        "https://2130706433/",
    ],
)
def test_an_address_of_our_own_network_is_never_called(url):
    with pytest.raises(WebhookRefused, match="not public"):
        Webhooks(connect_publicly).call(call(url))


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.0.1", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("fe80::1", False),
        ("fc00::1", False),
        ("::ffff:93.184.215.14", False),
        ("2002:a00:1::", False),
        ("64:ff9b::a00:1", False),
        ("2001::1", False),
    ],
)
def test_only_addresses_of_the_internet_are_public(address, public):
    assert is_public(ip_address(address)) is public


def test_one_private_address_among_public_ones_is_enough_to_refuse(monkeypatch):
    found = [(2, 1, 6, "", ("93.184.215.14", 443)), (2, 1, 6, "", ("10.0.0.1", 443))]
    monkeypatch.setattr(webhooks.socket, "getaddrinfo", lambda *_, **__: found)

    with pytest.raises(WebhookRefused):
        find_public_address("crm.example.com", 443)


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch):
    looked_up, connected = [], []

    def look_up(host, port, **_):
        looked_up.append(host)
        return [(2, 1, 6, "", ("93.184.215.14", port))]

    def connect(address, timeout):
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(webhooks.socket, "getaddrinfo", look_up)
    monkeypatch.setattr(webhooks.socket, "create_connection", connect)

    with pytest.raises(WebhookFailed):
        Webhooks(connect_publicly).call(call())

    assert (looked_up, connected) == (["crm.example.com"], [("93.184.215.14", 443)])


def test_a_certificate_that_is_not_good_is_refused(monkeypatch):
    def connect(parts):
        raise ssl.SSLCertVerificationError("self-signed certificate")

    with pytest.raises(WebhookRefused, match="certificate"):
        Webhooks(connect).call(call())


def test_neither_address_nor_text_is_in_what_is_said_of_a_call(stand_in, receiver):
    receiver.status = 404

    with pytest.raises(WebhookRefused) as raised:
        stand_in.call(call())

    assert "crm.example.com" not in f"{raised.value!r} {call()!r}"
