"""Change one route in a policy's text, and leave the rest of it, comments included, as its author wrote it. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeAlias

import yaml

from bot.policy.editing.rule_text import quote
from bot.policy.parsing.parser import PolicyError, Problem, WrittenPolicy

_ROUTES = "routes"
_COLUMN = 2

_Entries: TypeAlias = Mapping[str, tuple[yaml.Node, yaml.Node]]


def set_route(before: WrittenPolicy, label: str, channel: str | None) -> WrittenPolicy:
    """Let a label go to a channel, or with None nowhere. Raises PolicyError where that is left to the author."""
    wanted = {**before.policy.routes, label: channel}
    routes = {each: place for each, place in wanted.items() if place}
    try:
        after = WrittenPolicy.of(_change(before, label, channel))
    except PolicyError:  # such as where another label refers to what is changed
        raise _left_to_author() from None
    if after.policy != replace(before.policy, routes=routes):
        raise _left_to_author()
    return after


def _left_to_author() -> PolicyError:
    return PolicyError([Problem(1, "`routes` is written in a way that only its author can change: edit it as text")])


def _change(before: WrittenPolicy, label: str, channel: str | None) -> str:
    text = before.text if before.text.endswith("\n") else f"{before.text}\n"
    key, routes = next(((key, value) for key, value in before.root.value if key.value == _ROUTES), (None, None))
    entries: _Entries = {name.value: (name, value) for name, value in (routes.value or () if routes else ())}
    if label in entries:
        name, value = entries[label]
        return _put(text, value, channel) if channel else _cut(text, name, value)
    if channel is None:
        return text
    column = next((name.start_mark.column for name, _ in entries.values()), _COLUMN)
    line = f"{' ' * column}{quote(label)}: {channel}\n"
    if key is None or routes is None:
        return f"{text}{_ROUTES}:\n{line}"
    lines = (text if entries else _put(text, routes, "")).splitlines(keepends=True)
    at = key.start_mark.line + 1
    return "".join([*lines[:at], line, *lines[at:]])


def _put(text: str, node: yaml.Node, word: str) -> str:
    return f"{text[: node.start_mark.index]}{word}{text[node.end_mark.index :]}"


def _cut(text: str, name: yaml.Node, value: yaml.Node) -> str:
    """Take the lines of an entry away."""
    lines = text.splitlines(keepends=True)
    return "".join([*lines[: name.start_mark.line], *lines[value.end_mark.line + 1 :]])
