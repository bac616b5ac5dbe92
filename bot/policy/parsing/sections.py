"""The parts of a policy that its rules name: business hours, rotas, reply templates, webhooks."""

import re
from collections.abc import Iterator, Mapping
from datetime import date, time
from typing import cast, get_args
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import yaml

from bot.policy.parsing.nodes import (
    A_NAME,
    A_PERSON,
    ANYTHING,
    NAME,
    PERSON,
    Problem,
    listed,
    problem,
    read_form,
    read_items,
    read_mapping,
    read_parts,
    read_scalar,
    read_word,
)
from bot.policy.policy import Webhook
from bot.policy.schedule import MONDAY, UTC_ZONE, Absence, OpeningHours, Rota, Turn
from bot.policy.templates import find_fault

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN_OF_DAYS = re.compile(rf"({'|'.join(_DAYS)})(?:-({'|'.join(_DAYS)}))?")
_TIME = r"([01][0-9]|2[0-3]):([0-5][0-9])"
_SPAN_OF_TIME = re.compile(rf"{_TIME}-(?:{_TIME}|24:00)")
_HANDOVER = re.compile(rf"(?:({'|'.join(_DAYS)}) )?{_TIME}")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ABSENCE = re.compile(rf"({_DATE.pattern})(?:\.\.({_DATE.pattern}))?")
_MOST_URL = 2_000

_A_SPAN = "hours of one day, such as 09:00-17:30, the end after the beginning"
_A_DATE = "a date such as 2026-12-24"


def _read_named(node: yaml.Node | None, section: str, problems: list[Problem]) -> Iterator[tuple[str, yaml.Node]]:
    for name, entry in read_mapping(node, f"`{section}`", problems):
        if name and (not NAME.fullmatch(name) or name == "here"):
            problems.append(problem(entry.key, f"`{name}` is not {A_NAME}"))
        yield name, entry.value


# --- Business hours -----------------------------------------------------------------------------------------


def read_hours(node: yaml.Node | None, problems: list[Problem]) -> dict[str, OpeningHours]:
    return {name: _read_opening(name, value, problems) for name, value in _read_named(node, "hours", problems)}


def _read_opening(name: str, node: yaml.Node, problems: list[Problem]) -> OpeningHours:
    parts = read_parts(node, f"`{name}`", ("zone", "open", "closed"), ("zone", "open"), problems)
    times: dict[int, tuple[tuple[time, time], ...]] = {}
    for days, entry in read_mapping(parts.get("open"), "`open`", problems):
        spans = tuple(_read_spans(entry.value, problems))
        for day in _read_days(days, entry.key, problems):
            times[day] = times.get(day, ()) + spans
    closed = frozenset(_read_dates(parts.get("closed"), problems))
    return OpeningHours(_read_zone(parts.get("zone"), problems), times, closed)


def _read_days(days: str, node: yaml.Node, problems: list[Problem]) -> range:
    span = _SPAN_OF_DAYS.fullmatch(days)
    first = _DAYS.index(span[1]) if span else MONDAY
    last = _DAYS.index(span[2] or span[1]) if span else MONDAY
    if days and (not span or last < first):
        problems.append(problem(node, f"`{days}` is neither a day ({listed(_DAYS)}) nor days such as mon-fri"))
    return range(first, last + 1)


def _read_spans(node: yaml.Node, problems: list[Problem]) -> Iterator[tuple[time, time]]:
    items = node.value if isinstance(node, yaml.SequenceNode) else [node]
    for item in items:
        written = read_scalar(item, "the hours", problems)
        span = _SPAN_OF_TIME.fullmatch(written)
        times = (time(int(span[1]), int(span[2])), _end_of(span)) if span else None
        if times and times[0] < times[1]:
            yield times
        elif written:
            problems.append(problem(item, f"`{written}` is not {_A_SPAN}; a night is two: until 24:00, and from 00:00"))


def _end_of(span: re.Match[str]) -> time:
    return time(int(span[3]), int(span[4])) if span[3] else time.max


def _read_zone(node: yaml.Node | None, problems: list[Problem]) -> ZoneInfo:
    name = read_scalar(node, "`zone`", problems) if node else ""
    try:
        return ZoneInfo(name) if name else UTC_ZONE
    except (ZoneInfoNotFoundError, ValueError, OSError):
        assert node is not None
        problems.append(
            problem(node, f"`{name}` is not a time zone; one is Europe/Berlin, or America/New_York, or UTC")
        )
        return UTC_ZONE


def _read_dates(node: yaml.Node | None, problems: list[Problem]) -> Iterator[date]:
    items = node.value if isinstance(node, yaml.SequenceNode) else [node] if node else []
    for item in items:
        day = _read_date(item, problems)
        if day:
            yield day


def _read_date(node: yaml.Node, problems: list[Problem]) -> date | None:
    written = read_scalar(node, "a date", problems)
    return _to_date(written, node, problems) if written else None


