"""Building blocks of the policy's grammar: each form reads YAML nodes and describes itself as JSON Schema.

The policy is one `Record` of such forms (see parser.py). Its schema for editors, bot/policy.schema.json, is generated
from them: `python -m bot.policy.parsing.schema > bot/policy.schema.json`.
"""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import yaml

from bot.policy.parsing.nodes import (
    CHANNEL,
    EMOJI,
    NAME,
    PERSON,
    Context,
    Entry,
    Problem,
    is_nothing,
    listed,
    read_mapping,
    read_scalar,
)

Schema: TypeAlias = dict[str, Any]

ANYTHING = re.compile(r".*", re.DOTALL)

# An editor reads some plain words as these types of JSON; a form accepts a type when it accepts such a word.
_TYPED_WORDS = {"boolean": "true", "integer": "7", "number": "1.5"}
_TYPED = re.compile(r"true|false|[0-9]+")


@dataclass(frozen=True, kw_only=True)
class Form(ABC):
    """A part of the grammar. `extra` holds JSON Schema keywords beyond those that follow from the form itself."""

    description: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)

    @abstractmethod
    def read(self, node: yaml.Node, name: str, context: Context) -> Any:
        """Return the node's value; report problems to the context, calling the node `name`."""

    @abstractmethod
    def describe(self) -> Schema:
        """Return the keywords of JSON Schema that follow from the form."""

    def schema(self) -> Schema:
        """Return the JSON Schema of what the form accepts."""
        description = {"description": self.description} if self.description else {}
        return {**description, **self.describe(), **self.extra}


@dataclass(frozen=True)
class Word(Form):
    """A word that matches a pattern. `fault` follows a word that does not, or that `convert` raises ValueError for."""

    fault: str = ""
    pattern: re.Pattern[str] = ANYTHING
    convert: Callable[[str], Any] = str

    def read(self, node: yaml.Node, name: str, context: Context) -> Any:
        return self.parse(read_scalar(node, name, context), node, context)

    def parse(self, word: str, node: yaml.Node, context: Context) -> Any:
        """Convert a word read from the node; report one of the wrong form, and return it as it is."""
        try:
            if self.accepts(word, context):
                return self.convert(word)
        except ValueError:
            pass
        if word:  # otherwise reported already
            context.report(node, f"`{word}` {self.fault}")
        return word

    def accepts(self, word: str, context: Context) -> bool:
        return bool(word and self.pattern.fullmatch(word))

    def describe(self) -> Schema:
        types = [name for name, word in _TYPED_WORDS.items() if self.pattern.fullmatch(word)]
        form = {"minLength": 1} if self.pattern is ANYTHING else {"pattern": f"^(?:{self.pattern.pattern})$"}
        return {"type": ["string", *types], **form}


@dataclass(frozen=True)
class Choice(Form):
    """One of a few words."""

    words: tuple[str, ...]

    def read(self, node: yaml.Node, name: str, context: Context) -> str:
        word = read_scalar(node, name, context)
        if word and word not in self.words:
            context.report(node, f"{name} is `{word}`; it can be {listed(self.words)}")
        return word

    def describe(self) -> Schema:
        return {"enum": [*self.words, *(json.loads(word) for word in self.words if _TYPED.fullmatch(word))]}


@dataclass(frozen=True)
class Reference(Form):
    """A name that another section of the policy defines; with `resolve`, its value is what is defined there."""

    section: str
    resolve: bool = False

    def read(self, node: yaml.Node, name: str, context: Context) -> Any:
        word, known = read_scalar(node, name, context), context.definitions.get(self.section, {})
        if word and word not in known:
            choices = f"it has {listed([*known])}" if known else "it is empty"
            context.report(node, f"`{word}` is not in `{self.section}`; {choices}")
        return known.get(word) if self.resolve else word

    def describe(self) -> Schema:
        return Word(pattern=NAME).describe()


