"""Add, change, move or remove one rule in a policy's text, and leave every other line as its author wrote it. Pure.

A rule that is changed is rewritten as a whole, without the comments inside it. The result is parsed again: if it does
not say exactly what was wanted, the policy is written in a way that only its author can change.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import yaml

from bot.policy.editing.rule_text import INDENT, RuleText, find_rules, left_to_author, quote
from bot.policy.parsing.nodes import NotYaml, is_nothing
from bot.policy.parsing.parser import WrittenPolicy
from bot.policy.policy import Policy

# The part of a rule and the key in it: ("when", "category"), ("then", "post"), ("", "name").
Key: TypeAlias = tuple[str, str]
Changes: TypeAlias = Mapping[Key, tuple[str, ...]]

NAME: Key = ("", "name")
_PARTS = ("when", "then")
_LONGEST_LINE = 100


@dataclass(frozen=True, slots=True)
class WrittenRule:
    """A rule as written: `values` are its words and lists of words, `others` all other values, in YAML in one line.

    `title` is its name, or "rule" and its number.
    """

    title: str
    values: Mapping[Key, tuple[str, ...]] = field(default_factory=dict)
    others: Mapping[Key, str] = field(default_factory=dict)


def read_rules(policy: WrittenPolicy) -> tuple[WrittenRule, ...]:
    """Return a policy's rules. Raises PolicyError where they are written in a way that only their author can change."""
    items = find_rules(policy.root).items
    return tuple(_read_rule(number, item) for number, item in enumerate(items, 1))


def _read_rule(number: int, item: yaml.Node) -> WrittenRule:
    values: dict[Key, tuple[str, ...]] = {}
    others: dict[Key, str] = {}
    for key, node in _entries(item):
        nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if all(isinstance(each, yaml.ScalarNode) for each in nodes):
            values[key] = tuple(each.value for each in nodes)
        else:
            others[key] = _in_one_line(node)
    return WrittenRule(values.get(NAME, (f"rule {number}",))[0], values, others)


def _entries(item: yaml.Node) -> Iterator[tuple[Key, yaml.Node]]:
    for name, node in item.value:
        if name.value in _PARTS and isinstance(node, yaml.MappingNode):
            yield from (((name.value, key.value), value) for key, value in node.value)
        elif not is_nothing(node):
            yield ("", name.value), node


def _in_one_line(node: yaml.Node) -> str:
    if isinstance(node, yaml.MappingNode):
        return f"{{{', '.join(f'{_in_one_line(key)}: {_in_one_line(value)}' for key, value in node.value)}}}"
    if isinstance(node, yaml.SequenceNode):
        return f"[{', '.join(map(_in_one_line, node.value))}]"
    return quote(str(node.value))


def put_rule(before: WrittenPolicy, number: int | None, changes: Changes, place: int) -> WrittenPolicy:
    """Change the rule `number` (from 1), or add one, so that it stands at `place`; all other keys stay as they are.

    An empty change removes its key. Raises PolicyError.
    """
    rules = [*read_rules(before)]
    old = rules.pop(number - 1) if number else WrittenRule("")
    values = {key: words for key, words in {**old.values, **changes}.items() if words}
    new = WrittenRule("", values, {key: value for key, value in old.others.items() if key not in changes})
    rules.insert(place - 1, new)
    source = RuleText.of(before)
    lines: list[str] = []
    if number:
        end = source.ends[number - 1] if _meaning(new) == _meaning(old) else source.starts[number - 1]
        lines += source.lines[source.leads[number - 1] : end]
    if _meaning(new) != _meaning(old):
        lines += _write(new, source.dash)
    return _prove(before, source.put(number, lines, place), rules)


def remove_rule(before: WrittenPolicy, number: int) -> WrittenPolicy:
    """Remove a rule with the comments in it and directly above it. Raises PolicyError."""
    rules = [*read_rules(before)]
    del rules[number - 1]
    return _prove(before, RuleText.of(before).put(number, (), number), rules)


def _write(rule: WrittenRule, dash: int) -> Iterator[str]:
    """Write a rule with its dash in the column `dash`: each part on one line if it fits, otherwise each key."""
    entries = {**{key: _write_words(key, words) for key, words in rule.values.items()}, **rule.others}
    lines = [f"{NAME[1]}: {entries[NAME]}"] if NAME in entries else []
    for part in _PARTS:
        keys = [f"{quote(key)}: {value}" for (of, key), value in entries.items() if of == part]
        flow = f"{part}: {{{', '.join(keys)}}}"
        if len(flow) > _LONGEST_LINE:
            lines += [f"{part}:", *(f"{INDENT}{line}" for line in keys)]
        elif keys:
            lines.append(flow)
    for number, line in enumerate(lines):
        yield f"{' ' * dash}{INDENT if number else '- '}{line}\n"


def _write_words(key: Key, words: Sequence[str]) -> str:
    if key == ("then", "silent"):
        return words[0]
    return quote(words[0]) if len(words) == 1 else f"[{', '.join(map(quote, words))}]"


def _prove(before: WrittenPolicy, text: str, rules: Sequence[WrittenRule]) -> WrittenPolicy:
    """Parse the new text. Raises PolicyError where it does not have these rules, and all else as it was."""
    try:
        after = WrittenPolicy.of(text)
    except NotYaml:  # such as when an alias elsewhere refers to what was changed or moved
        raise left_to_author(1) from None
    is_kept = _without_rules(before.policy) == _without_rules(after.policy)
    if not is_kept or [*map(_meaning, read_rules(after))] != [*map(_meaning, rules)]:
        raise left_to_author(1)
    return after


def _without_rules(policy: Policy) -> Policy:
    return replace(policy, rules=())


def _meaning(rule: WrittenRule) -> tuple[Mapping[Key, frozenset[str]], Mapping[Key, str]]:
    """Return what a rule says, regardless of the order and repetition of its words."""
    return {key: frozenset(words) for key, words in rule.values.items()}, rule.others