def _to_date(written: str, node: yaml.Node, problems: list[Problem]) -> date:
    try:
        return date.fromisoformat(written if _DATE.fullmatch(written) else "")
    except ValueError:
        problems.append(problem(node, f"`{written}` is not {_A_DATE}"))
        return date.min


# --- Rotas --------------------------------------------------------------------------------------------------

_ROTA = ("people", "zone", "turn", "handover", "start", "away")


def read_rotas(node: yaml.Node | None, problems: list[Problem]) -> dict[str, Rota]:
    return {name: _read_rota(name, value, problems) for name, value in _read_named(node, "rotas", problems)}


def _read_rota(name: str, node: yaml.Node, problems: list[Problem]) -> Rota:
    parts = read_parts(node, f"`{name}`", _ROTA, ("people",), problems)
    people = tuple(read_items(parts.get("people"), "a person", PERSON, A_PERSON, problems))
    if "people" in parts and not people:
        problems.append(problem(parts["people"], f"`people` of `{name}` is empty; a rota has one person at least"))
    turn = cast(Turn, read_word(parts["turn"], "`turn`", get_args(Turn), problems)) if "turn" in parts else "week"
    weekday, handover = _read_handover(parts.get("handover"), turn, problems)
    start = (_read_date(parts["start"], problems) if "start" in parts else None) or Rota(people).start
    away = tuple(_read_absences(parts.get("away"), people, problems))
    return Rota(people, _read_zone(parts.get("zone"), problems), turn, handover, weekday, start, away)


def _read_handover(node: yaml.Node | None, turn: Turn, problems: list[Problem]) -> tuple[int, time]:
    if node is None:
        return MONDAY, time(9)
    written = read_scalar(node, "`handover`", problems)
    found = _HANDOVER.fullmatch(written)
    if written and (not found or bool(found[1]) != (turn == "week")):
        example = "mon 09:00, because turns are weeks" if turn == "week" else "09:00, because turns are days"
        problems.append(problem(node, f"`{written}` is not a handover such as {example}"))
    if not found:
        return MONDAY, time(9)
    return _DAYS.index(found[1]) if found[1] else MONDAY, time(int(found[2]), int(found[3]))


def _read_absences(node: yaml.Node | None, people: tuple[str, ...], problems: list[Problem]) -> Iterator[Absence]:
    for person, entry in read_mapping(node, "`away`", problems):
        if person and person not in people:
            problems.append(problem(entry.key, f"`{person}` is not one of the rota's `people`"))
        items = entry.value.value if isinstance(entry.value, yaml.SequenceNode) else [entry.value]
        for item in items:
            yield from _read_absence(person, item, problems)


def _read_absence(person: str, node: yaml.Node, problems: list[Problem]) -> Iterator[Absence]:
    written = read_scalar(node, "an absence", problems)
    days = _ABSENCE.fullmatch(written)
    if days:
        first = _to_date(days[1], node, problems)
        last = _to_date(days[2], node, problems) if days[2] else first
        if first <= last:
            yield Absence(person, first, last)
            return
    if written:
        problems.append(problem(node, f"`{written}` is neither {_A_DATE} nor days such as 2026-12-24..2027-01-01"))


# --- Templates and webhooks ---------------------------------------------------------------------------------


def read_templates(node: yaml.Node | None, problems: list[Problem]) -> dict[str, str]:
    templates: dict[str, str] = {}
    for name, value in _read_named(node, "templates", problems):
        templates[name] = read_scalar(value, f"`{name}`", problems).strip()
        fault = find_fault(templates[name]) if templates[name] else None
        if fault:
            problems.append(problem(value, f"the template `{name}`: {fault}"))
    return templates


def read_webhooks(node: yaml.Node | None, problems: list[Problem]) -> dict[str, Webhook]:
    return {name: _read_webhook(name, value, problems) for name, value in _read_named(node, "webhooks", problems)}


def _read_webhook(name: str, node: yaml.Node, problems: list[Problem]) -> Webhook:
    parts: Mapping[str, yaml.Node] = read_parts(node, f"`{name}`", ("url", "text"), ("url",), problems)
    url = read_form(parts["url"], "`url`", ANYTHING, "", problems) if "url" in parts else ""
    if url and not is_https(url):
        # The address itself stays out of the sentence: it may have a secret in it.
        problems.append(problem(parts["url"], f"the `url` of `{name}` is not an address such as https://example.com/x"))
    text = "text" in parts and read_word(parts["text"], "`text`", ("true", "false"), problems) == "true"
    return Webhook(url, text)


def is_https(url: str) -> bool:
    """Tell whether an address is one that can be called: https, a host, no user and no password."""
    try:
        parts = urlsplit(url)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    is_plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= _MOST_URL
    return is_plain and has_port and parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
