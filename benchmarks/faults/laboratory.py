"""The system under test: every function a process, everything they talk to behind a proxy, all on 127.0.0.1.

Slack, the gateway and the queues' pumps are Slack's and AWS's part of it and survive every fault. Time passes for a
message only as it does in production: each time it is handed out again, its queue's visibility timeout has gone by
on the clock of the function that gets it. So leases end when they would, and no trial waits for them.
"""

import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx2

from benchmarks.faults.deployment import FunctionDied, FunctionProcess, FunctionRaised, HandingOut, dead_letter_queues
from benchmarks.faults.proxy import Faults, Proxy, ProxyLoop
from bot.pipeline.sweep import SETTLED_AFTER
from bot.sandbox.queue_poller import QueuePoller
from bot.sandbox.resources import CreatedResources
from bot.sandbox.slack.installation import Installation
from bot.sandbox.webhook_receiver import WebhookReceiver

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient


import re

# A service that went down comes up again after so many failed calls of functions, or so many seconds.
_DOWN_CALLS = 2
_DOWN_SECONDS = 2.0

# Looking whether all is done takes the machine's time from what is to be done.
_LONGEST_NAP = 0.2

_KINDS_OF_WAITING = ("", "NotVisible", "Delayed")


class Clock:
    """The laboratory's time, in seconds since the epoch. It is ahead of the real one, and only ever more so."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead

    def skip(self, seconds: float) -> None:
        self.ahead += seconds


class NotDrained(Exception):
    """Something is still under way after the time that was given."""


@dataclass
class Laboratory:
    """A running system.

    URLs have no slash at their end. People act at `slack`, by the worker's own way to it, so that answers to them go
    through its proxy; they write at `page`, which no fault befalls. `clock_skew` is by how many seconds the
    processes named in it are ahead of everybody else.
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
    logs: Path
    proxies: Sequence[Proxy]
    loop: ProxyLoop
    webhooks: WebhookReceiver
    pumps: list[QueuePoller] = field(default_factory=list)
    handing_out: HandingOut = HandingOut.FAIR
    clock_skew: dict[str, float] = field(default_factory=dict)
    _failed_calls: int = 0
    _invocations: set[object] = field(default_factory=set)
    _mending: threading.Lock = field(default_factory=threading.Lock)
    _http: httpx2.Client = field(default_factory=lambda: httpx2.Client(trust_env=False, timeout=30))

    # --- What people do -------------------------------------------------------------------------------------

    def write(self, text: str, channel: str = "C0SUPPORT", user: str = "U0MAYA") -> str:
        """Write a message and give its ts."""
        message = {"channel": channel, "user": user, "text": text}
        return str(self._http.post(f"{self.page}/sandbox/messages", json=message).raise_for_status().json()["ts"])

    def command(self, text: str, channel: str = "C0LEADS", user: str = "U0ANNA") -> None:
        self._act("commands", channel=channel, user=user, command="/classify", text=text)

    def press(self, channel: str, ts: str, label: str, user: str = "U0ANNA") -> None:
        """Press the button of a message whose words contain `label`."""
        block, element = self._button(channel, ts, label)
        fields = {"channel": channel, "user": user, "ts": ts, "block_id": block, "action_id": element["action_id"]}
        self._act("actions", **fields, chosen={})

    def _button(self, channel: str, ts: str, label: str) -> tuple[str, dict[str, Any]]:
        for block in self.installation.workspace.channel(channel).message(ts).content.blocks:
            for element in block.get("elements", ()):
                if element.get("type") == "button" and label in element["text"]["text"]:
                    return str(block["block_id"]), element
        raise LookupError(f"no button {label} under {ts}")

    def _act(self, path: str, **fields: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._http.post(f"{self.slack}/sandbox/{path}", json=fields).raise_for_status().json()
        return answer

    # --- What is under way ----------------------------------------------------------------------------------

    def enqueue(self, body: str, queue: str = "TriageQueue") -> None:
        """Put a message into a queue, as if something had gone wrong with it there."""
        self.sqs.send_message(QueueUrl=self.created.queues[queue], MessageBody=body)

    @contextmanager
    def holding_back(self) -> Iterator[None]:
        """Let messages gather in the queues for the length of the `with` block, and until Slack has delivered all."""
        for queue_poller in self.pumps:
            queue_poller.hold()
        try:
            yield
            while self._is_delivering():
                time.sleep(_LONGEST_NAP)
        finally:
            for queue_poller in self.pumps:
                queue_poller.release()

    def let_time_pass(self, seconds: float) -> None:
        """Skip some time, in which all comes in that was late, and all invocations end that had begun.

        On a busy machine a post can be on its way for as long as it takes to skip a minute, which no post is.
        """
        begun = set(self._invocations)
        while self.faults.late or begun & self._invocations:
            time.sleep(_LONGEST_NAP / 10)
        self.clock.skip(seconds)

    def drain(self, seconds: float = 60.0) -> None:
        """Wait until nothing is under way, and bring up again what went down. Raises NotDrained."""
        started = time.monotonic()
        while self._is_busy():
            waited = time.monotonic() - started
            if waited > _DOWN_SECONDS:
                self.mend()
            if waited > seconds:
                raise NotDrained(f"{self._waiting()} messages are in the queues after {seconds:.0f} s")
            time.sleep(min(_LONGEST_NAP, waited / 5))
        self.mend()

    def was_given_up(self, ts: str) -> bool:
        """Tell whether Slack gave up on telling us of a message: nobody acknowledged it."""
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
        return sum(int(attributes.get(f"ApproximateNumberOfMessages{kind}", 0)) for kind in _KINDS_OF_WAITING)

    def take_dead_letters(self) -> list[dict[str, Any]]:
        """Take everything out of the dead-letter queues."""
        taken: list[dict[str, Any]] = []
        for name in dead_letter_queues():
            url = self.created.queues[name]
            while messages := self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", []):
                for message in messages:
                    taken.append({"queue": name, **message})
                    self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return taken

    def mend(self) -> None:
        """Bring up again what refuses connections."""
        with self._mending:
            self._failed_calls = 0
            for proxy in self.proxies:
                if proxy.is_down and proxy.down_seconds is None:
                    self.loop.run(proxy.start())

    def invoke(self, name: str, event: Mapping[str, Any]) -> Any:
        """Have a function handle an event. Raises FunctionDied, FunctionRaised."""
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
                self.mend()

    def sweep(self) -> None:
        """Have the clock call the function that looks for what was missed, once all there is has settled.

        Where a fault befalls that call, the next one makes up for it.
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
    """Give the memory that a process of this machine holds (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii", errors="replace")
    return int(re.findall(r"VmRSS:\s+(\d+) kB", status)[0]) / 1024
