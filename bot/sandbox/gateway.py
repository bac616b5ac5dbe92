"""Serve the HTTP routes of serverless.yml as API Gateway does: REST proxy events in, proxy responses out."""

import asyncio
import base64
import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

_LOGGER = logging.getLogger(__name__)

Handler = Callable[[dict[str, Any], Any], Any]

# API Gateway's own limit on requests.
MAX_BODY_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class GatewayRoute:
    """One `http` event of a function in serverless.yml."""

    method: str
    path: str
    function: str


@dataclass(slots=True)
class LambdaContext:
    """The part of Lambda's context object that the handlers use."""

    function_name: str
    timeout: float = 30.0
    memory_limit_in_mb: int = 512
    aws_request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    _started: float = field(default_factory=time.monotonic)

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:eu-central-1:123456789012:function:{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int(1000 * (self.timeout - (time.monotonic() - self._started))))


class Function:
    """One instance of a Lambda function. Like a real one, it handles one event at a time."""

    def __init__(self, name: str, handler: Handler) -> None:
        self.name = name
        self._handler = handler
        self._busy = threading.Lock()

    def invoke(self, event: dict[str, Any]) -> Any:
        with self._busy:
            return self._handler(event, LambdaContext(self.name))


@dataclass(frozen=True, slots=True)
class DeclaredFunctions:
    """Function name → handler (`package.module.function`), and the HTTP routes, as serverless.yml declares them."""

    handlers: Mapping[str, str]
    routes: tuple[GatewayRoute, ...]


def read_functions(serverless_yml: Path) -> DeclaredFunctions:
    """Read the functions of a Serverless Framework file."""
    functions = yaml.safe_load(serverless_yml.read_text(encoding="utf-8"))["functions"]
    return DeclaredFunctions({name: each["handler"] for name, each in functions.items()}, tuple(_routes_of(functions)))


def _routes_of(functions: Mapping[str, Any]) -> Iterator[GatewayRoute]:
    for name, function in functions.items():
        for event in function.get("events", []):
            if "http" in event:
                yield GatewayRoute(event["http"]["method"].upper(), "/" + event["http"]["path"].strip("/"), name)


def build_event(
    method: str, path: str, headers: list[tuple[str, str]], query: list[tuple[str, str]], body: bytes
) -> dict[str, Any]:
    """Build the event of a REST API proxy integration. A body that is not UTF-8 is Base64-encoded."""
    text, is_base64 = _encode_body(body)
    return {
        "resource": path,
        "path": path,
        "httpMethod": method,
        "headers": dict(headers) or None,
        "multiValueHeaders": _group(headers),
        "queryStringParameters": dict(query) or None,
        "multiValueQueryStringParameters": _group(query),
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "sandbox",
            "stage": "local",
            "resourcePath": path,
            "path": path,
            "httpMethod": method,
            "protocol": "HTTP/1.1",
            "requestId": str(uuid.uuid4()),
            "requestTimeEpoch": int(time.time() * 1000),
            "identity": {"sourceIp": "127.0.0.1", "userAgent": dict(headers).get("user-agent")},
        },
        "body": text,
        "isBase64Encoded": is_base64,
    }


def _encode_body(body: bytes) -> tuple[str | None, bool]:
    try:
        return body.decode("utf-8") or None, False
    except UnicodeDecodeError:
        return base64.b64encode(body).decode("ascii"), True


def _group(pairs: list[tuple[str, str]]) -> dict[str, list[str]] | None:
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return grouped or None


def read_answer(answer: Mapping[str, Any]) -> Response:
    """Convert a handler's proxy response into an HTTP response."""
    body = answer.get("body") or ""
    content = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode("utf-8")
    response = Response(content, status_code=answer["statusCode"])
    for name, value in (answer.get("headers") or {}).items():
        response.headers[name] = str(value)
    for name, values in (answer.get("multiValueHeaders") or {}).items():
        for value in values:
            response.headers.append(name, str(value))
    return response


def create_gateway(
    routes: Sequence[GatewayRoute], functions: Mapping[str, Function], site: Path, extra: list[BaseRoute]
) -> Starlette:
    """Serve the functions' routes, the static site beside them, and the sandbox's own `extra` routes."""
    paths = sorted({route.path for route in routes})
    return Starlette(
        routes=[
            *(Route(path, _serve(path, routes, functions), methods=_ALL_METHODS) for path in paths),
            *extra,
            Mount("/", StaticFiles(directory=site, html=True)),
        ]
    )


_ALL_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def _serve(path: str, routes: Sequence[GatewayRoute], functions: Mapping[str, Function]) -> Callable[[Request], Any]:
    by_method = {route.method: functions[route.function] for route in routes if route.path == path}

    async def serve(request: Request) -> Response:
        function = by_method.get(request.method)
        if function is None:
            return _refuse(403, "Missing Authentication Token")  # API Gateway's message for an unknown route
        body = await request.body()
        if len(body) > MAX_BODY_BYTES:
            return _refuse(413, "Request Too Long")
        event = build_event(request.method, path, request.headers.items(), request.query_params.multi_items(), body)
        try:
            return read_answer(await asyncio.to_thread(function.invoke, event))
        except Exception:
            _LOGGER.exception("The function %s raised", function.name)
            return _refuse(502, "Internal server error")

    return serve


def _refuse(status: int, message: str) -> Response:
    return JSONResponse({"message": message}, status_code=status)
