"""Control the system under test: every function is a process, every service behind a proxy, all on 127.0.0.1.

Slack, the gateway and the queue pollers survive every fault, as Slack's and AWS's own parts. Time is simulated: each
time a message is redelivered, the functions' clock has moved on by its queue's visibility timeout. So leases expire as
in production, without waiting.
"""

import re
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2

from benchmarks.faults.functions import DeliveryMode, FunctionDied, FunctionProcess, FunctionRaised, dead_letter_queues
from benchmarks.faults.proxy import Faults, Proxy, ProxyLoop
from bot.pipeline.sweep import SETTLED_AFTER
from bot.sandbox.queue_poller import QueuePoller
from bot.sandbox.resources import CreatedResources
from bot.sandbox.slack.installation import Installation
from bot.sandbox.webhook_receiver import WebhookReceiver

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

# A service that is down is restored after this many failed invocations, or this many seconds.
_DOWN_CALLS = 2
_DOWN_SECONDS = 2.0

_POLL_SECONDS = 0.2

# SQS counts messages in three attributes: ApproximateNumberOfMessages, …NotVisible and …Delayed.
_COUNT_SUFFIXES = ("", "NotVisible", "Delayed")


class Clock:
    """The laboratory's time in Unix seconds: the real time plus an offset that only grows."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead

    def skip(self, seconds: float) -> None:
        self.ahead += seconds


class NotDrained(Exception):
    """Messages are still in the queues after the time allowed."""


@dataclass
class Laboratory:
    """A running system.

    URLs have no trailing slash. `slack` is the worker's proxied URL of Slack: people act there, so that responses to
    them pass the proxy. They write at `page`, which has no proxy. `clock_skew`: process → seconds that its clock is
    ahead of the others.
    """

    clock: Clock
    faults: Faults
    installation: Installation
    processes: Mapping[str, FunctionProcess]
    created: CreatedResources
    sqs: "SQSClient"
    slack: str
    page: str
    gateway: str
    endpoint: str
    endpoint_pid: int | None
    signing_secret: str
    bot_token: str
    proxies: Sequence[Proxy]
    loop: ProxyLoop
    webhooks: WebhookReceiver
    pollers: list[QueuePoller] = field(default_factory=list)
    delivery_mode: DeliveryMode = DeliveryMode.NORMAL
    clock_skew: dict[str, float] = field(default_factory=dict)
    _failed_calls: int = 0
    _invocations: set[object] = field(default_factory=set)
    _restoring: threading.Lock = field(default_factory=threading.Lock)
    _http: httpx2.Client = field(default_factory=lambda: httpx2.Client(trust_env=False, timeout=30))

    # --- Actions of people ----------------------------------------------------------------------------------

    def write(self, text: str, channel: str = "C0SUPPORT", user: str = "U0MAYA") -> str:
        """Write a message and return its ts."""
        message = {"channel": channel, "user": user, "text": text}
        return str(self._http.post(f"{self.page}/sandbox/messages", json=message).raise_for_status().json()["ts"])

    def edit(self, ts: str, text: str, channel: str = "C0SUPPORT", user: str = "U0MAYA") -> None:
        message = {"channel": channel, "user": user, "ts": ts, "text": text}
        self._http.post(f"{self.page}/sandbox/messages/edit", json=message).raise_for_status()

    def delete(self, ts: str, channel: str = "C0SUPPORT", user: str = "U0MAYA") -> None:
        message = {"channel": channel, "user": user, "ts": ts}
        self._http.post(f"{self.page}/sandbox/messages/delete", json=message).raise_for_status()

    def command(self, text: str, channel: str = "C0LEADS", user: str = "U0ANNA") -> None:
        self._act("commands", channel=channel, user=user, command="/classify", text=text)

    def press(self, channel: str, ts: str, label: str, user: str = "U0ANNA") -> None:
        """Press the button of a message whose text contains `label`."""
        block, element = self._button(channel, ts, label)
        fields = {"channel": channel, "user": user, "ts": ts, "block_id": block, "action_id": element["action_id"]}
        self._act("actions", **fields, chosen={})

    def _button(self, channel: str, ts: str, label: str) -> tuple[str, dict[str, Any]]:
        for block in self.installation.workspace.channel(channel).message(ts).content.blocks:
            for element in block.get("elements", ()):
                if element.get("type") == "button" and label in element["text"]["text"]:
                    return str(block["block_id"]), element
        raise LookupError(f"the message {ts} in {channel} has no button {label!r}")

    def _act(self, path: str, **fields: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._http.post(f"{self.slack}/sandbox/{path}", json=fields).raise_for_status().json()
        return answer

    # --- Queues, time and functions -------------------------------------------------------------------------

    def enqueue(self, body: str) -> None:
        """Send a message to the triage queue."""
        self.sqs.send_message(QueueUrl=self.created.queues["TriageQueue"], MessageBody=body)

    @contextmanager
    def holding_back(self) -> Iterator[None]:
        """Pause the queue pollers until the `with` block ends and Slack has delivered all events."""
        for queue_poller in self.pollers:
            queue_poller.hold()
        try:
            yield
            while self._is_delivering():
                time.sleep(_POLL_SECONDS)
        finally:
            for queue_poller in self.pollers:
                queue_poller.release()

    def let_time_pass(self, seconds: float) -> None:
        """Wait for late requests and running invocations, then skip time.

        Otherwise, on a busy machine, a request that takes milliseconds would seem to take a minute.
        """
        begun = set(self._invocations)
        while self.faults.late or begun & self._invocations:
            time.sleep(_POLL_SECONDS / 10)
        self.clock.skip(seconds)

    def drain(self, seconds: float = 60.0) -> None:
        """Wait until nothing is in progress, and restore services that are down. Raises NotDrained."""
        started = time.monotonic()
        while self._is_busy():
            waited = time.monotonic() - started
            if waited > _DOWN_SECONDS:
                self.restore()
            if waited > seconds:
                raise NotDrained(f"{self._waiting()} messages are still in the queues after {seconds:.0f} s")
            time.sleep(min(_POLL_SECONDS, waited / 5))
        self.restore()

    def was_given_up(self, ts: str) -> bool:
        """Report whether Slack gave up delivering a message's event."""
        deliveries = list(self.installation.dispatcher.deliveries)
        return any(each.state == "given_up" and each.ts == ts for each in deliveries)

    def _is_busy(self) -> bool:
        coming_up = any(proxy.is_down and proxy.down_seconds is not None for proxy in self.proxies)
        return self._is_delivering() or coming_up or self.faults.late > 0 or self._waiting() > 0

    def _is_delivering(self) -> bool:
        return any(each.state in ("sending", "waiting") for each in list(self.installation.dispatcher.deliveries))

    def _waiting(self) -> int:
        return sum(self._length(url) for name, url in self.created.queues.items() if name not in dead_letter_queues())

    def _length(self, url: str) -> int:
        attributes: Mapping[Any, str] = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])[
            "Attributes"
        ]
        return sum(int(attributes.get(f"ApproximateNumberOfMessages{kind}", 0)) for kind in _COUNT_SUFFIXES)

    def take_dead_letters(self) -> list[dict[str, Any]]:
        """Remove and return all messages of the dead-letter queues."""
        taken: list[dict[str, Any]] = []
        for name in dead_letter_queues():
            url = self.created.queues[name]
            while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
                for message in messages:
                    taken.append({"queue": name, **message})
                    self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return taken

    def restore(self) -> None:
        """Restart the proxies that refuse connections, except those that restart by themselves."""
        with self._restoring:
            self._failed_calls = 0
            for proxy in self.proxies:
                if proxy.is_down and proxy.down_seconds is None:
                    self.loop.run(proxy.start())

    def invoke(self, name: str, event: Mapping[str, Any]) -> Any:
        """Invoke a function with an event. Raises FunctionDied, FunctionRaised."""
        failed = True
        self._invocations.add(invocation := object())
        try:
            answer = self.processes[name].invoke(event, self.clock.ahead + self.clock_skew.get(name, 0.0))
            failed = bool(answer.get("batchItemFailures") or int(answer.get("statusCode", 200)) >= 500)
            return answer
        finally:
            self._invocations.discard(invocation)
            self._failed_calls += failed
            if self._failed_calls >= _DOWN_CALLS:
                self.restore()

    def sweep(self) -> None:
        """Invoke the scheduled sweep once all messages are old enough for it.

        An invocation that fails is ignored, as the next one makes up for it.
        """
        self.clock.skip(SETTLED_AFTER + 1)
        with suppress(FunctionDied, FunctionRaised):
            self.invoke("scheduled", {})

    def close(self) -> None:
        for process in self.processes.values():
            process.close()
        for proxy in self.proxies:
            self.loop.run(proxy.stop())
        self.loop.close()
        self._http.close()


def resident_megabytes(pid: int) -> float:
    """Return the resident memory of a process in MB (Linux only)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) / 1024
