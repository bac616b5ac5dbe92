"""Change one rule in a policy's text, and leave the rest of it, comments included, as its author wrote it. Pure.

What is changed is named by part and key: ("when", "category"), ("then", "post"), ("", "name"). Whatever no change names
stays, and a comment beside or inside what is changed stays near it. The result is read again: where it does not say
what was wanted, and nothing else, the policy is written in a way that is left to its author.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import yaml

from bot.policy.editing.rule_text import INDENT, RuleText, find_comments, find_rules, is_comment, left_to_author, quote
from bot.policy.parsing.nodes import NotYaml, is_nothing
from bot.policy.parsing.parser import WrittenPolicy
from bot.policy.policy import Policy

Key: TypeAlias = tuple[str, str]
Changes: TypeAlias = Mapping[Key, tuple[str, ...]]

NAME: Key = ("", "name")
_PARTS = ("when", "then")
_LONGEST_LINE = 100


@dataclass(frozen=True, slots=True)
class WrittenRule:
    """A rule as it is written: what is a word or a list of words in it, and the keys of what is neither.

    `title` is its name, or its place where it has none.
    """

    title: str
    values: Mapping[Key, tuple[str, ...]] = field(default_factory=dict)
    others: Mapping[Key, str] = field(default_factory=dict)


def read_rules(policy: WrittenPolicy) -> tuple[WrittenRule, ...]:
    """Raises PolicyError where they are written in a way that only their author can change."""
    items = find_rules(policy.root).items
    return tuple(_read_rule(number, item) for number, item in enumerate(items, 1))


def _read_rule(number: int, item: yaml.Node) -> WrittenRule:
    values: dict[Key, tuple[str, ...]] = {}
    others: dict[Key, str] = {}
    for key, node in _entries(item):
        words = _words_of(node)
        if words is None:
            others[key] = _meaning(node)
        else:
            values[key] = words
    return WrittenRule(values.get(NAME, (f"rule {number}",))[0], values, others)


def _entries(item: yaml.Node) -> Iterator[tuple[Key, yaml.Node]]:
    for name, node in item.value:
        if name.value in _PARTS and isinstance(node, yaml.MappingNode):
            yield from (((name.value, key.value), value) for key, value in node.value)
        elif not is_nothing(node):
            yield ("", name.value), node


def _meaning(node: yaml.Node) -> str:
    """Give what a value says, however it is written."""
    return _in_one_line(node, _meaning)


def _words_of(node: yaml.Node) -> tuple[str, ...] | None:
    nodes = node.value if isinstance(node, yaml.SequenceNode) else [node]
    return tuple(each.value for each in nodes) if all(isinstance(each, yaml.ScalarNode) for each in nodes) else None


# --- What can be done ---------------------------------------------------------------------------------------


def put_rule(before: WrittenPolicy, number: int | None, changes: Changes, place: int) -> WrittenPolicy:
    """Change the rule `number` (from 1), or add one, so that it stands at `place`. Raises PolicyError."""
    rules = [*read_rules(before)]
    old = rules.pop(number - 1) if number else WrittenRule("")
    wanted = {key: words for key, words in {**old.values, **changes}.items() if words}
    rules.insert(place - 1, WrittenRule("", wanted, old.others))
    source = RuleText.of(_with_version_2(before))
    return _prove(before, _put(source, number, changes, place), rules, Counter(_comments(source)))


def _put(source: RuleText, number: int | None, changes: Changes, place: int) -> str:
    if number is None:
        return source.insert([*_new_item(changes, source.dash)], place)
    lines = [*source.lines[source.leads[number - 1] : source.starts[number - 1]], *_rewrite(source, number, changes)]
    return source.rewrite(number, lines) if place == number else source.move(number, lines, place)


def remove_rule(before: WrittenPolicy, number: int) -> WrittenPolicy:
    """Take a rule away, with the comments in it and directly above it. Raises PolicyError."""
    rules = [*read_rules(before)]
    del rules[number - 1]
    source = RuleText.of(before)
    gone = Counter(_comments_in(source, *source.span(number)))
    return _prove(before, source.rewrite(number, []), rules, Counter(_comments(source)) - gone)


# --- A rule written line by line ----------------------------------------------------------------------------


def _rewrite(source: RuleText, number: int, changes: Changes) -> list[str]:
    """Give the lines of a rule with its changes."""
    item = source.rules.items[number - 1]
    first, last = source.starts[number - 1], source.ends[number - 1]
    if item.flow_style:
        return list(_unfold(source, item, first, last, changes))
    return _edit_item(source, item, first, last, changes)


def _edit_item(source: RuleText, item: yaml.MappingNode, first: int, last: int, changes: Changes) -> list[str]:
    start = item.value[0][0].start_mark
    values = {key.value: (key.start_mark.line, value) for key, value in item.value}
    edits = _edits(item, _of_part("", changes))
    for part in _PARTS:
        wanted = _of_part(part, changes)
        line, node = values.get(part, (first, None))
        if _edits(node, wanted):
            later = [at for at, _ in values.values() if at > line]
            edits[part] = _edit_part(source, part, node, line, min(later, default=last), wanted)
    body = _edit_mapping(source, item, last, start.column, edits, (NAME[1], *_PARTS))
    head = source.lines[first : start.line]
    if not head:  # the dash is in the first line, whichever that is now
        body[0] = f"{body[0][: source.dash]}-{body[0][source.dash + 1 :]}"
    return [*head, *body]


def _of_part(part: str, changes: Changes) -> dict[str, tuple[str, ...]]:
    return {key: words for (of, key), words in changes.items() if of == part}


def _edits(node: yaml.Node | None, wanted: Mapping[str, tuple[str, ...]]) -> dict[str, list[str] | None]:
    """Give what has to change in a mapping: the new lines of an entry, or None where it has to go."""
    entries = {key.value: value for key, value in node.value} if isinstance(node, yaml.MappingNode) else {}
    edits: dict[str, list[str] | None] = {}
    for key, words in wanted.items():
        known = (_words_of(entries[key]) or ("",)) if key in entries else ()
        if set(known) != set(words):
            edits[key] = [f"{quote(key)}: {_value(key, words)}"] if words else None
    return edits


def _edit_part(
    source: RuleText, part: str, node: yaml.Node | None, line: int, last: int, wanted: Mapping[str, tuple[str, ...]]
) -> list[str] | None:
    """Give the new lines of `when` or `then`, or None where nothing is left in it."""
    edits = _edits(node, wanted)
    if not isinstance(node, yaml.MappingNode):
        return _regenerate(part, {}, edits, is_flow=False)
    if node.flow_style:
        return _regenerate(part, dict(_inline_entries(source, node)), edits, is_flow=True)
    start = node.value[0][0].start_mark
    lines = _edit_mapping(source, node, last, start.column, edits, ())
    if all(is_comment(each) or not each.strip() for each in lines):
        return None
    return [_without_dash(source, line), *source.lines[line + 1 : start.line], *lines]


def _without_dash(source: RuleText, line: int) -> str:
    text = source.lines[line]
    return text if text.lstrip()[:2] != "- " else f"{text[: source.dash]} {text[source.dash + 1 :]}"


def _regenerate(
    part: str, entries: dict[str, str], edits: Mapping[str, list[str] | None], is_flow: bool
) -> list[str] | None:
    """Write a part anew: in one line, where it was and fits, or in a line for each entry."""
    merged = {key: text for key, text in entries.items() if key not in edits or edits[key]}
    merged |= {key: lines[0] for key, lines in edits.items() if lines}
    if not merged:
        return None
    flow = f"{part}: {{{', '.join(merged.values())}}}"
    if is_flow and len(flow) <= _LONGEST_LINE:
        return [flow]
    return [f"{part}:", *(f"{INDENT}{text}" for text in merged.values())]


def _inline_entries(source: RuleText, node: yaml.MappingNode) -> Iterator[tuple[str, str]]:
    for key, value in node.value:
        yield key.value, f"{quote(key.value)}: {_inline(source, value)}"


def _inline(source: RuleText, node: yaml.Node) -> str:
    """Give a value as it is written, or, where that takes several lines, in one."""
    if node.start_mark.line == node.end_mark.line:
        return source.text[node.start_mark.index : node.end_mark.index]
    return _in_one_line(node, lambda each: _inline(source, each))


def _in_one_line(node: yaml.Node, inner: Callable[[yaml.Node], str]) -> str:
    if isinstance(node, yaml.MappingNode):
        return f"{{{', '.join(f'{inner(key)}: {inner(value)}' for key, value in node.value)}}}"
    if isinstance(node, yaml.SequenceNode):
        return f"[{', '.join(map(inner, node.value))}]"
    return quote(str(node.value))


def _edit_mapping(
    source: RuleText,
    node: yaml.MappingNode,
    last: int,
    column: int,
    edits: Mapping[str, list[str] | None],
    order: Sequence[str],
) -> list[str]:
    """Give the lines of a block mapping with its edits; what is new stands after what it follows in `order`."""
    starts = [key.start_mark.line for key, _ in node.value]
    chunks: dict[str, list[str]] = {}
    for (key, _), start, end in zip(node.value, starts, (*starts[1:], last), strict=True):
        lines = source.lines[start:end]
        lines[0] = " " * column + lines[0][column:]
        if key.value in edits:
            lines = _apply(source, lines, start, end, column, edits[key.value])
        chunks[key.value] = lines
    new = {key: lines for key, lines in edits.items() if key not in chunks and lines}
    names = list(chunks)
    for key in new:
        later = order[order.index(key) + 1 :] if key in order else ()
        at = next((at for at, name in enumerate(names) if name in later), len(names))
        names.insert(at, key)
    return [line for name in names for line in (chunks[name] if name in chunks else _indented(new[name], column))]


def _apply(
    source: RuleText, lines: list[str], start: int, end: int, column: int, changed: list[str] | None
) -> list[str]:
    """Put what an entry is to be in place of its lines; its comments stay."""
    if changed and changed[0].endswith("\n"):  # they are in it already
        return changed
    comments = _comments_in(source, start, end)
    if changed and len(changed) == 1 and comments and lines[0].rstrip().endswith(comments[0]):
        return _indented([f"{changed[0]}  {comments[0]}", *comments[1:]], column)
    return _indented([*comments, *(changed or ())], column)


def _indented(lines: Iterable[str], column: int) -> list[str]:
    """Indent lines that begin at the edge, and end them."""
    return [f"{' ' * column}{line}\n" for line in lines]


# --- A rule written in one piece ----------------------------------------------------------------------------


def _unfold(source: RuleText, item: yaml.MappingNode, first: int, last: int, changes: Changes) -> Iterator[str]:
    """Write a rule of the form `- {when: …, then: …}` with a line for each part."""
    yield from _indented(_comments_in(source, first, last), source.dash)
    values = {key.value: value for key, value in item.value}
    edits = _edits(item, _of_part("", changes))
    lines = [*(edits.get(NAME[1]) or ())]
    if NAME[1] in values and NAME[1] not in edits:
        lines.append(f"{NAME[1]}: {_inline(source, values[NAME[1]])}")
    for part in _PARTS:
        node = values.get(part)
        entries = dict(_inline_entries(source, node)) if isinstance(node, yaml.MappingNode) else {}
        lines += _regenerate(part, entries, _edits(node, _of_part(part, changes)), is_flow=True) or []
    yield from _dashed(lines, source.dash)


def _new_item(changes: Changes, dash: int) -> Iterator[str]:
    lines = [f"{NAME[1]}: {_value(*NAME[1:], changes[NAME])}"] if changes.get(NAME) else []
    for part in _PARTS:
        lines += _regenerate(part, {}, _edits(None, _of_part(part, changes)), is_flow=False) or []
    return _dashed(lines, dash)


def _dashed(lines: Sequence[str], dash: int) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield f"{' ' * dash}{'- ' if number == 0 else INDENT}{line}\n"


# --- Words --------------------------------------------------------------------------------------------------


def _value(key: str, words: Sequence[str]) -> str:
    if key == "silent":
        return words[0]
    written = [quote(word) for word in words]
    return written[0] if len(written) == 1 else f"[{', '.join(written)}]"


def _with_version_2(policy: WrittenPolicy) -> WrittenPolicy:
    """Rules came with version 2, which has all of version 1."""
    for key, value in policy.root.value:
        if key.value == "version" and value.value == "1":
            return WrittenPolicy.of(f"{policy.text[: value.start_mark.index]}2{policy.text[value.end_mark.index :]}")
    return policy


def _comments(source: RuleText) -> list[str]:
    return [comment for _, comment in source.comments]


def _comments_in(source: RuleText, first: int, last: int) -> list[str]:
    return [comment for line, comment in source.comments if first <= line < last]


# --- The proof ----------------------------------------------------------------------------------------------


def _prove(before: WrittenPolicy, result: str, rules: Sequence[WrittenRule], comments: Counter[str]) -> WrittenPolicy:
    """Read the result. Raises PolicyError where it does not have these rules, these comments, and all else of what the
    policy was.
    """
    try:
        after = WrittenPolicy.of(result)
    except NotYaml:  # such as where what is changed or moved is referred to elsewhere
        raise left_to_author(1) from None
    is_kept = _without_rules(before.policy) == _without_rules(after.policy)
    is_right = [*map(_said_by, read_rules(after))] == [*map(_said_by, rules)]
    if not is_kept or not is_right or comments - Counter(comment for _, comment in find_comments(result)):
        raise left_to_author(1)
    return after


def _without_rules(policy: Policy) -> Policy:
    return replace(policy, rules=())


def _said_by(rule: WrittenRule) -> tuple[Mapping[Key, frozenset[str]], Mapping[Key, str]]:
    """Give what a rule says, in whatever order and however often."""
    return {key: frozenset(words) for key, words in rule.values.items()}, rule.others
