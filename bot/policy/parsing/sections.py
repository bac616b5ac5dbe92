"""Grammar of the sections that a policy's rules refer to: business hours, rotas, reply templates and webhooks."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import date, time
from typing import Any, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from bot.policy.parsing.forms import PERSON_ID, Choice, Many, Part, Record, Table, Word
from bot.policy.parsing.nodes import NAME, PERSON, Context, Problem, listed, problem, read_scalar
from bot.policy.policy import Webhook
from bot.policy.schedule import Absence, OpeningHours, Rota, Turn
from bot.policy.templates import MOST_CHARACTERS, find_fault

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = "|".join(_DAYS)
_TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_HANDOVER = re.compile(rf"(?:({_DAY}) )?({_TIME})")
_MOST_URL = 2_000

_A_DATE = "a date such as 2026-12-24"

_NAME = Word("is not a name of small letters, digits, - and _", NAME)


def _to_days(written: str) -> range:
    first, _, last = written.partition("-")
    days = range(_DAYS.index(first), _DAYS.index(last or first) + 1)
    if not days:
        raise ValueError("the last day is before the first")
    return days


def _to_span(written: str) -> tuple[time, time]:
    start, _, end = written.partition("-")
    span = time.fromisoformat(start), time.max if end == "24:00" else time.fromisoformat(end)
    if span[0] >= span[1]:
        raise ValueError("the end is not after the beginning")
    return span


def _to_absence(written: str) -> tuple[date, date]:
    first, _, last = written.partition("..")
    days = date.fromisoformat(first), date.fromisoformat(last or first)
    if days[1] < days[0]:
        raise ValueError("the last day is before the first")
    return days


def _to_zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(name) from error


_ZONE = Word(
    "is not a time zone; one is Europe/Berlin, or America/New_York, or UTC",
    convert=_to_zone,
    description="A time zone: Europe/Berlin",
)
_DATE_WORD = Word(f"is not {_A_DATE}", re.compile(_DATE), date.fromisoformat)


# --- Business hours -----------------------------------------------------------------------------------------


def _build_hours(
    zone: ZoneInfo, open: Mapping[range, Sequence[tuple[time, time]]], closed: frozenset[date] = frozenset()
) -> OpeningHours:
    times: dict[int, tuple[tuple[time, time], ...]] = {}
    for days, spans in open.items():
        for day in days:
            times[day] = (*times.get(day, ()), *spans)
    return OpeningHours(zone, times, closed)


_SPAN = Word(
    "is not hours of one day, such as 09:00-17:30, the end after the beginning; "
    "a night is two: until 24:00, and from 00:00",
    re.compile(rf"{_TIME}-({_TIME}|24:00)"),
    _to_span,
    description="Hours of one day: 09:00-17:30",
)
_DAY_NAMES = Word(
    f"is neither a day ({listed(_DAYS)}) nor days such as mon-fri", re.compile(rf"({_DAY})(-({_DAY}))?"), _to_days
)
HOURS = Table(
    Record(
        _build_hours,
        {
            "zone": _ZONE,
            "open": Table(Many(_SPAN, "the hours"), _DAY_NAMES, description="Hours by day: mon, or mon-fri"),
            "closed": Many(_DATE_WORD, "a date", frozenset),
        },
        required=("zone", "open"),
    ),
    _NAME,
    section="hours",
    description="Business hours, by a name that rules use.",
)


# --- Rotas --------------------------------------------------------------------------------------------------


def _build_rota(people: tuple[str, ...], **values: Any) -> Rota:
    if "handover" in values:
        weekday, at, _ = _HANDOVER.fullmatch(values["handover"]).groups()  # type: ignore[union-attr]
        values |= {"weekday": _DAYS.index(weekday or "mon"), "handover": time.fromisoformat(at)}
    absences = values.pop("away", {}).items()
    away = tuple(Absence(person, *days) for person, absent in absences for days in absent)
    return Rota(people, away=away, **values)


def _check_rota(rota: Part) -> Iterator[Problem]:
    people, turn, handover = (rota.values.get(key) for key in ("people", "turn", "handover"))
    if people == ():
        empty = f"`people` of {rota.name} is empty; a rota has one person at least"
        yield problem(rota.entries["people"].value, empty)
    found = _HANDOVER.fullmatch(handover or "")
    if handover and (not found or bool(found[1]) != (turn in (None, "week"))):
        example = "mon 09:00, because turns are weeks" if turn in (None, "week") else "09:00, because turns are days"
        yield problem(rota.entries["handover"].value, f"`{handover}` is not a handover such as {example}")
    away = rota.entries["away"].value if "away" in rota.entries else None
    for key, _ in away.value if isinstance(away, yaml.MappingNode) else ():
        if key.value and key.value not in (people or ()):
            yield problem(key, f"`{key.value}` is not one of the rota's `people`")


_ABSENCE = Word(
    f"is neither {_A_DATE} nor days such as 2026-12-24..2027-01-01",
    re.compile(rf"{_DATE}(\.\.{_DATE})?"),
    _to_absence,
)
ROTAS = Table(
    Record(
        _build_rota,
        {
            "people": Many(PERSON_ID, "a person", extra={"minItems": 1}),
            "zone": _ZONE,
            "turn": Choice(get_args(Turn)),
            "handover": Word(
                description="mon 09:00 where turns are weeks, 09:00 where they are days",
                extra={"type": "string", "pattern": f"^(?:{_HANDOVER.pattern})$"},
            ),
            "start": _DATE_WORD,
            "away": Table(
                Many(_ABSENCE, "an absence"),
                Word(extra={"pattern": f"^(?:{PERSON.pattern})$"}),
                description="Who is away: a date, or 2026-12-24..2027-01-01",
            ),
        },
        required=("people",),
        check=_check_rota,
        extra={
            "if": {"required": ["turn"], "properties": {"turn": {"const": "day"}}},
            "then": {"properties": {"handover": {"pattern": "^[0-9]"}}},
            "else": {"properties": {"handover": {"pattern": "^[a-z]"}}},
        },
    ),
    _NAME,
    section="rotas",
    description="People who take turns, by a name that rules use.",
)


# --- Templates and webhooks ---------------------------------------------------------------------------------


class _Template(Word):
    def read(self, node: yaml.Node, name: str, context: Context) -> str:
        template = read_scalar(node, name, context).strip()
        fault = find_fault(template) if template else None
        if fault:
            context.report(node, f"the template {name}: {fault}")
        return template


TEMPLATES = Table(
    _Template(
        description="Text with {author}, {destination}, {assignee} and {label:FACET}",
        extra={
            "pattern": r"^([^{}]|\{(author|destination|assignee|label:[\w-]{1,60})\})+$",
            "maxLength": MOST_CHARACTERS,
        },
    ),
    _NAME,
    section="templates",
    description="What a customer reads, by a name that rules use.",
)


def _check_webhook(webhook: Part) -> Iterator[Problem]:
    url = webhook.values.get("url")
    if url and not _is_https(url):
        # The address itself stays out of the sentence: it may have a secret in it.
        fault = f"the `url` of {webhook.name} is not an address such as https://example.com/x"
        yield problem(webhook.entries["url"].value, fault)


def _is_https(url: str) -> bool:
    """Report whether an address can be called: https, a host, no user and no password."""
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    is_plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= _MOST_URL
    return is_plain and has_port and parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc


WEBHOOKS = Table(
    Record(
        lambda url, text="false": Webhook(url, text == "true"),
        {
            "url": Word(
                extra={"type": "string", "maxLength": _MOST_URL, "pattern": r"^https://[^\s@/?#]+([/?#][!-~]*)?$"}
            ),
            "text": Choice(("true", "false"), description="true: the message's text is sent, too."),
        },
        required=("url",),
        check=_check_webhook,
    ),
    _NAME,
    section="webhooks",
    description="Addresses that are notified of messages, by a name that rules use.",
)
