"""Change one route in a policy's text, and leave all other text as its author wrote it, comments included. Pure."""

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
    """Route a label to a channel, or with None to none. Raises PolicyError if only the author can make the change."""
    wanted = {**before.policy.routes, label: channel}
    routes = {label: channel for label, channel in wanted.items() if channel}
    try:
        after = WrittenPolicy.of(_change(before, label, channel))
    except PolicyError:  # such as when another route is an alias of the changed one
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
        return _replace(text, value, channel) if channel else _remove_lines(text, name, value)
    if channel is None:
        return text
    column = next((name.start_mark.column for name, _ in entries.values()), _COLUMN)
    line = f"{' ' * column}{quote(label)}: {channel}\n"
    if key is None or routes is None:
        return f"{text}{_ROUTES}:\n{line}"
    lines = (text if entries else _replace(text, routes, "")).splitlines(keepends=True)
    at = key.start_mark.line + 1
    return "".join([*lines[:at], line, *lines[at:]])


def _replace(text: str, node: yaml.Node, word: str) -> str:
    return f"{text[: node.start_mark.index]}{word}{text[node.end_mark.index :]}"


def _remove_lines(text: str, name: yaml.Node, value: yaml.Node) -> str:
    lines = text.splitlines(keepends=True)
    return "".join([*lines[: name.start_mark.line], *lines[value.end_mark.line + 1 :]])
