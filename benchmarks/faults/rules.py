"""Decide which request meets which fault. Pure: a request and rules in, the fault and the remaining rules out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from fnmatch import fnmatchcase


class Fault(StrEnum):
    """A fault that can happen to a request; the value is its name in tables."""

    REFUSED = "connection refused"
    RESET = "reset before the server acted"
    LOST = "response lost after the server acted"
    THROTTLED = "429 or throttled"
    ERROR = "500"
    SLOW = "slower than the time-out"
    TRUNCATED = "truncated response"
    KILL_BEFORE = "SIGKILL before the server acted"
    KILL_AFTER = "SIGKILL after the server acted"


# Faults that happen, or become known, only after the server has acted.
AFTER_THE_SERVER = frozenset({Fault.LOST, Fault.TRUNCATED, Fault.KILL_AFTER})

KILLS = (Fault.KILL_BEFORE, Fault.KILL_AFTER)


@dataclass(frozen=True, slots=True)
class Request:
    """A request as the proxy sees it, from the process `source` to `service`.

    `operation` is a method of Slack's Web API, an AWS action, or a path.
    """

    source: str
    service: str
    operation: str
    body: bytes = b""

    def __str__(self) -> str:
        return f"{self.service}:{self.operation}"


@dataclass(frozen=True, slots=True)
class Rule:
    """Inject `fault` into requests that match `pattern` (`service:operation`, with `*` and `?` as in file names).

    Only requests from `source` (None: any) whose body contains `contains` count. The first `skip` of them pass, then
    every `every`-th is hit, `times` times in all (None: without end).
    """

    fault: Fault
    pattern: str
    contains: bytes = b""
    source: str | None = None
    skip: int = 0
    every: int = 1
    times: int | None = 1

    def matches(self, request: Request) -> bool:
        return (
            self.times != 0
            and self.source in (None, request.source)
            and fnmatchcase(str(request), self.pattern)
            and self.contains in request.body
        )

    def after_a_miss(self) -> "Rule":
        return replace(self, skip=self.skip - 1)

    def after_a_hit(self) -> "Rule":
        return replace(self, skip=self.every - 1, times=None if self.times is None else self.times - 1)


def judge(rules: tuple[Rule, ...], request: Request) -> tuple[Fault | None, tuple[Rule, ...]]:
    """Return the fault that a request meets, if any, and the rules for the next request.

    Every matching rule counts the request. If several are due, the first strikes and the others stay due.
    """
    struck: Fault | None = None
    left = []
    for rule in rules:
        if not rule.matches(request):
            left.append(rule)
        elif rule.skip > 0:
            left.append(rule.after_a_miss())
        elif struck is None:
            struck = rule.fault
            left.append(rule.after_a_hit())
        else:
            left.append(rule)
    return struck, tuple(left)


def name_operation(path: str, headers: Mapping[str, str]) -> str:
    """Return the AWS action, Slack method or path of a request. Header names must be in lower case."""
    path = path.partition("?")[0]
    if target := headers.get("x-amz-target"):
        return target.rpartition(".")[2]
    if path.startswith("/endpoints/") and path.endswith("/invocations"):
        return "InvokeEndpoint"
    if path.startswith("/response/"):
        return "response_url"
    return path.removeprefix("/api/")


# --- Error responses -----------------------------------------------------------------------------------------

_AWS_JSON = "application/x-amz-json-1.0"


def fault_response(service: str, fault: Fault) -> bytes:
    """Return the HTTP response with which a service reports throttling (THROTTLED) or an internal error (ERROR)."""
    if service == "slack" and fault is Fault.THROTTLED:
        return http_response("429 Too Many Requests", {"ok": False, "error": "ratelimited"}, {"Retry-After": "1"})
    if service == "slack":
        return http_response("500 Internal Server Error", {"ok": False, "error": "fatal_error"})
    if service not in _THROTTLING:
        status = "429 Too Many Requests" if fault is Fault.THROTTLED else "500 Internal Server Error"
        return http_response(status, {"message": status})
    if fault is Fault.THROTTLED:
        return _aws_error("400 Bad Request", _THROTTLING[service])
    return _aws_error("500 Internal Server Error", "InternalServerError")


_THROTTLING = {
    "dynamodb": "ProvisionedThroughputExceededException",
    "sqs": "RequestThrottled",
    "endpoint": "ThrottlingException",
}


def _aws_error(status: str, code: str) -> bytes:
    headers = {"Content-Type": _AWS_JSON, "x-amzn-ErrorType": code}
    return http_response(status, {"__type": code, "message": "from the fault laboratory"}, headers)


def http_response(status: str, document: object, headers: Mapping[str, str] | None = None) -> bytes:
    """Return a complete HTTP/1.1 response with a JSON body, which closes the connection."""
    body = json.dumps(document).encode()
    fields = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Connection": "close"}
    lines = [f"{name}: {value}" for name, value in (fields | dict(headers or {})).items()]
    return "\r\n".join([f"HTTP/1.1 {status}", *lines, "", ""]).encode() + body
