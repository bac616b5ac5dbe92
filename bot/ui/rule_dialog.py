"""Dialogs that edit a policy's rules: a list of all of them, and a form of menus for one."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slack_sdk.models.blocks import (
    Block,
    ButtonElement,
    CheckboxesElement,
    ConfirmObject,
    ConversationFilter,
    ConversationMultiSelectElement,
    InputBlock,
    Option,
    PlainTextInputElement,
    StaticMultiSelectElement,
    StaticSelectElement,
    UserMultiSelectElement,
)
from slack_sdk.models.blocks.block_elements import InputInteractiveElement

from bot.policy.editing.edit_rule import NAME, Changes, Key, WrittenRule
from bot.policy.parsing.nodes import CHANNEL, PERSON
from bot.slack.blocks import MOST_OPTIONS, OPTION_VALUE, actions, button, context, option, section
from bot.ui.dialog import build_dialog, build_form
from bot.ui.text import rules as rule_text
from bot.ui.text.thread import facet_title
from classifier_infra.model.manifest import Facet

RULE_CALLBACK = "rule"
OPEN_ACTION = "rule-open"
REMOVE_ACTION = "rule-remove"

# The blocks at which Slack shows what is wrong with a submission.
ACTION_BLOCK = "then:post"
TAG_BLOCK = "then:tag"

_MOST_LISTED = 90
_MOST_FACETS = 8
_MOST_NAME = 80
_MOST_LABEL = 200

_POST: Key = ("then", "post")
_MENTION: Key = ("then", "mention")
_TAG: Key = ("then", "tag")
_SILENT: Key = ("then", "silent")
_CHANNEL: Key = ("when", "channel")
_HOURS: tuple[Key, Key] = (("when", "during"), ("when", "outside"))
# Keys of conditions that have another meaning, even if a facet of the model has the same name.
_NO_FACET = frozenset({"channel", "team", "during", "outside", "keywords"})

# Slack's menus cannot be emptied again, so that "nothing" is an option.
_NONE = "-"


@dataclass(frozen=True, slots=True)
class Choices:
    """The choices of a form: the model's facets, names that the policy defines, Slack's channels and user groups.

    `channels` are those that the bot is in; `channels` and `groups` map IDs to names.
    """

    facets: Sequence[Facet] = ()
    hours: Sequence[str] = ()
    rotas: Sequence[str] = ()
    templates: Sequence[str] = ()
    channels: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)


# --- All rules ----------------------------------------------------------------------------------------------


def build_rule_list(rules: Sequence[WrittenRule], base: int) -> dict[str, Any]:
    """Build the list; `base` is the policy's version."""
    blocks: list[Block] = [section(rule_text.INTRODUCTION if rules else rule_text.NO_RULES)]
    blocks += [_listed(number, rule) for number, rule in enumerate(rules[:_MOST_LISTED], 1)]
    blocks += [context(rule_text.more(len(rules) - _MOST_LISTED))] if len(rules) > _MOST_LISTED else []
    blocks += actions([button(rule_text.ADD, OPEN_ACTION, "0", "primary")])
    return build_dialog(rule_text.LIST_TITLE, blocks, str(base))


def _listed(number: int, rule: WrittenRule) -> Block:
    return section(rule_text.rule(number, rule), button(rule_text.CHANGE, OPEN_ACTION, str(number)))


# --- One rule -----------------------------------------------------------------------------------------------


def build_rule_form(rules: Sequence[WrittenRule], number: int, base: int, choices: Choices) -> dict[str, Any]:
    """Build the form that changes the rule `number` (from 1 on), or adds one (0)."""
    rule = rules[number - 1] if number else WrittenRule("")
    fields = [*_fields(rule, choices)]
    shown = {key for keys, _ in fields for key in keys}
    kept = [key for key in (*rule.values, *rule.others) if key not in shown and key != NAME]
    others = [each for at, each in enumerate(rules, 1) if at != number]
    blocks: list[Block] = [_name(rule), _place(others, number or len(rules) + 1), *(block for _, block in fields)]
    blocks += [context(rule_text.kept(kept))] if kept else []
    blocks += actions([_remove_button(number)]) if number else []
    title = rule_text.FORM_TITLE if number else rule_text.NEW_TITLE
    return build_form(title, RULE_CALLBACK, blocks, json.dumps({"base": base, "number": number}))


def _name(rule: WrittenRule) -> InputBlock:
    name = rule.values.get(NAME, ("",))[0].strip()
    element = PlainTextInputElement(action_id="text", initial_value=name or None, max_length=_MOST_NAME)
    return _input(rule_text.NAME, element, "name", rule_text.NAME_HINT)


