"""Call a team's own address over HTTPS, and nobody else's.

Whoever may edit the policy must not reach into our network with it. So the host's name is looked up once, every
address it has must be public, the connection goes to an address that was checked, and no redirect is followed.

    WebhookFailed     may succeed later: no answer, an answer that takes too long, 408, 425, 429, 5xx
    WebhookRefused    will not: any other status but 2xx, an address that is not public, a certificate that is not good

Neither's sentence has the address in it, nor anything the other side said.
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

# In seconds, from the look-up of the name to the last byte of the head of the answer. A batch of ten such calls has to
# end within the function's minute.
PATIENCE = 4

_TRY_LATER = frozenset({408, 425, 429})

Address: TypeAlias = IPv4Address | IPv6Address
Connect: TypeAlias = Callable[[SplitResult], HTTPConnection]


class WebhookFailed(RetryableError):
    """The call may succeed later; that it arrived all the same is possible, and what its key is for."""

    def __init__(self, error: str) -> None:
        super().__init__(error, refused=True)


class WebhookRefused(Exception):
    """Calling again is no use until somebody changes the policy or the other side."""


@dataclass(frozen=True, slots=True)
class Call:
    """What is told to whom. `key` is the same however often it is told."""

    url: str = field(repr=False)
    key: str
    document: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Webhooks:
    """Makes calls. `connect` gives an unopened connection to the host of an address."""

    connect: Connect
    bounded: Bounded = field(default_factory=lambda: Bounded(threads=2))

    def call(self, call: Call) -> None:
        """Raises WebhookFailed, WebhookRefused."""
        try:
            status = self.bounded.call(lambda: self._post(call), within(PATIENCE))
        except ssl.SSLCertVerificationError:
            raise WebhookRefused("the certificate is not good") from None
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
    """Goes to an address that was found public: looking the name up a second time could give another one."""

    def connect(self) -> None:
        address = find_public_address(self.host, self.port)
        self.sock = socket.create_connection((str(address), self.port), self.timeout)
        context: ssl.SSLContext = self._context  # type: ignore[attr-defined]  # as HTTPSConnection was given it
        self.sock = context.wrap_socket(self.sock, server_hostname=self.host)


def connect_publicly(parts: SplitResult) -> HTTPConnection:
    """Give a connection to a public host over TLS."""
    context = ssl.create_default_context()
    return _PublicConnection(parts.hostname or "", parts.port or 443, timeout=PATIENCE, context=context)


def connect_to_stand_in(origin: str) -> Connect:
    """Lead all calls to one server on this machine, which stands for everybody's; it sees each call's own Host."""
    stand_in = urlsplit(origin)
    return lambda _: HTTPConnection(stand_in.hostname or "", stand_in.port, timeout=PATIENCE)


def find_public_address(host: str, port: int) -> Address:
    """Look a host up and return one of its addresses. Raises WebhookRefused where any of them is not public."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = [ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    if not all(map(is_public, addresses)):
        raise WebhookRefused("the address leads into a network that is not public")
    return addresses[0]


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the internet's, and not another one's in disguise."""
    if isinstance(address, IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if inner is not None or any(address in network for network in _TRANSLATED):
            return False
    return address.is_global and not address.is_multicast


# What a NAT64 gateway would turn into an IPv4 address, ours included (RFC 6052, RFC 8215).
_TRANSLATED = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
