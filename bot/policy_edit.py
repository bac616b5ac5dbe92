"""Change one line of a policy's text, and leave the rest of it, comments included, as its author wrote it. Pure."""

import json

import yaml

from bot.policy_file import PolicyError, Problem, parse_policy

_ROUTES = "routes"


def set_route(text: str, label: str, channel: str | None) -> str:
    """Let a label go to a channel, or with None nowhere. Raises PolicyError where the result would be no policy."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(root, yaml.MappingNode):
        raise PolicyError([Problem(1, "the policy must be a list of `key: value` lines")])
    changed = _change(text.splitlines(), root, label, channel)
    result = "\n".join(changed) + "\n"
    routes = parse_policy(result).routes
    if routes.get(label) != channel:
        raise PolicyError([Problem(1, "`routes` is written in a way that only its author can change: edit it as text")])
    return result


def _change(lines: list[str], root: yaml.MappingNode, label: str, channel: str | None) -> list[str]:
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
