"""The `rules` of a policy: conditions and actions, read with line numbers."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from bot.policy.keywords import read_words
from bot.policy.parsing.nodes import (
    A_CHANNEL,
    AN_EMOJI,
    ANYTHING,
    CHANNEL,
    EMOJI,
    Entry,
    Problem,
    is_nothing,
    line_of,
    problem,
    read_form,
    read_items,
    read_known,
    read_mapping,
    read_parts,
    read_scalar,
    read_word,
)
from bot.policy.policy import Webhook
from bot.policy.rules import OTHERS, OURS, Action, Condition, Escalation, Rule
from bot.policy.schedule import OpeningHours, Rota

# More than anybody keeps in mind; every message is held against all of them.
MOST_RULES = 200

_TEAM = re.compile(rf"{OURS}|{OTHERS}|[TE][A-Z0-9]{{2,}}")
_A_TEAM = f"`{OURS}`, `{OTHERS}` or the ID of a workspace (T…) or organisation (E…)"
_MENTION = re.compile(r"here|[SUW][A-Z0-9]{2,}")
_A_MENTION = "`here`, the ID of a user group (S…) or of a person (U…), or the name of a rota"
_AFTER = re.compile(r"([1-9][0-9]{0,3})(min|h|d)")
_MINUTES = {"min": 1, "h": 60, "d": 24 * 60}
# As long as a message is kept in a queue, less a day.
_MOST_MINUTES = 3 * 24 * 60
_MOST_NAME = 80

_RULE = ("name", "when", "then")
_CIRCUMSTANCES = ("channel", "team", "during", "outside", "keywords")
_ACTIONS = ("tag", "post", "mention", "reply", "assign", "escalate", "webhook", "silent")
# What a silent rule may still do.
_UNSEEN = ("webhook", "silent")


@dataclass(frozen=True, slots=True)
class Named:
    """What the other parts of the policy explain, and rules only name."""

    hours: Mapping[str, OpeningHours]
    rotas: Mapping[str, Rota]
    templates: Mapping[str, str]
    webhooks: Mapping[str, Webhook]


def read_rules(node: yaml.Node | None, named: Named, problems: list[Problem]) -> tuple[Rule, ...]:
    if node is None or is_nothing(node):
        return ()
    if not isinstance(node, yaml.SequenceNode):
        problems.append(problem(node, "`rules` must be a list; each rule begins with `- `"))
        return ()
    if len(node.value) > MOST_RULES:
        problems.append(problem(node, f"there are {len(node.value)} rules; {MOST_RULES} is the most"))
        return ()
    return tuple(_read_rule(number, item, named, problems) for number, item in enumerate(node.value, 1))


def _read_rule(number: int, node: yaml.Node, named: Named, problems: list[Problem]) -> Rule:
    parts = read_parts(node, f"rule {number}", _RULE, ("then",), problems)
    name = read_scalar(parts["name"], "`name`", problems) if "name" in parts else ""
    if len(name) > _MOST_NAME:
        problems.append(problem(parts["name"], f"the name of rule {number} is longer than {_MOST_NAME} characters"))
    condition = _read_condition(parts.get("when"), named, problems)
    action = _read_action(parts["then"], named, problems) if "then" in parts else Action()
    return Rule(name or f"rule {number}", condition, action, line=line_of(node))


# --- Conditions ---------------------------------------------------------------------------------------------


def _read_condition(node: yaml.Node | None, named: Named, problems: list[Problem]) -> Condition:
    entries = dict(read_mapping(node, "`when`", problems))
    parts = {key: entries[key].value for key in _CIRCUMSTANCES if key in entries}
    return Condition(
        labels=_read_labels(entries, problems),
        channels=_read_set(parts.get("channel"), "a channel", CHANNEL, A_CHANNEL, problems),
        teams=_read_set(parts.get("team"), "a team", _TEAM, _A_TEAM, problems),
        during=_read_opening(parts.get("during"), "`during`", named, problems),
        outside=_read_opening(parts.get("outside"), "`outside`", named, problems),
        keywords=tuple(_read_keywords(parts.get("keywords"), problems)),
    )


def _read_labels(entries: Mapping[str, Entry], problems: list[Problem]) -> dict[str, frozenset[str]]:
    return {
        facet: _read_set(entry.value, f"a label of `{facet}`", ANYTHING, "", problems)
        for facet, entry in entries.items()
        if facet not in _CIRCUMSTANCES
    }


def _read_set(
    node: yaml.Node | None, name: str, pattern: re.Pattern[str], description: str, problems: list[Problem]
) -> frozenset[str]:
    """Read what one of must hold: an empty list would hold never, or always, and nobody means that."""
    values = frozenset(read_items(node, name, pattern, description, problems))
    if node is not None and not values:
        problems.append(problem(node, f"{name} is missing: the list is empty"))
    return values


def _read_opening(node: yaml.Node | None, name: str, named: Named, problems: list[Problem]) -> OpeningHours | None:
    return named.hours.get(read_known(node, name, tuple(named.hours), "hours", problems)) if node else None


def _read_keywords(node: yaml.Node | None, problems: list[Problem]) -> Iterator[str]:
    items = node.value if isinstance(node, yaml.SequenceNode) else [node] if node else []
    for item in items:
        written = read_scalar(item, "a key word", problems)
        words = read_words(written)
        if words.strip():
            yield words
        elif written:
            problems.append(problem(item, f"`{written}` has no letter and no digit, so it is no key word"))
    if node is not None and not items:
        problems.append(problem(node, "a key word is missing: the list is empty"))


# --- Actions ------------------------------------------------------------------------------------------------


def _read_action(node: yaml.Node, named: Named, problems: list[Problem]) -> Action:
    parts = read_parts(node, "`then`", _ACTIONS, (), problems)
    if not parts and isinstance(node, yaml.MappingNode | yaml.ScalarNode):
        problems.append(problem(node, "`then` is empty; a rule that does nothing to a message is `silent: true`"))
    silent = "silent" in parts and read_word(parts["silent"], "`silent`", ("true", "false"), problems) == "true"
    if silent:
        _refuse_what_is_seen(parts, problems)
    reply, assign = parts.get("reply"), parts.get("assign")
    template = read_known(reply, "`reply`", tuple(named.templates), "templates", problems) if reply else ""
    rota = read_known(assign, "`assign`", tuple(named.rotas), "rotas", problems) if assign else ""
    return Action(
        tags=tuple(read_items(parts.get("tag"), "a tag", EMOJI, AN_EMOJI, problems)),
        post=read_form(parts["post"], "`post`", CHANNEL, A_CHANNEL, problems) if "post" in parts else None,
        mentions=tuple(_read_mentions(parts.get("mention"), named, problems)),
        reply=named.templates.get(template),
        assign=rota or None,
        escalate=_read_escalation(parts.get("escalate"), named, problems),
        webhooks=tuple(_read_webhooks(parts.get("webhook"), named, problems)),
        silent=silent,
    )


def _refuse_what_is_seen(parts: Mapping[str, yaml.Node], problems: list[Problem]) -> None:
    for key in parts.keys() - set(_UNSEEN):
        problems.append(problem(parts[key], f"`silent: true` shows nothing in Slack, so `{key}` cannot be beside it"))


def _read_mentions(node: yaml.Node | None, named: Named, problems: list[Problem]) -> Iterator[str]:
    for mentioned in read_items(node, "who is mentioned", ANYTHING, "", problems):
        if mentioned and not _MENTION.fullmatch(mentioned) and mentioned not in named.rotas:
            assert node is not None
            problems.append(problem(node, f"`{mentioned}` is not {_A_MENTION}"))
        yield mentioned


def _read_webhooks(node: yaml.Node | None, named: Named, problems: list[Problem]) -> Iterator[str]:
    items = node.value if isinstance(node, yaml.SequenceNode) else [node] if node else []
    for item in items:
        yield read_known(item, "`webhook`", tuple(named.webhooks), "webhooks", problems)


def _read_escalation(node: yaml.Node | None, named: Named, problems: list[Problem]) -> Escalation | None:
    if node is None:
        return None
    parts = read_parts(node, "`escalate`", ("after", "mention", "to"), ("after",), problems)
    return Escalation(
        minutes=_read_minutes(parts["after"], problems) if "after" in parts else 1,
        mentions=tuple(_read_mentions(parts.get("mention"), named, problems)),
        channel=read_form(parts["to"], "`to`", CHANNEL, A_CHANNEL, problems) if "to" in parts else None,
    )


def _read_minutes(node: yaml.Node, problems: list[Problem]) -> int:
    written = read_scalar(node, "`after`", problems)
    found = _AFTER.fullmatch(written)
    minutes = int(found[1]) * _MINUTES[found[2]] if found else 0
    if written and not 0 < minutes <= _MOST_MINUTES:
        problems.append(problem(node, f"`{written}` is not a time from 1min to 3d, such as 30min or 4h"))
    return minutes
