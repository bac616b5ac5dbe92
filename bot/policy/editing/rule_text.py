"""Find the rules in a policy's text: the lines of each one, and of the comments directly above it. Pure."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from bot.policy.parsing.parser import PolicyError, Problem, WrittenPolicy

RULES = "rules"
INDENT = "  "


@dataclass(frozen=True, slots=True)
class Place:
    """The section `rules` of a policy: its key, its value and its items, and the line after it."""

    items: Sequence[yaml.MappingNode]
    key: yaml.Node | None = None
    value: yaml.Node | None = None
    end: int = 0


def find_rules(root: yaml.Node) -> Place:
    """Return the place of the rules. Raises PolicyError if the policy or a rule is not a list of `key: value` lines."""
    if not isinstance(root, yaml.MappingNode) or root.flow_style:
        raise left_to_author(1)
    entries = root.value
    end = root.end_mark.line + (1 if root.end_mark.column else 0)
    for at, (key, value) in enumerate(entries):
        if key.value == RULES:
            end = entries[at + 1][0].start_mark.line if at + 1 < len(entries) else end
            items = value.value if isinstance(value, yaml.SequenceNode) else ()
            if not all(isinstance(item, yaml.MappingNode) for item in items):
                raise left_to_author(key.start_mark.line + 1)
            return Place(items, key, value, end)
    return Place((), end=end)


def left_to_author(line: int) -> PolicyError:
    sentence = "the rules are written in a way that only their author can change: edit the policy as text"
    return PolicyError([Problem(line, sentence)])


@dataclass(frozen=True, slots=True)
class RuleText:
    """The lines of a policy, with their line ends, and the indices of each rule's lines.

    A rule's lines begin at `starts` with its dash, which is in the column `dash`, and end before `ends`. The comments
    directly above it begin at `leads`. If there is no rule yet, one is added at the line `first`.
    """

    lines: list[str]
    first: int
    dash: int = len(INDENT)
    leads: tuple[int, ...] = ()
    starts: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()

    @staticmethod
    def of(policy: WrittenPolicy) -> "RuleText":
        """Find the rules of a policy. Raises PolicyError where they are not written line by line."""
        policy = _prepare(policy)
        rules, lines = find_rules(policy.root), policy.text.splitlines(keepends=True)
        assert rules.key is not None
        first = rules.key.start_mark.line + 1
        if not rules.items:
            return RuleText(lines, first)
        assert isinstance(rules.value, yaml.SequenceNode)
        if rules.value.flow_style:
            raise left_to_author(first)
        dash = rules.value.start_mark.column
        starts = tuple(_find_dash(lines, item, dash) for item in rules.items)
        if list(starts) != sorted(set(starts)):  # an alias has the position of the rule that it stands for
            raise left_to_author(first)
        ends = tuple(_trim(lines, at, end, dash) for at, end in zip(starts, (*starts[1:], rules.end), strict=True))
        leads = tuple(_lead(lines, at, floor) for at, floor in zip(starts, (first, *ends[:-1]), strict=True))
        return RuleText(lines, first, dash, leads, starts, ends)

    def put(self, number: int | None, rule: Sequence[str], place: int) -> str:
        """Return the text with the lines of a rule at `place`, instead of those of the rule `number` (from 1)."""
        lines, spans = [*self.lines], [*zip(self.leads, self.ends, strict=True)]
        at = self.first
        if number:
            at, end = spans.pop(number - 1)
            lines[at:end] = [""] * (end - at)  # so that the other rules' indices still hold
        if place != number and spans:
            at = spans[place - 1][0] if place <= len(spans) else spans[-1][1]
        return "".join([*lines[:at], *rule, *lines[at:]])


def _prepare(policy: WrittenPolicy) -> WrittenPolicy:
    """End the text's last line, and make it ready for a first rule: with version 2, and `rules:` on a line."""
    text = policy.text if policy.text.endswith("\n") else f"{policy.text}\n"
    rules = find_rules(policy.root)
    if rules.items:
        return WrittenPolicy(text, policy.root, policy.policy)
    if rules.key is None or rules.value is None:
        lines = text.splitlines(keepends=True)
        end = _trim(lines, 0, rules.end, -1)
        text = "".join([*lines[:end], f"{RULES}:\n", *lines[end:]])
    else:
        first, last = rules.value.start_mark, rules.value.end_mark
        if first.line != last.line:
            raise left_to_author(first.line + 1)
        text = text[: first.index].rstrip(" ") + text[last.index :]
    # Version 1 has no rules, so `rules:` was added above, further down than the version.
    version = next(value for key, value in policy.root.value if key.value == "version")
    if version.value == "1":
        text = f"{text[: version.start_mark.index]}2{text[version.end_mark.index :]}"
    try:
        return WrittenPolicy.of(text)
    except PolicyError:
        raise left_to_author(1) from None


def _find_dash(lines: list[str], item: yaml.Node, dash: int) -> int:
    at, column = item.start_mark.line, item.start_mark.column
    if not lines[at][:column].strip():  # the dash stands alone, in a line before
        at = next((line for line in range(at - 1, -1, -1) if lines[line].strip()[:1] not in ("", "#")), at)
    if lines[at][dash : dash + 1] != "-" or lines[at][:dash].strip():
        raise left_to_author(at + 1)
    return at


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _trim(lines: list[str], start: int, end: int, dash: int) -> int:
    """Return the end of a rule without the lines that belong to what follows: blank, or comments out to its dash."""
    while end > start + 1 and (
        not lines[end - 1].strip() or (_is_comment(lines[end - 1]) and _column(lines[end - 1]) <= dash)
    ):
        end -= 1
    return end


def _column(line: str) -> int:
    return len(line) - len(line.lstrip())


def _lead(lines: list[str], start: int, floor: int) -> int:
    while start > floor and _is_comment(lines[start - 1]):
        start -= 1
    return start


_PLAIN = re.compile(r"\w[\w-]*( \w[\w-]*)*", re.ASCII)
# YAML reads these plain words as null or as booleans.
_NOT_PLAIN = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def quote(word: str) -> str:
    """Write a word in YAML, in quotes where it needs them."""
    if _PLAIN.fullmatch(word) and word.lower() not in _NOT_PLAIN:
        return word
    # JSON escapes characters beyond 16 bits as two surrogates, which YAML does not join again.
    text = json.dumps(word, ensure_ascii=False)
    return "".join(each if each.isprintable() else f"\\U{ord(each):08x}" for each in text)
