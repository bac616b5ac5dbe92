"""The rules of a policy in dialogs: all of them in a list, and one in a form of menus."""

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
from bot.slack.blocks import actions, context, section, shorten
from bot.ui.dialog import build_dialog, build_form
from bot.ui.text import rules as rule_text
from classifier_infra.model.manifest import Facet

RULE_CALLBACK = "rule"
OPEN_ACTION = "rule-open"
REMOVE_ACTION = "rule-remove"

# Where a submission's mistakes are told.
ACTION_BLOCK = "then:post"
TAG_BLOCK = "then:tag"

_MOST_LISTED = 90
_MOST_OPTIONS = 100
_OPTION_TEXT = 75
_OPTION_VALUE = 150
_MOST_FACETS = 8
_MOST_NAME = 80
_MOST_LABEL = 200

_POST: Key = ("then", "post")
_MENTION: Key = ("then", "mention")
_TAG: Key = ("then", "tag")
_SILENT: Key = ("then", "silent")
_CHANNEL: Key = ("when", "channel")
_HOURS: tuple[Key, Key] = (("when", "during"), ("when", "outside"))
# What a condition means by these, whatever the model calls its facets.
_NO_FACET = frozenset({"channel", "team", "during", "outside", "keywords"})

# Slack's menus have no way back to nothing.
_NONE = "-"


@dataclass(frozen=True, slots=True)
class Choices:
    """What a form offers: the model's facets, the names that the policy explains, and what there is in Slack.

    `channels` (id → name) are those that the bot is in, `groups` (id → name) the user groups.
    """

    facets: Sequence[Facet] = ()
    hours: Sequence[str] = ()
    rotas: Sequence[str] = ()
    templates: Sequence[str] = ()
    channels: Mapping[str, str] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)


# --- All rules ----------------------------------------------------------------------------------------------


def build_rule_list(rules: Sequence[WrittenRule], base: int) -> dict[str, Any]:
    """Build the view; `base` is the policy's version."""
    blocks: list[Block] = [section(rule_text.INTRODUCTION if rules else rule_text.NO_RULES)]
    blocks += [_listed(number, rule) for number, rule in enumerate(rules[:_MOST_LISTED], 1)]
    blocks += [context(rule_text.more(len(rules) - _MOST_LISTED))] if len(rules) > _MOST_LISTED else []
    blocks += actions([ButtonElement(text=rule_text.ADD, action_id=OPEN_ACTION, value="0", style="primary")])
    return build_dialog(rule_text.LIST_TITLE, blocks, str(base))


def _listed(number: int, rule: WrittenRule) -> Block:
    block = section(rule_text.rule(number, rule))
    block.accessory = ButtonElement(text=rule_text.CHANGE, action_id=OPEN_ACTION, value=str(number))
    return block


# --- One rule -----------------------------------------------------------------------------------------------


def build_rule_form(rules: Sequence[WrittenRule], number: int, base: int, choices: Choices) -> dict[str, Any]:
    """Build the view that changes the rule `number`, or for 0 adds one."""
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
    """Ask where the rule stands; of more places than a menu takes, the first, the last and the present one."""
    places = range(1, len(others) + 2)
    offered = sorted({*places[: _MOST_OPTIONS - 2], place, places[-1]})
    options = {
        at: _option(rule_text.place(at, others[at - 1].title if at <= len(others) else None), str(at)) for at in offered
    }
    element = StaticSelectElement(action_id="choice", options=list(options.values()), initial_option=options[place])
    return _input(rule_text.PLACE, element, "place", rule_text.PLACE_HINT, optional=False)


def _fields(rule: WrittenRule, choices: Choices) -> Iterator[tuple[tuple[Key, ...], InputBlock]]:
    """Give the menus, each with what it is about. Where it could not offer what is written, there is none."""
    for facet in choices.facets[:_MOST_FACETS]:
        labels = {label.name: label.display for label in facet.labels}
        if facet.name not in _NO_FACET:
            yield from _several(rule, ("when", facet.name), rule_text.facet(facet.name), labels)
    yield from _several(
        rule, _CHANNEL, rule_text.CHANNEL_LABEL, {id_: f"#{name}" for id_, name in choices.channels.items()}
    )
    yield from _hours(rule, choices)
    yield from _post(rule)
    yield from _mentions(rule, choices)
    yield (_TAG,), _tags(rule)
    yield from _one(rule, ("then", "reply"), rule_text.REPLY, rule_text.OWN_WORDS, choices.templates)
    yield from _one(rule, ("then", "assign"), rule_text.ASSIGN, rule_text.NOBODY, choices.rotas)
    yield (_SILENT,), _silent(rule)


def _several(
    rule: WrittenRule, key: Key, label: str, offered: Mapping[str, str]
) -> Iterator[tuple[tuple[Key], InputBlock]]:
    """Give a menu of which several can be chosen; what is written in the rule is offered whether or not it is known."""
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
    """Give as many options as a menu takes, with those that are needed among them; None where that cannot be."""
    usable = {word: text for word, text in offered.items() if len(word) <= _OPTION_VALUE and word.strip()}
    chosen = [*dict.fromkeys(needed), *(word for word in usable if word not in needed)][:_MOST_OPTIONS]
    if not all(word in usable and word in chosen for word in needed):
        return None
    in_order = sorted(chosen, key=list(usable).index)
    return {word: _option(usable[word], word) for word in in_order}


