"""Fuzz every HTTP surface with broken requests, which are the same for the same seed."""

import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import urlencode

import httpx2

from benchmarks.faults.laboratory import Laboratory, resident_megabytes
from benchmarks.faults.latency import build_event
from bot.sandbox.slack.delivery import sign

_METHODS = ("POST", "POST", "POST", "PUT", "GET", "OPTIONS", "DELETE")
_JSON, _FORM = "application/json", "application/x-www-form-urlencoded"
_TYPES = ("application/json", "application/x-www-form-urlencoded", "text/plain", "text/html", "", "application/json; x")
_VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 10**30, 1e308, "", " ", "x" * 5_000, "\ud800", "\x00", "🎉", "<@U0MAYA>", [], {}, [[]], {"": {}},
    "U0MAYA", "C0SUPPORT", "1.1", "correct:0", "category=technical",
)  # fmt: skip
_COMMANDS = (
    "refund", "help", "stats", "policy", "mute", "mute <#C0SUPPORT|support>", "stop", "start", "version", "x" * 4_000,
)  # fmt: skip
_INTERACTIONS = ("block_actions", "block_actions", "view_submission", "view_closed", "message_action", "shortcut", "?")

_ACTOR = {"channel": "C0LEADS", "user": "U0ANNA"}
_PAGE_ACTIONS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/sandbox/messages", {**_ACTOR, "text": "a refund", "thread_ts": None}),
    ("/sandbox/messages/edit", {**_ACTOR, "ts": "1.1", "text": "a refund"}),
    ("/sandbox/messages/delete", {**_ACTOR, "ts": "1.1"}),
    ("/sandbox/reactions", {**_ACTOR, "ts": "1.1", "name": "eyes"}),
    ("/sandbox/commands", {**_ACTOR, "command": "/classify", "text": "a refund"}),
    ("/sandbox/actions", {**_ACTOR, "ts": "1.1", "block_id": "b", "action_id": "a", "chosen": {"value": "x"}}),
    ("/sandbox/home", {"user": "U0ANNA"}),
    ("/sandbox/views/actions", {"view_id": "V1", "block_id": "b", "action_id": "a", "chosen": {"value": "x"}}),
    ("/sandbox/shortcuts", {**_ACTOR, "ts": "1.1", "callback_id": "classify_message"}),
    ("/sandbox/modals/submit", {"view_id": "V1", "values": {"b": {"a": {"value": "x"}}}}),
    ("/sandbox/modals/close", {"view_id": "V1"}),
    ("/sandbox/rate-limits", {"method": "no.such", "times": 1, "retry_after": 1}),
    ("/response/x", {"text": "an answer", "response_type": "ephemeral"}),
)
_CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("auth.test", {}),
    ("chat.postMessage", {"channel": "C0LEADS", "text": "x", "blocks": [{"type": "divider"}]}),
    ("chat.update", {"channel": "C0LEADS", "ts": "1.1", "text": "x"}),
    ("chat.delete", {"channel": "C0LEADS", "ts": "1.1"}),
    ("chat.postEphemeral", {"channel": "C0LEADS", "user": "U0ANNA", "text": "x"}),
    ("chat.getPermalink", {"channel": "C0LEADS", "message_ts": "1.1"}),
    ("reactions.add", {"channel": "C0LEADS", "timestamp": "1.1", "name": "eyes"}),
    ("reactions.remove", {"channel": "C0LEADS", "timestamp": "1.1", "name": "eyes"}),
    ("conversations.history", {"channel": "C0LEADS", "limit": 2, "oldest": "0", "latest": "1", "cursor": "x"}),
    ("conversations.replies", {"channel": "C0LEADS", "ts": "1.1", "limit": 2}),
    ("conversations.list", {"types": "public_channel", "limit": 2}),
    ("conversations.info", {"channel": "C0LEADS"}),
    ("conversations.join", {"channel": "C0LEADS"}),
    ("users.info", {"user": "U0ANNA"}),
    ("views.open", {"trigger_id": "1.1.x", "view": {"type": "modal", "title": {}, "blocks": []}}),
    ("views.publish", {"user_id": "U0ANNA", "view": {"type": "home", "blocks": []}}),
)


@dataclass(frozen=True, slots=True)
class FuzzedRequest:
    """`base` is the URL of the surface; `path` starts with a slash."""

    method: str
    base: str
    path: str
    headers: dict[bytes, bytes]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Draft:
    """A request before it is broken: URL, media type, body and method."""

    base: str
    path: str
    kind: str
    body: bytes
    method: str = "POST"


_Draw: TypeAlias = Callable[[Laboratory, random.Random], _Draft]


