"""YAML as nodes that know their line: how every part of a policy is read, and how its faults are named."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import yaml

# More than a person would write, less than what makes a parser slow.
MAX_CHARACTERS = 100_000

ANYTHING = re.compile(r".*", re.DOTALL)
CHANNEL = re.compile(r"[CG][A-Z0-9]{2,}")
PERSON = re.compile(r"[UW][A-Z0-9]{2,}")
EMOJI = re.compile(r"[a-z0-9_+'-]{1,100}")
NAME = re.compile(r"[a-z][a-z0-9_-]{0,39}")

A_CHANNEL = "the ID of a channel, such as C0123ABCD (in Slack: channel details, at the bottom)"
A_PERSON = "the ID of a person, such as U0123ABCD (in Slack: their profile, the three dots, Copy member ID)"
AN_EMOJI = "the name of an emoji without its colons, such as credit_card"
A_NAME = "a name of small letters, digits, - and _"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a policy, and where: a line counted from 1, and a sentence that says what would be right."""

    line: int
    sentence: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.sentence}"


class PolicyError(ValueError):
    """The policy cannot be used; `problems` has all that is wrong with it, in the order of its lines."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class NotYaml(PolicyError):
    """The text is no YAML, whatever it was meant to say."""


@dataclass(frozen=True, slots=True)
class Entry:
    key: yaml.Node
    value: yaml.Node


def compose(text: str) -> yaml.Node:
    """Read YAML. Raises PolicyError."""
    if len(text) > MAX_CHARACTERS:
        raise PolicyError([Problem(1, f"the policy is longer than {MAX_CHARACTERS} characters")])
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise NotYaml([Problem(line, f"this is not YAML: {error.problem}")]) from None
    except (yaml.YAMLError, RecursionError):
        raise NotYaml([Problem(1, "this is not YAML, or is nested too deeply")]) from None
    if root is None:
        raise PolicyError([Problem(1, "the policy is empty; the least is `version: 1`")])
    return root


def read_mapping(node: yaml.Node | None, name: str, problems: list[Problem]) -> Iterator[tuple[str, Entry]]:
    """Read `key: value` lines; none where there is no node, or nothing in it."""
    if node is None or is_nothing(node):
        return
    if not isinstance(node, yaml.MappingNode):
        problems.append(problem(node, f"{name} must be a list of `key: value` lines"))
        return
    seen: dict[str, int] = {}
    for key, value in node.value:
        word = read_scalar(key, f"a key of {name}", problems)
        if word in seen:
            problems.append(problem(key, f"`{word}` is already given in line {seen[word]}"))
        seen.setdefault(word, line_of(key))
        yield word, Entry(key, value)


def read_parts(
    node: yaml.Node | None, name: str, known: Sequence[str], needed: Sequence[str], problems: list[Problem]
) -> dict[str, yaml.Node]:
    """Read a mapping whose keys are fixed; whatever is none of them is a problem, and so is one that is missing."""
    entries = dict(read_mapping(node, name, problems))
    for key in entries.keys() - set(known):
        problems.append(problem(entries[key].key, f"`{key}` is unknown; {name} has {listed(known)}"))
    for key in needed:
        if node is not None and key not in entries:
            problems.append(problem(node, f"{name} needs `{key}`"))
    return {key: entry.value for key, entry in entries.items()}


def read_matching(
    node: yaml.Node | None, name: str, pattern: re.Pattern[str], description: str, problems: list[Problem]
) -> dict[str, str]:
    """Read a mapping to words of one form."""
    values = {}
    for key, entry in read_mapping(node, name, problems):
        values[key] = read_form(entry.value, f"`{key}`", pattern, description, problems)
    return values


def read_items(
    node: yaml.Node | None, name: str, pattern: re.Pattern[str], description: str, problems: list[Problem]
) -> Iterator[str]:
    """Read one or more words of one form; an empty list is none."""
    if node is None:
        return
    items = node.value if isinstance(node, yaml.SequenceNode) else [node]
    for item in items:
        yield read_form(item, name, pattern, description, problems)


def read_form(node: yaml.Node, name: str, pattern: re.Pattern[str], description: str, problems: list[Problem]) -> str:
    """Read a word of one form."""
    value = read_scalar(node, name, problems)
    if value and not pattern.fullmatch(value):
        problems.append(problem(node, f"`{value}` is not {description}"))
    return value


def read_word(node: yaml.Node, name: str, choices: Sequence[str], problems: list[Problem]) -> str:
    """Read one of a few words."""
    value = read_scalar(node, name, problems)
    if value and value not in choices:
        problems.append(problem(node, f"{name} is `{value}`; it can be {listed(choices)}"))
    return value


def read_known(node: yaml.Node, name: str, known: Sequence[str], section: str, problems: list[Problem]) -> str:
    """Read a name that another section of the policy explains."""
    value = read_scalar(node, name, problems)
    if value and value not in known:
        choices = f"it has {listed(known)}" if known else "it is empty"
        problems.append(problem(node, f"`{value}` is not in `{section}`; {choices}"))
    return value


def read_scalar(node: yaml.Node, name: str, problems: list[Problem]) -> str:
    """Read a word as it is written, not as YAML's types: a label may well be called `no`, `on` or `2024`."""
    if isinstance(node, yaml.ScalarNode) and node.value and not is_nothing(node):
        return str(node.value)
    problems.append(problem(node, f"{name} must be one word"))
    return ""


def is_nothing(node: yaml.Node) -> bool:
    return isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null"


def line_of(node: yaml.Node) -> int:
    return int(node.start_mark.line) + 1


def problem(node: yaml.Node, sentence: str) -> Problem:
    return Problem(line_of(node), sentence)


def listed(words: Sequence[str]) -> str:
    quoted = [f"`{word}`" for word in words]
    return " or ".join([", ".join(quoted[:-1]), quoted[-1]] if len(quoted) > 1 else quoted)
