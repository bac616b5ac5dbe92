"""Change one line of a policy's text, and leave the rest of it, comments included, as its author wrote it. Pure."""

import json

import yaml

from bot.policy_file import PolicyError, Problem, WrittenPolicy

_ROUTES = "routes"


def set_route(before: WrittenPolicy, label: str, channel: str | None) -> WrittenPolicy:
    """Let a label go to a channel, or with None nowhere. Raises PolicyError where the result would be no policy."""
    changed = _change(before.text.splitlines(), before.root, label, channel)
    after = WrittenPolicy.of("\n".join(changed) + "\n")
    if after.policy.routes.get(label) != channel:
        raise PolicyError([Problem(1, "`routes` is written in a way that only its author can change: edit it as text")])
    return after


def _change(lines: list[str], root: yaml.Node, label: str, channel: str | None) -> list[str]:
    key, routes = next(((key, value) for key, value in root.value if key.value == _ROUTES), (None, None))
    wanted = [f"  {json.dumps(label, ensure_ascii=False)}: {channel}"] if channel else []
    if key is None:
        return [*lines, f"{_ROUTES}:", *wanted] if wanted else lines
    entries = {name.value: name.start_mark for name, _ in routes.value} if isinstance(routes, yaml.MappingNode) else {}
    mark = entries.get(label)
    if mark is None:
        at = key.start_mark.line + 1
        return [*lines[:at], *(_indented(line, entries) for line in wanted), *lines[at:]]
    return [*lines[: mark.line], *(_indented(line, entries) for line in wanted), *lines[mark.line + 1 :]]


def _indented(line: str, entries: dict[str, yaml.Mark]) -> str:
    """Indent a line like those that are there."""
    column = next((mark.column for mark in entries.values()), 2)
    return " " * column + line.strip()