def generate(laboratory: Laboratory, chance: random.Random, requests: int) -> Iterator[FuzzedRequest]:
    """Yield requests of all kinds: noise, and well-formed ones with something broken, most of them signed."""
    for _ in range(requests):
        draft = chance.choice(_KINDS)(laboratory, chance)
        body = _damage(draft.body, chance) if chance.random() < 0.2 else draft.body
        headers = {"content-type": draft.kind if chance.random() < 0.9 else chance.choice(_TYPES)}
        if draft.base == laboratory.gateway and chance.random() < 0.85:
            headers |= sign(laboratory.signing_secret, body, int(laboratory.clock()))
        method = draft.method if chance.random() < 0.9 else chance.choice(_METHODS)
        yield FuzzedRequest(method, draft.base, draft.path, _break_headers(headers, chance), body)


def _break_headers(headers: dict[str, str], chance: random.Random) -> dict[bytes, bytes]:
    encoded = {name.lower().encode(): value.encode() for name, value in headers.items()}
    if chance.random() < 0.1:
        encoded |= {chance.choice([*encoded, b"x-slack-retry-num", b"accept"]): chance.randbytes(12).hex().encode()}
    if chance.random() < 0.05:
        encoded[b"x-slack-signature"] = b"v0=\xe9\xff"
    return encoded


# --- The functions ------------------------------------------------------------------------------------------


def _event(laboratory: Laboratory, chance: random.Random) -> _Draft:
    event = _mutate(json.loads(build_event(laboratory)), chance)
    return _Draft(laboratory.gateway, "/slack/events", _JSON, _dump(event))


def _command(laboratory: Laboratory, chance: random.Random) -> _Draft:
    form = {
        "command": "/classify", "text": chance.choice(_COMMANDS), "team_id": "T0SANDBOX", "channel_id": "C0LEADS",
        "user_id": "U0ANNA", "response_url": f"{laboratory.page}/response/x",
    }  # fmt: skip
    return _Draft(laboratory.gateway, "/slack/commands", _FORM, _form(_mutate(form, chance)))


def _press(laboratory: Laboratory, chance: random.Random) -> _Draft:
    payload = {
        "type": chance.choice(_INTERACTIONS), "team": {"id": "T0SANDBOX"}, "user": {"id": "U0ANNA"},
        "channel": {"id": "C0SUPPORT"}, "trigger_id": "1.1.x", "callback_id": "classify_message",
        "container": {"type": "message", "channel_id": "C0SUPPORT", "message_ts": "2.2", "thread_ts": "1.1"},
        "message": {"type": "message", "ts": "1.1", "text": "a refund", "user": "U0MAYA"}, "message_ts": "1.1",
        "view": {"id": "V1", "type": "modal", "callback_id": "x", "private_metadata": "{}", "state": {"values": {}}},
        "actions": [{"type": "button", "action_id": "correct:0", "block_id": "b", "value": "category=technical"}],
        "response_url": f"{laboratory.page}/response/x",
    }  # fmt: skip
    form = _form({"payload": _text(_mutate(payload, chance))})
    return _Draft(laboratory.gateway, "/slack/interactive", _FORM, form)


def _classify(laboratory: Laboratory, chance: random.Random) -> _Draft:
    document = chance.choice([{"body": "a refund"}, {"text": "a refund"}, {"texts": ["a refund", "it crashes"]}])
    path, method = chance.choice([("/blazingtext", "PUT"), ("/explain", "POST")])
    return _Draft(laboratory.gateway, path, _JSON, _dump(_mutate(document, chance)), method)


def _noise(laboratory: Laboratory, chance: random.Random) -> _Draft:
    base, paths = chance.choice(
        [
            (
                laboratory.gateway,
                ("/slack/events", "/slack/commands", "/slack/interactive", "/blazingtext", "/explain"),
            ),
            (laboratory.gateway, ("/labels", "/health", "/openapi.json", "/nowhere", "/index.html", "/")),
            (laboratory.endpoint, ("/endpoints/laboratory/invocations", "/invocations", "/ping", "/counters", "/x")),
            (laboratory.page, ("/", "/index.html", "/archives/C0SUPPORT/p17", "/archives/x/p0", "/api/", "/sandbox/x")),
        ]
    )
    return _Draft(base, chance.choice(paths), chance.choice(_TYPES), chance.randbytes(chance.randrange(200)))


# --- The stand-ins for SageMaker and Slack --------------------------------------------------------------------


def _invocation(laboratory: Laboratory, chance: random.Random) -> _Draft:
    document = {"instances": ["a refund", "it crashes"], "configuration": {"k": 2}}
    path = chance.choice(["/endpoints/laboratory/invocations", "/invocations"])
    return _Draft(laboratory.endpoint, path, _JSON, _dump(_mutate(document, chance)))


def _page_action(laboratory: Laboratory, chance: random.Random) -> _Draft:
    """Draw an action on the page of the stand-in Slack."""
    path, fields = chance.choice(_PAGE_ACTIONS)
    return _Draft(laboratory.page, path, _JSON, _dump(_mutate(fields, chance)))


def _api_call(laboratory: Laboratory, chance: random.Random) -> _Draft:
    """Draw a call of the stand-in's Web API."""
    method, arguments = chance.choice(_CALLS)
    sent = _mutate({**arguments, "token": laboratory.bot_token}, chance)
    kind = chance.choice([_JSON, _FORM])
    return _Draft(laboratory.page, f"/api/{method}", kind, _dump(sent) if kind == _JSON else _form(sent))