@dataclass(frozen=True)
class Many(Form):
    """One value or a list of values, each called `noun`; with `some`, the list must not be empty."""

    item: Form
    noun: str
    into: Callable[[Iterable[Any]], Any] = tuple
    some: bool = False

    def read(self, node: yaml.Node, name: str, context: Context) -> Any:
        noun = self.noun.format(name=name)
        items = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if self.some and not items:
            context.report(node, f"{noun} is missing: the list is empty")
        return self.into([self.item.read(item, noun, context) for item in items])

    def describe(self) -> Schema:
        # Each keyword of JSON Schema holds for values of one type, so one schema can describe the item and the list.
        item = self.item.schema()
        return {**item, "type": [*item["type"], "array"], "items": item, **({"minItems": 1} if self.some else {})}


@dataclass(frozen=True)
class Nullable(Form):
    """A form whose value may be empty, which is None."""

    form: Form

    def read(self, node: yaml.Node, name: str, context: Context) -> Any:
        return None if is_nothing(node) else self.form.read(node, name, context)

    def describe(self) -> Schema:
        schema = self.form.schema()
        return {**schema, "type": [*schema["type"], "null"]}


@dataclass(frozen=True)
class Table(Form):
    """A mapping whose keys the author chooses. Its values are called `noun`; `section` makes it known to references."""

    values: Form
    keys: Word = field(default_factory=Word)
    noun: str = "`{key}`"
    section: str = ""

    def read(self, node: yaml.Node, name: str, context: Context) -> dict[Any, Any]:
        table = {}
        for word, entry in read_mapping(node, name, context):
            key = self.keys.parse(word, entry.key, context)
            table[key] = self.values.read(entry.value, self.noun.format(name=name, key=word), context)
        if self.section:
            context.definitions[self.section] = table
        return table

    def describe(self) -> Schema:
        keys, values = self.keys.schema(), self.values.schema()
        return {"type": ["object", "null"], "propertyNames": keys, "additionalProperties": values}


@dataclass(frozen=True, slots=True)
class Part:
    """A record as far as it was read, for checks that concern more than one of its fields."""

    node: yaml.Node
    name: str
    entries: Mapping[str, Entry]
    values: Mapping[str, Any]


def _no_problems(_part: Part) -> Iterator[Problem]:
    return iter(())


@dataclass(frozen=True)
class Record(Form):
    """A mapping with fixed keys; `others` reads all further keys, which are otherwise unknown.

    `build` gets the values by key. It is only called for a policy without problems so far; the value is None after one.
    """

    build: Callable[..., Any]
    fields: Mapping[str, Form]
    required: Sequence[str] = ()
    others: Form | None = None
    check: Callable[[Part], Iterator[Problem]] = _no_problems
    introduction: str = "{name} has"  # to the list of known keys

    def read(self, node: yaml.Node, name: str, context: Context) -> Any:
        entries = dict(read_mapping(node, name, context))
        forms = {**self.fields, **{key: self.others for key in entries if self.others and key not in self.fields}}
        for key, entry in entries.items():
            if key not in forms:
                known = f"{self.introduction.format(name=name)} {listed([*self.fields])}"
                context.report(entry.key, f"`{key}` is unknown; {known}")
        for key in self.required:
            if key not in entries:
                context.report(node, f"{name} needs `{key}`")
        values = {
            key: form.read(entries[key].value, f"`{key}`", context) for key, form in forms.items() if key in entries
        }
        context.problems.extend(self.check(Part(node, name, entries, values)))
        return None if context.problems else self.build(**values)

    def describe(self) -> Schema:
        return {
            "type": ["object"] if self.required else ["object", "null"],
            **({"required": [*self.required]} if self.required else {}),
            "properties": {key: form.schema() for key, form in self.fields.items()},
            **({"propertyNames": {"minLength": 1}} if self.others else {}),
            "additionalProperties": self.others.schema() if self.others else False,
        }


A_CHANNEL = "the ID of a channel, such as C0123ABCD (in Slack: channel details, at the bottom)"
A_PERSON = "the ID of a person, such as U0123ABCD (in Slack: their profile, the three dots, Copy member ID)"
A_MENTION = "`here`, the ID of a user group (S…) or of a person (U…)"

CHANNEL_ID = Word(f"is not {A_CHANNEL}", CHANNEL, description="The ID of a channel: C0123ABCD")
PERSON_ID = Word(f"is not {A_PERSON}", PERSON, description="The ID of a person: U0123ABCD")
EMOJI_NAME = Word(
    "is not the name of an emoji without its colons, such as credit_card",
    EMOJI,
    description="The name of an emoji without its colons: credit_card",
)
