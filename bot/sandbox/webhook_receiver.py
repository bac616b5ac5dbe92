"""Receive the calls of all webhooks: record them, and answer with errors when a test plans to.

A function whose WEBHOOK_STAND_IN is this server's address calls no other host, whatever URLs the policy has.

    POST any path       record the call by its Idempotency-Key; the answer is 204 or a planned status
    GET /received       the recorded calls as JSON, oldest first
    POST /plan          {"status": 503, "times": 2}: the statuses of the next answers
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

# Bounds the memory of a sandbox that runs for days.
_MOST_KEPT = 1_000


@dataclass(slots=True)
class ReceivedWebhook:
    """A webhook call, and how many `times` it was received with the same key."""

    host: str
    path: str
    key: str
    document: Mapping[str, Any]
    times: int = 1


@dataclass(slots=True)
class WebhookReceiver:
    """Idempotency key → received call, and the `planned` statuses of the next answers."""

    received: dict[str, ReceivedWebhook] = field(default_factory=dict)
    planned: list[int] = field(default_factory=list)

    def receive(self, call: ReceivedWebhook) -> int:
        """Record a call and return the status to answer with. A call with a planned status is not recorded."""
        if self.planned:
            return self.planned.pop(0)
        known = self.received.get(call.key)
        if known:
            known.times += 1
        else:
            self.received[call.key] = call
        while len(self.received) > _MOST_KEPT:
            del self.received[next(iter(self.received))]
        return 204


def create_webhook_receiver(webhook_receiver: WebhookReceiver) -> Starlette:
    """Build the server's application."""

    async def receive(request: Request) -> Response:
        try:
            document = json.loads(await request.body())
        except ValueError:
            return Response(status_code=400)
        key = request.headers.get("Idempotency-Key", "")
        call = ReceivedWebhook(request.headers.get("Host", ""), request.url.path, key, document)
        return Response(status_code=webhook_receiver.receive(call))

    async def plan(request: Request) -> Response:
        plan = await request.json()
        webhook_receiver.planned += [int(plan["status"])] * int(plan.get("times", 1))
        return Response(status_code=204)

    async def show(request: Request) -> Response:
        return JSONResponse([asdict(each) for each in webhook_receiver.received.values()])

    return Starlette(
        routes=[
            Route("/received", show, methods=["GET"]),
            Route("/plan", plan, methods=["POST"]),
            Route("/{path:path}", receive, methods=["POST"]),
        ]
    )