def _place(others: Sequence[WrittenRule], place: int) -> InputBlock:
    """Ask for the rule's position; if a menu cannot hold all, offer the first ones, the last and the current one."""
    places = range(1, len(others) + 2)
    offered = sorted({*places[: MOST_OPTIONS - 2], place, places[-1]})
    options = {
        at: option(rule_text.place(at, others[at - 1].title if at <= len(others) else None), str(at)) for at in offered
    }
    element = StaticSelectElement(action_id="choice", options=list(options.values()), initial_option=options[place])
    return _input(rule_text.PLACE, element, "place", rule_text.PLACE_HINT, optional=False)


def _fields(rule: WrittenRule, choices: Choices) -> Iterator[tuple[tuple[Key, ...], InputBlock]]:
    """Yield the fields, each with the keys that it edits.

    A part of the rule that no menu could show has no field, and is kept as it is.
    """
    for facet in choices.facets[:_MOST_FACETS]:
        labels = {label.name: label.display for label in facet.labels}
        if facet.name not in _NO_FACET:
            yield from _several(rule, ("when", facet.name), facet_title(facet.name), labels)
    yield from _several(
        rule, _CHANNEL, rule_text.CHANNEL_LABEL, {id_: f"#{name}" for id_, name in choices.channels.items()}
    )
    yield from _hours(rule, choices)
    yield from _post(rule)
    yield from _mentions(rule, choices)
    yield (_TAG,), _tags(rule)
    yield from _one(rule, ("then", "reply"), rule_text.REPLY, rule_text.OWN_WORDS, choices.templates)
    yield from _one(rule, ("then", "assign"), rule_text.ASSIGN, rule_text.NO_ONE, choices.rotas)
    yield (_SILENT,), _silent(rule)


def _several(
    rule: WrittenRule, key: Key, label: str, offered: Mapping[str, str]
) -> Iterator[tuple[tuple[Key], InputBlock]]:
    """Yield a menu in which several can be chosen; it also offers what the rule has and `offered` lacks."""
    written = rule.values.get(key, ())
    options = _options({**{word: word for word in written}, **offered}, written)
    if key in rule.others or (written and options is None) or not options:
        return
    element = StaticMultiSelectElement(
        placeholder=rule_text.ANY,
        action_id="choices",
        options=list(options.values()),
        initial_options=[options[word] for word in dict.fromkeys(written)] or None,
    )
    yield (key,), _input(label, element, ":".join(key))


def _options(offered: Mapping[str, str], needed: Sequence[str]) -> dict[str, Option] | None:
    """Return as many options as a menu holds, with all needed ones among them; None if that is impossible."""
    usable = {word: text for word, text in offered.items() if len(word) <= OPTION_VALUE and word.strip()}
    chosen = [*dict.fromkeys(needed), *(word for word in usable if word not in needed)][:MOST_OPTIONS]
    if not all(word in usable and word in chosen for word in needed):
        return None
    in_order = sorted(chosen, key=list(usable).index)
    return {word: option(usable[word], word) for word in in_order}


def _one(
    rule: WrittenRule, key: Key, label: str, nothing: str, names: Sequence[str]
) -> Iterator[tuple[tuple[Key], InputBlock]]:
    written = rule.values.get(key, ())
    if not names or key in rule.others or len(names) >= MOST_OPTIONS or not {*written} <= {*names}:
        return
    options = {_NONE: option(nothing, _NONE), **{name: option(name, name) for name in names}}
    initial = options[written[0] if written else _NONE]
    element = StaticSelectElement(action_id="choice", options=list(options.values()), initial_option=initial)
    yield (key,), _input(label, element, ":".join(key), optional=False)


def _hours(rule: WrittenRule, choices: Choices) -> Iterator[tuple[tuple[Key, ...], InputBlock]]:
    written = [(key, rule.values[key]) for key in _HOURS if key in rule.values]
    if not choices.hours or len(written) > 1 or 2 * len(choices.hours) >= MOST_OPTIONS:
        return
    options = {_NONE: option(rule_text.ANY_TIME, _NONE)}
    for (_, when), name in ((key, name) for name in choices.hours for key in _HOURS):
        options[f"{when}:{name}"] = option(rule_text.hours(when, name), f"{when}:{name}")
    initial = next((f"{key[1]}:{names[0]}" for key, names in written), _NONE)
    element = StaticSelectElement(action_id="choice", options=list(options.values()), initial_option=options[initial])
    yield _HOURS, _input(rule_text.HOURS, element, "hours", optional=False)


def _post(rule: WrittenRule) -> Iterator[tuple[tuple[Key], InputBlock]]:
    written = rule.values.get(_POST, ())
    # A menu for several, because only that can be emptied again.
    element = ConversationMultiSelectElement(
        placeholder=rule_text.NO_CHANNEL,
        action_id="conversations",
        initial_conversations=[each for each in written if CHANNEL.fullmatch(each)] or None,
        max_selected_items=1,
        filter=ConversationFilter(include=["public", "private"], exclude_bot_users=True),
    )
    yield (_POST,), _input(rule_text.POST, element, ACTION_BLOCK)


