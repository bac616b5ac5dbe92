"""YAML nodes of a policy: composing them, reading mappings and scalars, and reporting problems by line."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

# More than a person would write, less than what makes a parser slow.
MAX_CHARACTERS = 100_000

CHANNEL = re.compile(r"[CG][A-Z0-9]{2,}")
PERSON = re.compile(r"[UW][A-Z0-9]{2,}")
# What can be mentioned by ID; other names are those of rotas.
MENTION = re.compile(r"here|[SUW][A-Z0-9]{2,}")
EMOJI = re.compile(r"[a-z0-9_+'-]{1,100}")
# `here` names no rota: in a mention it stands for everybody who is active in the channel.
NAME = re.compile(r"(?!here$)[a-z][a-z0-9_-]{0,39}")


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake in a policy: its line, counted from 1, and a sentence that says what would be right."""

    line: int
    sentence: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.sentence}"


class PolicyError(ValueError):
    """The policy cannot be used; `problems` lists every mistake in the order of the lines."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = tuple(problems)


class NotYaml(PolicyError):
    """The text is not YAML."""


@dataclass(frozen=True, slots=True)
class Context:
    """State of parsing one policy: the problems found so far, and what its sections define, by section and name."""

    problems: list[Problem] = field(default_factory=list)
    definitions: dict[str, dict[str, Any]] = field(default_factory=dict)

    def report(self, node: yaml.Node, sentence: str) -> None:
        self.problems.append(problem(node, sentence))


@dataclass(frozen=True, slots=True)
class Entry:
    key: yaml.Node
    value: yaml.Node


def compose(text: str) -> yaml.Node:
    """Compose the text's YAML nodes. Raises PolicyError."""
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


def read_mapping(node: yaml.Node, name: str, context: Context) -> Iterator[tuple[str, Entry]]:
    """Yield the entries of a mapping by key; an empty node has none."""
    if is_nothing(node):
        return
    if not isinstance(node, yaml.MappingNode):
        context.report(node, f"{name} must be a list of `key: value` lines")
        return
    seen: dict[str, int] = {}
    for key, value in node.value:
        word = read_scalar(key, f"a key of {name}", context)
        if word in seen:
            context.report(key, f"`{word}` is already given in line {seen[word]}")
        seen.setdefault(word, line_of(key))
        yield word, Entry(key, value)


def read_scalar(node: yaml.Node, name: str, context: Context) -> str:
    """Return a word as written, "" after a problem. YAML's types are ignored: a label may be called `no` or `2024`."""
    if isinstance(node, yaml.ScalarNode) and node.value and not is_nothing(node):
        return str(node.value)
    context.report(node, f"{name} must be one word")
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
