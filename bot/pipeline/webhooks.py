"""Call teams' webhooks over HTTPS, at public addresses only.

People who may edit the policy must not reach into our network with it (SSRF). The host is looked up once, all of its
addresses must be public, the connection goes to an address that was checked, and redirects are not followed.

    WebhookFailed     may succeed later: no answer, a timeout, 408, 425, 429, 5xx
    WebhookRefused    final: any other status but 2xx, an address that is not public, an invalid certificate

Neither's message has the URL in it, nor anything from the response.
"""

import json
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any, TypeAlias
from urllib.parse import SplitResult, urlsplit

from bot.slack.api import RetryableError
from classifier_infra.inference.deadline import Bounded, within

# Timeout in seconds, from the DNS look-up to the end of the response's headers. A batch of ten calls has to end within
# the function's minute.
PATIENCE = 4

_TRY_LATER = frozenset({408, 425, 429})

Address: TypeAlias = IPv4Address | IPv6Address
Connect: TypeAlias = Callable[[SplitResult], HTTPConnection]


class WebhookFailed(RetryableError):
    """The call may succeed later. It may have arrived all the same, which is why calls have idempotency keys."""

    def __init__(self, error: str) -> None:
        super().__init__(error, refused=True)


class WebhookRefused(Exception):
    """The call cannot succeed until the policy or the receiver is changed."""


@dataclass(frozen=True, slots=True)
class Call:
    """A document to post to a URL. `key` is the idempotency key, the same for all tries."""

    url: str = field(repr=False)
    key: str
    document: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Makes calls. `connect` returns an unopened connection to the host of a URL."""

    connect: Connect
    bounded: Bounded = field(default_factory=lambda: Bounded(threads=2))

    def call(self, call: Call) -> None:
        """Post the document. Raises WebhookFailed, WebhookRefused."""
        try:
            status = self.bounded.call(lambda: self._post(call), within(PATIENCE))
        except ssl.SSLCertVerificationError:
            raise WebhookRefused("the certificate is not valid") from None
        except (OSError, HTTPException) as error:
            raise WebhookFailed(type(error).__name__) from None
        if status in _TRY_LATER or status >= 500:
            raise WebhookFailed(f"status {status}")
        if not 200 <= status < 300:
            raise WebhookRefused(f"status {status}")

    def _post(self, call: Call) -> int:
        parts = urlsplit(call.url)
        connection = self.connect(parts)
        try:
            target = f"{parts.path or '/'}{f'?{parts.query}' if parts.query else ''}"
            connection.request("POST", target, json.dumps(call.document), _headers(call, parts))
            return connection.getresponse().status
        finally:
            connection.close()


def _headers(call: Call, parts: SplitResult) -> dict[str, str]:
    return {
        "Host": parts.netloc,
        "Content-Type": "application/json",
        "Idempotency-Key": call.key,
        "User-Agent": "blazing-triage",
    }


# --- Connections --------------------------------------------------------------------------------------------


class _PublicConnection(HTTPSConnection):
    """Connects to the address that was checked: a second look-up could return another one (DNS rebinding)."""

    def connect(self) -> None:
        address = find_public_address(self.host, self.port)
        self.sock = socket.create_connection((str(address), self.port), self.timeout)
        context: ssl.SSLContext = self._context  # type: ignore[attr-defined]  # as HTTPSConnection was given it
        self.sock = context.wrap_socket(self.sock, server_hostname=self.host)


def connect_publicly(parts: SplitResult) -> HTTPConnection:
    """Return an unopened TLS connection to a public host."""
    context = ssl.create_default_context()
    return _PublicConnection(parts.hostname or "", parts.port or 443, timeout=PATIENCE, context=context)


def connect_to_stand_in(origin: str) -> Connect:
    """Return a `connect` that sends all calls to one local server; each keeps its own Host header."""
    stand_in = urlsplit(origin)
    return lambda _: HTTPConnection(stand_in.hostname or "", stand_in.port, timeout=PATIENCE)


def find_public_address(host: str, port: int) -> Address:
    """Look a host up and return one of its addresses. Raises WebhookRefused if any of them is not public."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    if not all(map(is_public, addresses)):
        raise WebhookRefused("the host has an address that is not public")
    return addresses[0]


def is_public(address: Address) -> bool:
    """Report whether an address is public, and does not embed an IPv4 address that may not be."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is not None or any(address in network for network in _TRANSLATED):
            return False
    return address.is_global and not address.is_multicast


# NAT64 gateways translate these into IPv4 addresses, private ones included (RFC 6052, RFC 8215).
_TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
