"""Everybody's webhook: a server that notes what it is told, and refuses when it is asked to.

A function whose WEBHOOK_STAND_IN leads here calls no other address, whatever the policy says:

    POST any path       noted, by its Idempotency-Key; the answer is 204, or what was planned
    GET /received       what was noted, as JSON, the oldest first
    POST /plan          {"status": 503, "times": 2}: what the next calls are answered with
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

# Whoever leaves the sandbox running for days does not fill the memory with it.
_MOST_KEPT = 1_000


@dataclass(slots=True)
class ReceivedWebhook:
    """What one webhook was told of one message, and how many `times`."""

    host: str
    path: str
    key: str
    document: Mapping[str, Any]
    times: int = 1


@dataclass(slots=True)
class WebhookReceiver:
    """What has been received, by key; `planned` are the statuses of the next answers."""

    told: dict[str, ReceivedWebhook] = field(default_factory=dict)
    planned: list[int] = field(default_factory=list)

    def take(self, told: ReceivedWebhook) -> int:
        """Note a call; give the status of the answer. A call that is refused has not been taken."""
        if self.planned:
            return self.planned.pop(0)
        known = self.told.get(told.key)
        if known:
            known.times += 1
        else:
            self.told[told.key] = told
        while len(self.told) > _MOST_KEPT:
            del self.told[next(iter(self.told))]
        return 204


def create_webhook_receiver(webhook_receiver: WebhookReceiver) -> Starlette:
    """Build the server's application."""

    async def note(request: Request) -> Response:
        try:
            document = json.loads(await request.body())
        except ValueError:
            return Response(status_code=400)
        key = request.headers.get("Idempotency-Key", "")
        told = ReceivedWebhook(request.headers.get("Host", ""), request.url.path, key, document)
        return Response(status_code=webhook_receiver.take(told))

    async def plan(request: Request) -> Response:
        wish = await request.json()
        webhook_receiver.planned += [int(wish["status"])] * int(wish.get("times", 1))
        return Response(status_code=204)

    async def show(request: Request) -> Response:
        return JSONResponse([asdict(each) for each in webhook_receiver.told.values()])

    return Starlette(
        routes=[
            Route("/received", show, methods=["GET"]),
            Route("/plan", plan, methods=["POST"]),
            Route("/{path:path}", note, methods=["POST"]),
        ]
    )
