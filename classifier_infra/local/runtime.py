"""Answer `POST /endpoints/NAME/invocations` as SageMaker Runtime does, with the faults that are switched on.

botocore chooses the exception it raises from the header `x-amzn-ErrorType`, so it is sent as the service sends it.
Signatures are not checked.
"""

import asyncio
import contextlib
import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from classifier_infra.local.capture import Capture
from classifier_infra.local.container import JSON, TIMED_OUT, Answer, answer_invocation
from classifier_infra.local.endpoint import Endpoint, Variant
from classifier_infra.local.faults import NO_EFFECT, Effect, Faults

# Not shared with the client: a mistake in a common constant would pass every test that lets the two talk.
MAX_PAYLOAD_BYTES = 6_291_456
# How long SageMaker waits for a container.
TIMEOUT_SECONDS = 60.0

_ACCOUNT = "123456789012"
_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Runtime:
    """SageMaker Runtime for one endpoint."""

    endpoint: Endpoint
    faults: Faults
    capture: Capture | None = None

    async def invoke(self, request: Request) -> ASGIApp:
        """Answer an InvokeEndpoint request."""
        body = await request.body()
        if len(body) > MAX_PAYLOAD_BYTES:
            return _error(413, None, {"Message": f"The request is longer than {MAX_PAYLOAD_BYTES} bytes."})
        target = request.headers.get("x-amzn-sagemaker-target-variant")
        variant = self.endpoint.choose(target)
        if variant is None:  # our choice: no capture of this answer is known
            return _validation_error(f"Variant {target} of endpoint {self.endpoint.name} not found.")
        effect = self.faults.strike(self.endpoint.name, variant.name)
        if effect.refusal:
            return _error(effect.refusal.status, effect.refusal.error_type, effect.refusal.body)
        return self._ask(variant, effect, request.headers, body)

    def _ask(self, variant: Variant, effect: Effect, headers: Mapping[str, str], body: bytes) -> ASGIApp:
        started = perf_counter()
        # Not in a thread: a message takes some ten microseconds.
        answer = answer_invocation(variant.model, headers.get("content-type", ""), body)
        answered = perf_counter()
        delay = min(effect.delay, TIMEOUT_SECONDS)
        answer = TIMED_OUT if delay == TIMEOUT_SECONDS else effect.change(answer)
        if self.capture:
            self.capture.record(self.endpoint.name, variant.name, headers, body, answer)
        response = _response(answer, self.endpoint.name, variant.name)
        variant.counters.count(answer.status, answered - started + delay, perf_counter() - answered)
        return response if effect is NO_EFFECT else _DisturbedResponse(response, delay, effect.pause, effect.is_cut)


@dataclass(frozen=True, slots=True)
class _DisturbedResponse:
    """A response sent after `delay` seconds, with a `pause` in the middle of its body, or with half of it alone."""

    response: Response
    delay: float
    pause: float
    is_cut: bool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await _wait(self.delay, receive)
        if not (self.pause or self.is_cut):
            await self.response(scope, receive, send)
            return
        body = self.response.body
        middle = len(body) // 2
        start = {"status": self.response.status_code, "headers": self.response.raw_headers}
        await send({"type": "http.response.start", **start})
        await send({"type": "http.response.body", "body": body[:middle], "more_body": True})
        if not self.is_cut:  # uvicorn closes the connection of a response that was not completed
            await _wait(self.pause, receive)
            await send({"type": "http.response.body", "body": body[middle:]})


async def _wait(seconds: float, receive: Receive) -> None:
    """Wait, but no longer than the client stays connected."""
    if seconds:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(receive(), seconds)


def refuse_endpoint(name: str) -> Response:
    """Return the answer to an invocation of an endpoint that does not exist."""
    return _validation_error(f"Endpoint {name} of account {_ACCOUNT} not found.")


def _validation_error(message: str) -> Response:
    return _error(400, "ValidationError", {"Message": message})


def _response(answer: Answer, endpoint: str, variant: str) -> Response:
    if answer.status != 200:
        return _error(424, "ModelError", _model_error(answer, endpoint))
    headers = {"x-Amzn-Invoked-Production-Variant": variant, "Content-Type": answer.content_type}
    return Response(answer.body, headers=_request_id() | headers)


def _model_error(answer: Answer, endpoint: str) -> dict[str, str | int]:
    side = "client" if 400 <= answer.status < 500 else "server"
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    text = answer.body.decode()
    return {
        "ErrorCode": f"{side.upper()}_ERROR_FROM_MODEL",
        "LogStreamArn": f"arn:aws:logs:{_REGION}:{_ACCOUNT}:log-group:{group}",
        "Message": f'Received {side} error ({answer.status}) from primary with message "{text}". '
        f"See https://{_REGION}.console.aws.amazon.com/cloudwatch/home?region={_REGION}#logEventViewer:group={group} "
        f"in account {_ACCOUNT} for more information.",
        "OriginalMessage": text,
        "OriginalStatusCode": answer.status,
    }


def _error(status: int, error_type: str | None, body: Mapping[str, str | int | None]) -> Response:
    error = {"x-amzn-ErrorType": error_type} if error_type else {}
    return Response(json.dumps(body, separators=(",", ":")), status, _request_id() | error, JSON)


def _request_id() -> dict[str, str]:
    digits = f"{random.getrandbits(128):032x}"  # a third of what uuid4 takes; nothing depends on it
    return {"x-amzn-RequestId": f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"}
