"""Put load on a server on 127.0.0.1: `python -m benchmarks.load PORT PATH`, with the body on standard input.

Each connection sends its next request as soon as it has the reply to the last. Every reply is compared with the first,
in status, length and body. Prints a JSON object: requests, seconds, and latencies in milliseconds.
"""

import argparse
import asyncio
import json
import socket
import sys
from dataclasses import dataclass, field
from time import perf_counter

import uvloop

HOST = "127.0.0.1"
OK = b"HTTP/1.1 200"


@dataclass
class Run:
    """The state of a run: the request, the expected reply, how many are left to send, and latencies in seconds."""

    request: bytes
    reply_bytes: int
    body: bytes
    left: int
    latencies: list[float] = field(default_factory=list)
    wrong: int = 0


class Client(asyncio.Protocol):
    """One connection."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._received = b""
        self.closed = asyncio.get_running_loop().create_future()

    def connection_made(self, transport) -> None:
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        self._received += data
        if len(self._received) < self._run.reply_bytes:
            return
        self._run.latencies.append(perf_counter() - self._sent)
        reply, self._received = self._received, b""
        is_right = len(reply) == self._run.reply_bytes and reply.startswith(OK) and reply.endswith(self._run.body)
        self._run.wrong += not is_right
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        self.closed.set_result(None)

    def _send(self) -> None:
        if self._run.left <= 0:
            self._transport.close()
            return
        self._run.left -= 1
        self._sent = perf_counter()
        self._transport.write(self._run.request)


async def load(port: int, run: Run, connections: int, seconds: float) -> float:
    """Send the run's requests, none after `seconds`; return the seconds it took."""
    loop = asyncio.get_running_loop()
    loop.call_later(seconds, lambda: setattr(run, "left", 0))
    start = perf_counter()
    clients = [(await loop.create_connection(lambda: Client(run), HOST, port))[1] for _ in range(connections)]
    await asyncio.gather(*(client.closed for client in clients))
    return perf_counter() - start


def ask_once(port: int, request: bytes) -> tuple[int, bytes]:
    """Send a request once; return the length of the whole reply, and its body."""
    with socket.create_connection((HOST, port), timeout=10) as connection, connection.makefile("rb") as stream:
        connection.sendall(request)
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += stream.read(1)
        [length] = [
            line.partition(b":")[2] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length")
        ]
        return len(head) + int(length), stream.read(int(length))


def quantile(ordered: list[float], share: float) -> float:
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load")
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    body = sys.stdin.buffer.read()
    head = (
        f"POST {options.path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}"
    )
    request = head.encode() + b"\r\n\r\n" + body
    reply_bytes, answer = ask_once(options.port, request)
    run = Run(request, reply_bytes, answer, options.count)
    seconds = uvloop.run(load(options.port, run, options.connections, options.seconds))
    milliseconds = sorted(latency * 1000 for latency in run.latencies)
    figures = {"requests": len(milliseconds), "seconds": seconds, "wrong": run.wrong, "answer": answer.decode()}
    print(json.dumps(figures | {"p50": quantile(milliseconds, 0.5), "p99": quantile(milliseconds, 0.99)}))


if __name__ == "__main__":
    main()