def _mentions(rule: WrittenRule, choices: Choices) -> Iterator[tuple[tuple[Key, ...], InputBlock]]:
    written = rule.values.get(_MENTION, ())
    people = [each for each in written if PERSON.fullmatch(each)]
    others = [each for each in written if each not in people]
    offered = {"here": rule_text.HERE, **{name: rule_text.on_call(name) for name in choices.rotas}}
    offered |= {id_: f"@{name}" for id_, name in choices.groups.items()}
    options = _options({**{word: word for word in others}, **offered}, others)
    if options is None:
        return
    element = UserMultiSelectElement(placeholder=rule_text.NO_ONE, action_id="users", initial_users=people or None)
    yield (_MENTION,), _input(rule_text.PEOPLE, element, "people")
    initial = [options[word] for word in dict.fromkeys(others)] or None
    groups = StaticMultiSelectElement(
        placeholder=rule_text.NO_ONE, action_id="choices", options=list(options.values()), initial_options=initial
    )
    yield (_MENTION,), _input(rule_text.GROUPS, groups, "groups")


def _tags(rule: WrittenRule) -> InputBlock:
    written = " ".join(rule.values.get(_TAG, ()))
    element = PlainTextInputElement(action_id="text", initial_value=written or None, max_length=_MOST_LABEL)
    return _input(rule_text.TAGS, element, TAG_BLOCK, rule_text.TAGS_HINT)


def _silent(rule: WrittenRule) -> InputBlock:
    silent = option(rule_text.SILENT, "true")
    initial = [silent] if rule.values.get(_SILENT) == ("true",) else None
    element = CheckboxesElement(action_id="choices", options=[silent], initial_options=initial)
    return _input(rule_text.QUIET, element, ":".join(_SILENT))


def _remove_button(number: int) -> ButtonElement:
    question = ConfirmObject(
        title=rule_text.REMOVE_TITLE,
        text=rule_text.REMOVE_QUESTION,
        confirm=rule_text.REMOVE,
        deny=rule_text.KEEP,
        style="danger",
    )
    return button(rule_text.REMOVE, REMOVE_ACTION, str(number), "danger", question)


def _input(
    label: str, element: InputInteractiveElement, block_id: str, hint: str | None = None, optional: bool = True
) -> InputBlock:
    return InputBlock(label=label, element=element, block_id=block_id, hint=hint, optional=optional)


# --- Submissions --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FilledIn:
    """A submitted form: the rule (None: a new one), its position, its changes, and the policy version it began with."""

    number: int | None
    place: int
    changes: Changes
    base: int


def read_rule_form(view: Mapping[str, Any]) -> FilledIn:
    """Read a submitted form. Raises KeyError, TypeError and ValueError."""
    number, base = read_rule_about(view)
    values = {block: _only(chosen) for block, chosen in view["state"]["values"].items()}
    changes: dict[Key, tuple[str, ...]] = {NAME: _typed(values.pop("name"), None)}
    place = int(values.pop("place")["selected_option"]["value"])
    for block, value in values.items():
        changes |= dict(_read_field(block, value))
    if "people" in values:
        changes[_MENTION] = (*_chosen(values["people"]), *_chosen(values["groups"]))
    return FilledIn(number or None, place, changes, base)


def read_rule_about(view: Mapping[str, Any]) -> tuple[int, int]:
    """Read a form's rule (0: a new one) and policy version. Raises KeyError, TypeError and ValueError."""
    about = json.loads(view["private_metadata"])
    return int(about["number"]), int(about["base"])


def read_rule_list(view: Mapping[str, Any]) -> int:
    """Read the version of the policy whose rules were listed. Raises KeyError, TypeError and ValueError."""
    return int(view["private_metadata"])


def _only(chosen: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """Return the state of a block's only element."""
    [value] = chosen.values()
    return value


def _read_field(block: str, value: Mapping[str, Any]) -> Iterator[tuple[Key, tuple[str, ...]]]:
    if block == "hours":
        when, _, name = _chosen(value)[0].partition(":") if _chosen(value) else ("", "", "")
        yield from ((key, (name,) if key[1] == when else ()) for key in _HOURS)
    elif block == TAG_BLOCK:
        yield _TAG, _typed(value, " ")
    elif block not in ("people", "groups"):
        part, _, key = block.partition(":")
        yield (part, key), _chosen(value)


def _typed(value: Mapping[str, Any], separator: str | None) -> tuple[str, ...]:
    text = (value.get("value") or "").strip()
    if separator is None:
        return (text,) if text else ()
    return tuple(word.strip(":") for word in text.replace(",", " ").split() if word.strip(":"))


def _chosen(value: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what was chosen in a menu of any kind."""
    if value.get("selected_option"):
        chosen = value["selected_option"]["value"]
        return () if chosen == _NONE else (chosen,)
    options = tuple(option["value"] for option in value.get("selected_options") or ())
    return (*options, *(value.get("selected_users") or ()), *(value.get("selected_conversations") or ()))
