"""Parse a policy's YAML text into a Policy, or into problems with line numbers; bot/policy.yml explains every part."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, cast, get_args

import yaml

from bot.policy.parsing.forms import (
    A_CHANNEL,
    A_MENTION,
    A_PERSON,
    CHANNEL_ID,
    EMOJI_NAME,
    Choice,
    Form,
    Many,
    Nullable,
    Part,
    Record,
    Schema,
    Table,
    Word,
)
from bot.policy.parsing.nodes import (
    CHANNEL,
    MENTION,
    PERSON,
    Context,
    PolicyError,
    Problem,
    compose,
    is_nothing,
    problem,
)
from bot.policy.parsing.rules import Rules
from bot.policy.parsing.sections import HOURS, ROTAS, TEMPLATES, WEBHOOKS
from bot.policy.policy import Intake, Limits, Mode, OtherOrganisations, Policy, Urgent, WhenUnsure
from bot.policy.rules import Match
from bot.policy.small_talk import PHRASES

__all__ = ["PolicyError", "Problem", "WrittenPolicy", "load_policy", "parse_policy"]

# Version 2 adds rules, and the sections that they refer to, to version 1.
VERSIONS = ("1", "2")
_SINCE_2 = ("match", "rules", "hours", "rotas", "templates", "webhooks")


def load_policy(path: Path) -> Policy:
    """Parse a policy file. Raises PolicyError, and OSError where there is no such file."""
    try:
        return parse_policy(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise PolicyError([Problem(1, f"{path} is not UTF-8 text")]) from None


def parse_policy(text: str) -> Policy:
    """Parse a policy's YAML text. Raises PolicyError with every mistake in it."""
    return WrittenPolicy.of(text).policy


@dataclass(frozen=True, slots=True)
class WrittenPolicy:
    """A valid policy as its author wrote it: the text, its YAML nodes (do not modify them), and the parsed policy.

    Pass it on whole: parsing a long text takes most of a request's time.
    """

    text: str
    root: yaml.Node = field(repr=False, compare=False)
    policy: Policy = field(repr=False, compare=False)

    @staticmethod
    def of(text: str) -> "WrittenPolicy":
        """Parse a policy's text. Raises PolicyError with every mistake in it."""
        root = compose(text)
        context = Context()
        policy = GRAMMAR.read(root, "the policy", context)
        if context.problems:
            raise PolicyError(sorted(context.problems, key=lambda problem: problem.line))
        return WrittenPolicy(text, root, policy)


# --- The grammar --------------------------------------------------------------------------------------------


class _Correctors(Form):
    """`anyone`, which is None, or people."""

    people = Many(Word(f"is not {A_PERSON}; or let `corrections` be `anyone`", PERSON), "who corrects", frozenset)

    def read(self, node: yaml.Node, name: str, context: Context) -> frozenset[str] | None:
        items = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if is_nothing(node) or [item.value for item in items] == ["anyone"]:
            return None
        return cast(frozenset[str], self.people.read(node, name, context))

    def describe(self) -> Schema:
        return {"anyOf": [{"enum": ["anyone", ["anyone"], None]}, self.people.schema()]}


def _replace_defaults(phrases: Iterable[str]) -> tuple[str, ...]:
    return tuple(each for phrase in phrases for each in (PHRASES if phrase == "defaults" else [phrase]))


_COUNT = Word(
    "is not a whole number from 1 to 999999999",
    re.compile(r"[1-9][0-9]{0,8}"),
    int,
    extra={"minimum": 1, "maximum": 999_999_999},
)
_SECONDS = Word(
    "is not a whole number of seconds from 0 to 9999",
    re.compile(r"[0-9]{1,4}"),
    int,
    extra={"minimum": 0, "maximum": 9_999},
)
_INTAKE = Record(
    Intake,
    {
        "small_talk": Many(
            Word("is not at most 100 characters long", re.compile(r".{1,100}")), "a phrase", _replace_defaults
        ),
        "other_bots": Many(
            Word("is not the ID of a bot (B…; in Slack: the app's details)", re.compile(r"B[A-Z0-9]{2,}")),
            "a bot",
            frozenset,
        ),
        "other_organisations": Choice(get_args(OtherOrganisations)),
        "merge_seconds": _SECONDS,
    },
    description="Which messages open a request.",
)
_URGENT = Record(
    Urgent,
    {
        "when": Table(Many(Word(), "a label", frozenset)),
        "mention": Word(f"is not {A_MENTION}", MENTION),
    },
    required=("when", "mention"),
)


def _emoji_table(description: str) -> Table:
    return Table(Table(EMOJI_NAME), noun="{name} of `{key}`", description=description)


def _check_version(policy: Part) -> Iterator[Problem]:
    if "version" not in policy.entries:
        yield problem(policy.node, f"`version: {VERSIONS[-1]}` is missing")
    elif policy.values["version"] == "1":
        for key, entry in policy.entries.items():
            if key in _SINCE_2:
                yield problem(entry.key, f"`{key}` needs `version: 2`")


def _build_policy(
    version: str, channels: Mapping[str, Mode] | None = None, corrections: frozenset[str] | None = None, **values: Any
) -> Policy:
    modes = dict(channels or {})
    default = modes.pop("default", "suggest")
    return Policy(default_mode=default, modes=modes, correctors=corrections, **values)


# Fields are read in this order, so rules come after the sections that they refer to.
GRAMMAR = Record(
    _build_policy,
    {
        "version": Choice(VERSIONS, description="2 adds rules, and the sections that they refer to, to 1."),
        "channels": Table(
            Choice(get_args(Mode)),
            Word(f"is not {A_CHANNEL}, nor `default`", re.compile(rf"default|{CHANNEL.pattern}")),
            "the mode of `{key}`",
            description="The mode of each channel; `default` is for channels that are not listed.",
        ),
        "routes": Table(CHANNEL_ID, description="The channel that each category goes to."),
        "urgent": Nullable(_URGENT, description="Mention someone if one of these facets has one of its labels."),
        "unsure": Choice(get_args(WhenUnsure), description="What to do if the classifier is not sure."),
        "reactions": _emoji_table("Emoji to tag a message with, by facet and label."),
        "corrections": _Correctors(description="Who may correct the bot's labels: anyone, or a list of people."),
        "reaction_corrections": _emoji_table(
            "Emoji by facet and label: a reaction with one, by a person who may correct, sets that label."
        ),
        "admin": Nullable(
            CHANNEL_ID,
            description="The channel for problems that need a person with more rights, such as a missing permission.",
        ),
        "limits": Record(Limits, {limit.name: _COUNT for limit in fields(Limits)}),
        "intake": _INTAKE,
        "match": Choice(
            get_args(Match), description="first: only the first rule that matches applies; all: every one does."
        ),
        "hours": HOURS,
        "rotas": ROTAS,
        "templates": TEMPLATES,
        "webhooks": WEBHOOKS,
        "rules": Rules(),
    },
    check=_check_version,
    introduction="it can be",
    description="What the bot does with each message. With this schema an editor completes and checks a policy while "
    "you write; `python -m bot policy check FILE` also finds undefined names, and reports line numbers.",
    extra={
        "required": ["version"],
        "if": {"required": ["version"], "properties": {"version": {"enum": [1, "1"]}}},
        "then": {"properties": dict.fromkeys(_SINCE_2, False)},
    },
)
