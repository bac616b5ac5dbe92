"""A policy as a person writes it: YAML, read and validated with line numbers. policy.yml explains every part."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, cast, get_args

import yaml

from bot.policy.parsing.nodes import (
    A_CHANNEL,
    A_PERSON,
    AN_EMOJI,
    ANYTHING,
    CHANNEL,
    EMOJI,
    PERSON,
    Entry,
    PolicyError,
    Problem,
    compose,
    is_nothing,
    listed,
    problem,
    read_form,
    read_items,
    read_mapping,
    read_matching,
    read_scalar,
    read_word,
)
from bot.policy.parsing.rules import Named, read_rules
from bot.policy.parsing.sections import read_hours, read_rotas, read_templates, read_webhooks
from bot.policy.policy import Intake, Limits, Mode, OtherOrganisations, Policy, Urgent, WhenUnsure
from bot.policy.rules import Match
from bot.policy.small_talk import PHRASES

__all__ = ["PolicyError", "Problem", "WrittenPolicy", "load_policy", "parse_policy"]

# Version 2 has all of version 1, and rules with what they name.
VERSIONS = ("1", "2")
_SINCE_2 = ("match", "rules", "hours", "rotas", "templates", "webhooks")

_LIMITS = tuple(field.name for field in fields(Limits))
_MODES = get_args(Mode)
_WHEN_UNSURE = get_args(WhenUnsure)
_OTHER_ORGANISATIONS = get_args(OtherOrganisations)
_INTAKE = tuple(field.name for field in fields(Intake))
_MENTION = re.compile(r"here|[SUW][A-Z0-9]{2,}")
_BOT = re.compile(r"B[A-Z0-9]{2,}")
_PHRASE = re.compile(r".{1,100}")
_SECONDS = re.compile(r"[0-9]{1,4}")
_COUNT = re.compile(r"[1-9][0-9]{0,8}")


def load_policy(path: Path) -> Policy:
    """Read a policy file. Raises PolicyError, and OSError where there is no such file."""
    try:
        return parse_policy(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise PolicyError([Problem(1, f"{path} is not UTF-8 text")]) from None


@dataclass(frozen=True, slots=True)
class WrittenPolicy:
    """A policy without a mistake as its author wrote it: the text, its YAML as nodes, which nobody may change, and what
    they say. It is handed on whole, because reading a long text takes most of the time that a request does.
    """

    text: str
    root: yaml.Node = field(repr=False, compare=False)
    policy: Policy = field(repr=False, compare=False)

    @staticmethod
    def of(text: str) -> "WrittenPolicy":
        """Raises PolicyError with everything that is wrong with the text."""
        root = compose(text)
        return WrittenPolicy(text, root, _read(root))


def parse_policy(text: str) -> Policy:
    """Read a policy from its YAML text. Raises PolicyError with everything that is wrong with it."""
    return WrittenPolicy.of(text).policy


def _read(root: yaml.Node) -> Policy:
    problems: list[Problem] = []
    parts = dict(read_mapping(root, "the policy", problems))
    for key in parts.keys() - set(_PARTS) - set(_SINCE_2):
        known = (*_PARTS, *_SINCE_2)
        problems.append(problem(parts[key].key, f"`{key}` is unknown; it can be {listed(known)}"))
    _check_version(root, parts, problems)
    policy = _read_policy({key: part.value for key, part in parts.items()}, problems)
    if problems:
        raise PolicyError(sorted(problems, key=lambda problem: problem.line))
    return policy


_PARTS = (
    *("version", "channels", "routes", "urgent", "unsure", "reactions"),
    *("corrections", "reaction_corrections", "admin", "limits", "intake"),
)


def _check_version(root: yaml.Node, parts: Mapping[str, Entry], problems: list[Problem]) -> None:
    if "version" not in parts:
        problems.append(problem(root, f"`version: {VERSIONS[-1]}` is missing"))
    elif read_word(parts["version"].value, "`version`", VERSIONS, problems) == "1":
        for key in parts.keys() & set(_SINCE_2):
            problems.append(problem(parts[key].key, f"`{key}` needs `version: 2`"))


def _read_policy(parts: Mapping[str, yaml.Node], problems: list[Problem]) -> Policy:
    modes = _read_modes(parts.get("channels"), problems)
    unsure = read_word(parts["unsure"], "`unsure`", _WHEN_UNSURE, problems) if "unsure" in parts else "ask"
    named = Named(
        hours=read_hours(parts.get("hours"), problems),
        rotas=read_rotas(parts.get("rotas"), problems),
        templates=read_templates(parts.get("templates"), problems),
        webhooks=read_webhooks(parts.get("webhooks"), problems),
    )
    match = read_word(parts["match"], "`match`", get_args(Match), problems) if "match" in parts else "first"
    return Policy(
        default_mode=modes.pop("default", "suggest"),
        modes=modes,
        routes=read_matching(parts.get("routes"), "`routes`", CHANNEL, A_CHANNEL, problems),
        urgent=_read_urgent(parts.get("urgent"), problems),
        unsure=cast(WhenUnsure, unsure),
        reactions=_read_reactions(parts.get("reactions"), "reactions", problems),
        reaction_corrections=_read_reactions(parts.get("reaction_corrections"), "reaction_corrections", problems),
        correctors=_read_correctors(parts.get("corrections"), problems),
        admin=_read_admin(parts.get("admin"), problems),
        limits=_read_limits(parts.get("limits"), problems),
        intake=_read_intake(parts.get("intake"), problems),
        match=cast(Match, match),
        rules=read_rules(parts.get("rules"), named, problems),
        hours=named.hours,
        rotas=named.rotas,
        templates=named.templates,
        webhooks=named.webhooks,
    )


def _read_admin(node: yaml.Node | None, problems: list[Problem]) -> str | None:
    if node is None or is_nothing(node):
        return None
    return read_form(node, "`admin`", CHANNEL, A_CHANNEL, problems)


def _read_correctors(node: yaml.Node | None, problems: list[Problem]) -> frozenset[str] | None:
    if node is None or is_nothing(node):
        return None
    people = list(read_items(node, "who corrects", ANYTHING, "", problems))
    if people == ["anyone"]:
        return None
    for word in people:
        if word and not PERSON.fullmatch(word):
            problems.append(problem(node, f"`{word}` is not {A_PERSON}; or let `corrections` be `anyone`"))
    return frozenset(people)


def _read_limits(node: yaml.Node | None, problems: list[Problem]) -> Limits:
    values: dict[str, int] = {}
    for key, entry in read_mapping(node, "`limits`", problems):
        value = read_scalar(entry.value, f"`{key}`", problems)
        if key not in _LIMITS:
            problems.append(problem(entry.key, f"`{key}` is unknown; `limits` has {listed(_LIMITS)}"))
        elif value and not _COUNT.fullmatch(value):
            problems.append(problem(entry.value, f"`{value}` is not a whole number from 1 to 999999999"))
        elif value:
            values[key] = int(value)
    return Limits(**values)


def _read_intake(node: yaml.Node | None, problems: list[Problem]) -> Intake:
    values: dict[str, Any] = {}
    for key, entry in read_mapping(node, "`intake`", problems):
        match key:
            case "small_talk":
                values[key] = tuple(_read_small_talk(entry.value, problems))
            case "other_bots":
                values[key] = frozenset(read_items(entry.value, "a bot", _BOT, _A_BOT, problems))
            case "other_organisations":
                values[key] = read_word(entry.value, f"`{key}`", _OTHER_ORGANISATIONS, problems)
            case "merge_seconds":
                values[key] = _read_seconds(entry.value, f"`{key}`", problems)
            case _:
                problems.append(problem(entry.key, f"`{key}` is unknown; `intake` has {listed(_INTAKE)}"))
    return Intake(**values)


def _read_seconds(node: yaml.Node, name: str, problems: list[Problem]) -> int:
    value = read_scalar(node, name, problems)
    if _SECONDS.fullmatch(value):
        return int(value)
    if value:
        problems.append(problem(node, f"`{value}` is not a whole number of seconds from 0 to 9999"))
    return 0


def _read_small_talk(node: yaml.Node, problems: list[Problem]) -> Iterator[str]:
    for phrase in read_items(node, "a phrase", _PHRASE, "at most 100 characters long", problems):
        yield from PHRASES if phrase == "defaults" else [phrase]


def _read_modes(node: yaml.Node | None, problems: list[Problem]) -> dict[str, Mode]:
    modes: dict[str, Mode] = {}
    for key, entry in read_mapping(node, "`channels`", problems):
        if key != "default" and not CHANNEL.fullmatch(key):
            problems.append(problem(entry.key, f"`{key}` is not {A_CHANNEL}, nor `default`"))
        modes[key] = cast(Mode, read_word(entry.value, f"the mode of `{key}`", _MODES, problems))
    return modes


def _read_urgent(node: yaml.Node | None, problems: list[Problem]) -> Urgent | None:
    if node is None or is_nothing(node):
        return None
    parts = dict(read_mapping(node, "`urgent`", problems))
    for key in parts.keys() - {"when", "mention"}:
        problems.append(problem(parts[key].key, f"`{key}` is unknown; `urgent` has `when` and `mention`"))
    for key in ("when", "mention"):
        if key not in parts:
            problems.append(problem(node, f"`urgent` needs `{key}`"))
    when = {
        facet: frozenset(read_items(entry.value, "a label", ANYTHING, "", problems))
        for facet, entry in (read_mapping(parts["when"].value, "`when`", problems) if "when" in parts else ())
    }
    mention = read_scalar(parts["mention"].value, "`mention`", problems) if "mention" in parts else ""
    if mention and not _MENTION.fullmatch(mention):
        problems.append(problem(parts["mention"].value, f"`{mention}` is not {_A_MENTION}"))
    return Urgent(when, mention)


def _read_reactions(node: yaml.Node | None, name: str, problems: list[Problem]) -> dict[str, dict[str, str]]:
    return {
        facet: read_matching(entry.value, f"`{name}` of `{facet}`", EMOJI, AN_EMOJI, problems)
        for facet, entry in read_mapping(node, f"`{name}`", problems)
    }


_A_MENTION = "`here`, the ID of a user group (S…) or of a person (U…)"
_A_BOT = "the ID of a bot (B…; in Slack: the app's details)"
