"""Where the rules are in a policy's text, line by line, with the comments that belong to each. Pure."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import yaml
from yaml import scan as read_tokens

from bot.policy.parsing.parser import PolicyError, Problem, WrittenPolicy

RULES = "rules"
INDENT = "  "


@dataclass(frozen=True, slots=True)
class Place:
    """Where the rules are: the key and its value, and the line after all of them."""

    items: Sequence[yaml.MappingNode]
    key: yaml.Node | None = None
    value: yaml.Node | None = None
    end: int = 0


def find_rules(root: yaml.Node) -> Place:
    """Raises PolicyError where the policy, or a rule in it, is no list of `key: value` lines."""
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
    """A policy's text, by lines with their ends, and where in it each rule is.

    `starts` are the lines of the rules' dashes, `leads` those of the first comment directly above, `ends` the first
    ones after.
    """

    text: str
    lines: list[str]
    rules: Place
    dash: int = len(INDENT)
    starts: tuple[int, ...] = ()
    leads: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()
    comments: tuple[tuple[int, str], ...] = ()

    @staticmethod
    def of(policy: WrittenPolicy) -> "RuleText":
        """Raises PolicyError where rules are not written line by line."""
        # An end of the last line moves no node: what was read without it holds with it, too.
        whole = policy.text if policy.text.endswith("\n") else f"{policy.text}\n"
        rules, lines = find_rules(policy.root), whole.splitlines(keepends=True)
        source = RuleText(whole, lines, rules, comments=tuple(find_comments(whole)))
        if not rules.items:
            return source
        assert rules.key is not None
        assert isinstance(rules.value, yaml.SequenceNode)
        if rules.value.flow_style:
            raise left_to_author(rules.key.start_mark.line + 1)
        dash = rules.value.start_mark.column
        starts = tuple(_find_dash(lines, item, dash) for item in rules.items)
        if list(starts) != sorted(set(starts)):  # an item that stands for another one is not where it is written
            raise left_to_author(rules.key.start_mark.line + 1)
        ends = tuple(_trim(lines, at, end, dash) for at, end in zip(starts, (*starts[1:], rules.end), strict=True))
        floors = (rules.key.start_mark.line + 1, *ends[:-1])
        leads = tuple(_lead(lines, at, floor) for at, floor in zip(starts, floors, strict=True))
        return replace(source, dash=dash, starts=starts, leads=leads, ends=ends)

    def span(self, number: int) -> tuple[int, int]:
        return self.leads[number - 1], self.ends[number - 1]

    def rewrite(self, number: int, item: list[str]) -> str:
        """Put lines in place of a rule's; none take it away."""
        first, last = self.span(number)
        return "".join([*self.lines[:first], *item, *self.lines[last:]])

    def move(self, number: int, item: list[str], place: int) -> str:
        """Put lines where a rule is to be the `place`th, another place than it had."""
        first, last = self.span(number)
        if place < number:
            at = self.leads[place - 1]
            return "".join([*self.lines[:at], *item, *self.lines[at:first], *self.lines[last:]])
        at = self.leads[place] if place < len(self.leads) else self.ends[-1]
        return "".join([*self.lines[:first], *self.lines[last:at], *item, *self.lines[at:]])

    def insert(self, item: list[str], place: int) -> str:
        """Put the lines of a new rule where it is the `place`th."""
        if self.leads:
            at = self.leads[place - 1] if place <= len(self.leads) else self.ends[-1]
            return "".join([*self.lines[:at], *item, *self.lines[at:]])
        if self.rules.key is None or self.rules.value is None:
            end = _trim(self.lines, 0, len(self.lines), -1) if self.lines else 0
            return "".join([*self.lines[:end], f"{RULES}:\n", *item, *self.lines[end:]])
        first, last = self.rules.value.start_mark.index, self.rules.value.end_mark.index
        lines = (self.text[:first].rstrip(" ") + self.text[last:]).splitlines(keepends=True)
        at = self.rules.key.start_mark.line + 1
        return "".join([*lines[:at], *item, *lines[at:]])


def _find_dash(lines: list[str], item: yaml.Node, dash: int) -> int:
    at, column = item.start_mark.line, item.start_mark.column
    if not lines[at][:column].strip():  # the dash stands alone, in a line before
        at = next((line for line in range(at - 1, -1, -1) if lines[line].strip()[:1] not in ("", "#")), at)
        column = len(lines[at])
    if lines[at][dash : dash + 1] != "-" or lines[at][:dash].strip():
        raise left_to_author(at + 1)
    return at


def is_comment(line: str) -> bool:
    return line.lstrip().startswith("#")


def _trim(lines: list[str], start: int, end: int, dash: int) -> int:
    """Give where a rule ends: what follows it and is not indented like it belongs to what comes next."""
    while end > start + 1 and (
        not lines[end - 1].strip() or (is_comment(lines[end - 1]) and _column(lines[end - 1]) <= dash)
    ):
        end -= 1
    return end


def _column(line: str) -> int:
    return len(line) - len(line.lstrip())


def _lead(lines: list[str], start: int, floor: int) -> int:
    while start > floor and is_comment(lines[start - 1]):
        start -= 1
    return start


# --- Comments -----------------------------------------------------------------------------------------------


def find_comments(text: str) -> Iterator[tuple[int, str]]:
    """Find the comments, which no YAML parser gives: what begins with # and is in no word."""
    spans = [
        (token.start_mark.index, token.end_mark.index)
        for token in read_tokens(text)
        if isinstance(token, yaml.ScalarToken)
    ]
    at = 0
    for number, line in enumerate(text.splitlines(keepends=True)):
        for found in re.finditer(r"(?:^|(?<=\s))#", line):
            place = at + found.start()
            if not any(first <= place < last for first, last in spans):
                yield number, line[found.start() :].rstrip()
                break
        at += len(line)


_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")
# What YAML takes for something else than a word.
_NOT_PLAIN = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def quote(word: str) -> str:
    if _PLAIN.fullmatch(word) and word.lower() not in _NOT_PLAIN:
        return word
    # JSON's own escapes of what is beyond 16 bits are pairs, which YAML does not put together again.
    text = json.dumps(word, ensure_ascii=False)
    return "".join(each if each.isprintable() else f"\\U{ord(each):08x}" for each in text)