def _one(
    rule: WrittenRule, key: Key, label: str, nothing: str, names: Sequence[str]
) -> Iterator[tuple[tuple[Key], InputBlock]]:
    written = rule.values.get(key, ())
    if not names or key in rule.others or len(names) >= _MOST_OPTIONS or not {*written} <= {*names}:
        return
    options = {_NONE: _option(nothing, _NONE), **{name: _option(name, name) for name in names}}
    initial = options[written[0] if written else _NONE]
    element = StaticSelectElement(action_id="choice", options=list(options.values()), initial_option=initial)
    yield (key,), _input(label, element, ":".join(key), optional=False)


def _hours(rule: WrittenRule, choices: Choices) -> Iterator[tuple[tuple[Key, ...], InputBlock]]:
    written = [(key, rule.values[key]) for key in _HOURS if key in rule.values]
    if not choices.hours or len(written) > 1 or 2 * len(choices.hours) >= _MOST_OPTIONS:
        return
    options = {_NONE: _option(rule_text.ANY_TIME, _NONE)}
    for (_, when), name in ((key, name) for name in choices.hours for key in _HOURS):
        options[f"{when}:{name}"] = _option(rule_text.hours(when, name), f"{when}:{name}")
    initial = next((f"{key[1]}:{names[0]}" for key, names in written), _NONE)
    element = StaticSelectElement(action_id="choice", options=list(options.values()), initial_option=options[initial])
    yield _HOURS, _input(rule_text.HOURS, element, "hours", optional=False)


def _post(rule: WrittenRule) -> Iterator[tuple[tuple[Key], InputBlock]]:
    written = rule.values.get(_POST, ())
    # Of several, because only such a menu can be emptied again.
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
    element = UserMultiSelectElement(placeholder=rule_text.NOBODY, action_id="users", initial_users=people or None)
    yield (_MENTION,), _input(rule_text.PEOPLE, element, "people")
    initial = [options[word] for word in dict.fromkeys(others)] or None
    groups = StaticMultiSelectElement(
        placeholder=rule_text.NOBODY, action_id="choices", options=list(options.values()), initial_options=initial
    )
    yield (_MENTION,), _input(rule_text.GROUPS, groups, "groups")


def _tags(rule: WrittenRule) -> InputBlock:
    written = " ".join(rule.values.get(_TAG, ()))
    element = PlainTextInputElement(action_id="text", initial_value=written or None, max_length=_MOST_LABEL)
    return _input(rule_text.TAGS, element, TAG_BLOCK, rule_text.TAGS_HINT)


def _silent(rule: WrittenRule) -> InputBlock:
    option = _option(rule_text.SILENT, "true")
    initial = [option] if rule.values.get(_SILENT) == ("true",) else None
    element = CheckboxesElement(action_id="choices", options=[option], initial_options=initial)
    return _input(rule_text.QUIET, element, ":".join(_SILENT))


def _remove_button(number: int) -> ButtonElement:
    question = ConfirmObject(
        title=rule_text.REMOVE_TITLE,
        text=rule_text.REMOVE_QUESTION,
        confirm=rule_text.REMOVE,
        deny=rule_text.KEEP,
        style="danger",
    )
    return ButtonElement(
        text=rule_text.REMOVE, action_id=REMOVE_ACTION, value=str(number), style="danger", confirm=question
    )


def _option(text: str, value: str) -> Option:
    return Option(text=shorten(text, _OPTION_TEXT), value=value)


def _input(
    label: str, element: InputInteractiveElement, block_id: str, hint: str | None = None, optional: bool = True
) -> InputBlock:
    return InputBlock(label=label, element=element, block_id=block_id, hint=hint, optional=optional)


# --- What was chosen ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FilledIn:
    """A form as it was submitted: which rule (None: a new one), where it is to stand, what it is to say, and the
    version of the policy that it was made from.
    """

    number: int | None
    place: int
    changes: Changes
    base: int


def read_rule_form(view: Mapping[str, Any]) -> FilledIn:
    """Read a form. Raises KeyError, TypeError and ValueError."""
    number, base = read_rule_about(view)
    values = {block: _only(chosen) for block, chosen in view["state"]["values"].items()}
    changes: dict[Key, tuple[str, ...]] = {NAME: _typed(values.pop("name"), None)}
    place = int(values.pop("place")["selected_option"]["value"])
    for block, value in values.items():
        changes |= dict(_read_field(block, value))
    if "people" in values:
        changes[_MENTION] = (*_chosen(values["people"]), *_chosen(values["groups"]))
    return FilledIn(number or None, place, changes, base)


def _only(chosen: Mapping[str, Mapping[str, Any]]) -> Mapping[str, Any]:
    """Give what was typed into or chosen from the one element that a block has."""
    [value] = chosen.values()
    return value


def read_rule_about(view: Mapping[str, Any]) -> tuple[int, int]:
    """Read which rule a form is of (0: a new one), and of which version. Raises KeyError, TypeError and ValueError."""
    about = json.loads(view["private_metadata"])
    return int(about["number"]), int(about["base"])


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
    """Give what was chosen from a menu of any kind."""
    if value.get("selected_option"):
        chosen = value["selected_option"]["value"]
        return () if chosen == _NONE else (chosen,)
    options = tuple(option["value"] for option in value.get("selected_options") or ())
    return (*options, *(value.get("selected_users") or ()), *(value.get("selected_conversations") or ()))


def read_rule_list(view: Mapping[str, Any]) -> int:
    """Read the version of the policy whose rules were listed. Raises KeyError, TypeError and ValueError."""
    return int(view["private_metadata"])
