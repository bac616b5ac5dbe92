"""Keep an endpoint's history: who did what when, with which version and result. Pure; stored beside `active.json`."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

FORMAT = 1

BEGUN = "begun"
IN_SERVICE = "in service"
ROLLED_BACK = "rolled back"
DELETED = "deleted"


class HistoryError(ValueError):
    """The history is not valid."""


@dataclass(frozen=True, slots=True)
class Event:
    """A deployment, promotion, rollback or deletion. `at` is ISO 8601, `by` the caller's ARN.

    `metrics` has the model's test accuracy by facet, and the traffic during the rollout.
    """

    action: str
    version: str
    config: str
    by: str
    at: str
    outcome: str = IN_SERVICE
    strategy: str = ""
    reason: str = ""
    metrics: Mapping[str, Any] = field(default_factory=dict)

    def is_same_as(self, other: "Event | None") -> bool:
        """Report whether both are the same action with the same outcome, disregarding person and time."""
        return other is not None and _identity(self) == _identity(other)


def _identity(event: Event) -> tuple[str, ...]:
    return (event.action, event.version, event.config, event.outcome)


def history_file(endpoint: str) -> str:
    """Return the name of an endpoint's history in the model store."""
    return f"history-{endpoint}.json"


def parse_history(content: bytes) -> tuple[Event, ...]:
    """Parse a history, oldest event first. Raises HistoryError."""
    try:
        document = json.loads(content)
        if document["format"] != FORMAT:
            raise HistoryError(f"format {document['format']!r} is not {FORMAT}")
        return tuple(Event(**event) for event in document["events"])
    except (ValueError, TypeError, KeyError) as error:
        raise HistoryError(f"not a history of an endpoint ({error})") from error


def history_json(events: Sequence[Event]) -> bytes:
    """Serialise a history."""
    return json.dumps({"format": FORMAT, "events": [asdict(event) for event in events]}, indent=1).encode()


def with_event(events: Sequence[Event], event: Event) -> list[Event]:
    """Append an event; the outcome of an action replaces its beginning."""
    last = events[-1] if events else None
    is_its_end = (
        last is not None and last.outcome == BEGUN and (last.action, last.config) == (event.action, event.config)
    )
    return [*(events[:-1] if is_its_end else events), event]


def version_to_go_back_to(events: Sequence[Event], serving: str) -> str | None:
    """Return the version that a rollback leads to, None if no earlier one is known.

    For an interrupted change it is the version before it; an interrupted rollback continues to its own target.
    """
    last = events[-1] if events else None
    if last is None or last.outcome != BEGUN:
        return _served_before(events, serving)
    return last.version if last.action == "rollback" else _served_before(events, last.version)


def _served_before(events: Sequence[Event], current: str) -> str | None:
    earlier = (event.version for event in reversed(events) if event.outcome == IN_SERVICE)
    return next((version for version in earlier if version != current), None)
