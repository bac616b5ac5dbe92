"""The local endpoint's Starlette application: SageMaker Runtime, the container's own paths, faults and counters."""

import json
import logging
import re
import traceback
from collections.abc import Mapping, Sequence
from typing import Any

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from classifier_infra.local.capture import Capture
from classifier_infra.local.container import JSON, answer_invocation
from classifier_infra.local.endpoint import NAMESPACE, Endpoint, variant_names
from classifier_infra.local.faults import Fault, FaultError, Faults, parse_fault
from classifier_infra.local.runtime import Runtime, refuse_endpoint

# The most that any SageMaker payload may have: that of a batch transform.
MAX_BODY_BYTES = 100 * 1024 * 1024

_INVOCATIONS = re.compile(r"/endpoints/([^/]+)/invocations")
_logger = logging.getLogger(__name__)


def create_app(
    endpoints: Sequence[Endpoint], faults: Sequence[Fault] = (), capture: Capture | None = None
) -> Starlette:
    """Build the application; the container's own paths lead to the first variant of the first endpoint."""
    active = Faults(faults)
    app = Starlette(
        routes=[
            *(
                Route(f"/endpoints/{each.name}/invocations", Runtime(each, active, capture).invoke, methods=["POST"])
                for each in endpoints
            ),
            *_container_routes(endpoints[0]),
            *_control_routes(endpoints, active),
        ],
        exception_handlers={
            404: _answer_unknown_path,
            ClientDisconnect: _ignore_disconnect,  # type: ignore[dict-item]  # None: no answer is sent
            Exception: _answer_error,
        },
        max_body_size=MAX_BODY_BYTES,
    )
    app.router.redirect_slashes = False
    return app


def _container_routes(endpoint: Endpoint) -> list[Route]:
    model = next(iter(endpoint.variants.values())).model

    async def invoke(request: Request) -> Response:
        answer = answer_invocation(model, request.headers.get("content-type", ""), await request.body())
        return Response(answer.body, answer.status, {"Content-Type": answer.content_type})

    async def ping(request: Request) -> Response:
        return Response()

    return [Route("/invocations", invoke, methods=["POST"]), Route("/ping", ping)]


def _control_routes(endpoints: Sequence[Endpoint], active: Faults) -> list[Route]:
    async def faults(request: Request) -> Response:
        if request.method == "PUT":
            try:
                active.replace(_parse_faults(await request.body(), endpoints))
            except FaultError as error:
                return _refuse("not_a_fault", str(error))
            except (ValueError, RecursionError):
                return _refuse("not_json", "The body is not JSON.")
        elif request.method == "DELETE":
            active.replace([])
        return _answer_json(200, {"faults": active.to_json()})

    async def counters(request: Request) -> Response:
        metrics = [
            {"EndpointName": endpoint.name, "VariantName": variant.name} | variant.counters.to_json()
            for endpoint in endpoints
            for variant in endpoint.variants.values()
        ]
        return _answer_json(200, {"Namespace": NAMESPACE, "Metrics": metrics})

    return [Route("/faults", faults, methods=["GET", "PUT", "DELETE"]), Route("/counters", counters)]


def _parse_faults(body: bytes, endpoints: Sequence[Endpoint]) -> list[Fault]:
    data = json.loads(body)
    known = variant_names(endpoints)
    return [parse_fault(fault, known) for fault in (data if isinstance(data, list) else [data])]


def _refuse(code: str, message: str) -> Response:
    return _answer_json(400, {"error": {"code": code, "message": message}})


def _answer_json(status: int, body: Mapping[str, Any]) -> Response:
    return Response(json.dumps(body, indent=1) + "\n", status, media_type=JSON)


# --- Errors ---------------------------------------------------------------------------------------------------


async def _answer_unknown_path(request: Request, error: Exception) -> Response:
    invocations = _INVOCATIONS.fullmatch(request.url.path)
    if invocations and request.method == "POST":
        return refuse_endpoint(invocations[1])
    return PlainTextResponse("Not found. Invocations go to POST /endpoints/NAME/invocations.\n", 404)


async def _ignore_disconnect(request: Request, error: Exception) -> None:
    """The client closed the connection before its request was complete."""


async def _answer_error(request: Request, error: Exception) -> Response:
    # The error's message stays out of the log: it may quote a customer's text.
    trace = "".join(traceback.format_tb(error.__traceback__))
    _logger.error("%s while answering %s %s\n%s", type(error).__name__, request.method, request.url.path, trace)
    return Response(status_code=500)
