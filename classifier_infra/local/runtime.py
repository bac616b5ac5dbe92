"""SageMaker Runtime's front door: `POST /endpoints/NAME/invocations`.

botocore chooses the exception it raises from the header `x-amzn-ErrorType`, so it is sent as the service sends it.
Signatures are accepted unread.
"""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from time import perf_counter

from classifier_infra.local.asgi import Reply, Request
from classifier_infra.local.capture import Capture
from classifier_infra.local.container import JSON, TIMED_OUT, Answer, answer_invocation
from classifier_infra.local.endpoint import Endpoint, Variant
from classifier_infra.local.faults import SOUND, Effect, Faults

# Both sides of a wire state its limit themselves: a constant shared with the client would hide a mistake from every
# test that lets the two talk.
MAX_PAYLOAD_BYTES = 6_291_456
# How long the service waits for a container.
TIMEOUT_SECONDS = 60.0

_ACCOUNT = "123456789012"
_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class FrontDoor:
    """Answers the invocations of an endpoint."""

    endpoint: Endpoint
    faults: Faults
    capture: Capture | None = None

    def invoke(self, request: Request) -> Reply:
        if len(request.body) > MAX_PAYLOAD_BYTES:
            return _error(413, None, {"Message": f"The request is longer than {MAX_PAYLOAD_BYTES} bytes."})
        target = request.header(b"x-amzn-sagemaker-target-variant")
        variant = self.endpoint.choose(target)
        if variant is None:  # our choice: no capture of this answer is known
            return _refuse_name(f"Variant {target} of endpoint {self.endpoint.name} not found.")
        effect = self.faults.strike(self.endpoint.name, variant.name)
        if effect.refusal:
            return _error(effect.refusal.status, effect.refusal.error_type, effect.refusal.body)
        return self._ask(variant, effect, request)

    def _ask(self, variant: Variant, effect: Effect, request: Request) -> Reply:
        asked = perf_counter()
        # Not in a thread: a message takes some ten microseconds.
        answer = answer_invocation(variant.model, request.header(b"content-type") or "", request.body)
        answered = perf_counter()
        delay = 0.0
        if effect is not SOUND:
            delay = min(effect.delay, TIMEOUT_SECONDS)
            answer = TIMED_OUT if delay == TIMEOUT_SECONDS else effect.change(answer)
        if self.capture:
            self.capture.record(self.endpoint.name, variant.name, request, answer)
        reply = _reply(answer, self.endpoint.name, variant.name)
        variant.counters.count(answer.status, answered - asked + delay, perf_counter() - answered)
        if effect is SOUND:
            return reply
        return replace(reply, delay=delay, pause=effect.pause, is_cut=effect.is_cut)


def refuse_endpoint(name: str) -> Reply:
    """Answer an invocation of an endpoint that does not exist."""
    return _refuse_name(f"Endpoint {name} of account {_ACCOUNT} not found.")


def _refuse_name(message: str) -> Reply:
    return _error(400, "ValidationError", {"Message": message})


def _reply(answer: Answer, endpoint: str, variant: str) -> Reply:
    if answer.status != 200:
        return _error(424, "ModelError", _model_error(answer, endpoint))
    headers = (_request_id(), ("x-Amzn-Invoked-Production-Variant", variant), ("Content-Type", answer.content_type))
    return Reply(200, answer.body, headers)


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


def _error(status: int, error_type: str | None, body: Mapping[str, str | int | None]) -> Reply:
    error = (("x-amzn-ErrorType", error_type),) if error_type else ()
    headers = (_request_id(), ("Content-Type", JSON), *error)
    return Reply(status, json.dumps(body, separators=(",", ":")).encode(), headers)


def _request_id() -> tuple[str, str]:
    digits = f"{random.getrandbits(128):032x}"  # a third of what uuid4 takes; nothing depends on it
    return ("x-amzn-RequestId", f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}")