_KINDS: tuple[_Draw, ...] = (_event, _command, _press, _classify, _noise, _invocation, _page_action, _api_call)


# --- Mutations -----------------------------------------------------------------------------------------------


def _mutate(value: Any, chance: random.Random) -> Any:
    """Return a copy of a JSON value with up to three values changed or removed."""
    mutated = json.loads(json.dumps(value))
    for _ in range(chance.randrange(4)):
        mutated = _mutate_once(mutated, chance)
    return mutated


def _mutate_once(value: Any, chance: random.Random) -> Any:
    if not isinstance(value, (dict, list)) or not value or chance.random() < 0.1:
        return chance.choice(_VALUES)
    place = chance.choice([*value]) if isinstance(value, dict) else chance.randrange(len(value))
    if chance.random() < 0.2:
        del value[place]
    else:
        value[place] = _mutate_once(value[place], chance)
    return value


def _damage(body: bytes, chance: random.Random) -> bytes:
    place = chance.randrange(len(body) + 1)
    return body[:place] + chance.randbytes(chance.randrange(8)) + body[place + chance.randrange(8) :]


def _text(value: Any) -> str:
    return json.dumps(value)


def _dump(value: Any) -> bytes:
    return _text(value).encode()


def _form(form: Any) -> bytes:
    fields = form if isinstance(form, dict) else {"payload": form}
    return urlencode({str(name): str(value).encode("utf-8", "replace") for name, value in fields.items()}).encode()


# --- Running it ----------------------------------------------------------------------------------------------

HANG_SECONDS = 10.0

# The only 5xx that is no fault: the service is busy, and the client may retry.
_ALLOWED = frozenset({503})

_SENDERS = 3


@dataclass(frozen=True, slots=True)
class Fuzzed:
    """The result: status → count, and a line for each request that got a 5xx or no answer.

    `slowest` is in seconds. `memory`: process → MB after a quarter of the requests and at the end.
    """

    requests: int
    statuses: dict[int, int]
    faults: tuple[str, ...]
    slowest: float
    memory: dict[str, tuple[float, float]] = field(default_factory=dict)


def run_fuzz(laboratory: Laboratory, requests: int, seed: int = 1) -> Fuzzed:
    """Send the requests, a few at a time, and check that the queues drain at the end. Raises NotDrained."""
    # After a quarter of them, everything that is created only once exists, in the workers too.
    first = _send_all(laboratory, requests // 4, seed)
    laboratory.drain(600)
    before = _memory(laboratory)
    rest = _send_all(laboratory, requests - requests // 4, seed + _SENDERS)
    after = _memory(laboratory)
    laboratory.drain(600)
    laboratory.take_dead_letters()
    return Fuzzed(
        requests,
        dict(Counter(first.statuses) + Counter(rest.statuses)),
        first.faults + rest.faults,
        max(first.slowest, rest.slowest),
        {name: (megabytes, after[name]) for name, megabytes in before.items() if name in after},
    )


def _memory(laboratory: Laboratory) -> dict[str, float]:
    pids = {name: each.pid for name, each in laboratory.processes.items()} | {"local endpoint": laboratory.endpoint_pid}
    return {name: resident_megabytes(pid) for name, pid in pids.items() if pid}


def _send_all(laboratory: Laboratory, requests: int, seed: int) -> Fuzzed:
    shares = [requests // _SENDERS + (number < requests % _SENDERS) for number in range(_SENDERS)]
    with ThreadPoolExecutor(_SENDERS) as pool:
        sent = [*pool.map(partial(_send_some, laboratory), shares, range(seed, seed + _SENDERS))]
    return Fuzzed(
        requests,
        dict(sum((Counter(each.statuses) for each in sent), Counter())),
        tuple(fault for each in sent for fault in each.faults),
        max(each.slowest for each in sent),
    )


def _send_some(laboratory: Laboratory, requests: int, seed: int) -> Fuzzed:
    statuses: Counter[int] = Counter()
    faults: list[str] = []
    slowest = 0.0
    with httpx2.Client(trust_env=False, timeout=HANG_SECONDS) as client:
        for request in generate(laboratory, random.Random(seed), requests):
            started = time.monotonic()
            status = _send(client, request)
            slowest = max(slowest, time.monotonic() - started)
            statuses[status] += 1
            if status not in _ALLOWED and not 200 <= status < 500:
                faults.append(_describe(request, status))
    return Fuzzed(requests, dict(statuses), tuple(faults), slowest)


def _send(client: httpx2.Client, request: FuzzedRequest) -> int:
    url = request.base + request.path
    try:
        answer = client.request(request.method, url, headers=request.headers, content=request.body)
    except httpx2.HTTPError:
        return 0
    return int(answer.status_code)


def _describe(request: FuzzedRequest, status: int) -> str:
    return f"{request.method} {request.path} → {status or 'no answer'}: {request.body[:300]!r}"
