"""Rules by menus: all in a list, one in a form, which the worker fills because it knows the labels."""

from collections.abc import Mapping, Sequence
from typing import Any

from slack_bolt import Ack, BoltResponse
from slack_sdk import WebClient

from bot.listeners.dependencies import Dependencies, Proposal
from bot.listeners.dialogs import SAVING, explain_refusal, have_filled, open_view, save, show_home, update
from bot.listeners.home import read_home
from bot.policy.editing.edit_rule import WrittenRule, put_rule, read_rules, remove_rule
from bot.policy.parsing.nodes import EMOJI
from bot.policy.parsing.parser import PolicyError, WrittenPolicy
from bot.queue.messages import HomeRecord, RuleFormRecord, build
from bot.slack.mrkdwn import escape
from bot.store.settings import PolicyChanged
from bot.ui.dialog import build_notice
from bot.ui.rule_dialog import (
    ACTION_BLOCK,
    TAG_BLOCK,
    FilledIn,
    build_rule_list,
    read_rule_about,
    read_rule_form,
    read_rule_list,
)
from bot.ui.text import dialogs as dialog_text
from bot.ui.text import rules as rule_text

_Json = Mapping[str, Any]


class _DoesNothing(PolicyError):
    """The form asks for nothing to be done."""

    def __init__(self) -> None:
        super().__init__(())


def open_rules(dependencies: Dependencies, body: _Json, client: WebClient) -> None:
    """Open the list of the rules in force; where they cannot be read one by one, say so."""
    text, base = dependencies.read_policy(read_home(body, 0).team)
    try:
        view = build_rule_list(read_rules(WrittenPolicy.of(text)), base)
    except PolicyError as error:
        view = build_notice(escape(say_problems(error)))
    open_view(client, body, view)


def open_rule(dependencies: Dependencies, body: _Json, client: WebClient) -> None:
    """Have the form of one rule, or of a new one, put in the list's place."""
    who, base = read_home(body, int(dependencies.now())), read_rule_list(body["view"])
    number = int(body["actions"][0]["value"])
    try:
        text = dependencies.read_version(who.team, base)
    except PolicyChanged as error:
        return _say(client, body, explain_refusal(error))
    view_id = body["view"]["id"]
    update(client, view_id, build_notice(dialog_text.READING))
    values = {"team": who.team, "user": who.user, "view": view_id, "received_at": who.received_at}
    record = build(RuleFormRecord, {**values, "policy": text, "base": base, "number": number})
    return have_filled(dependencies, client, view_id, record)


def _say(client: WebClient, body: _Json, sentence: str) -> None:
    """Put a sentence, which is plain text, in place of the dialog in which somebody pressed."""
    update(client, body["view"]["id"], build_notice(escape(sentence)))


def save_rule(dependencies: Dependencies, ack: Ack, body: _Json) -> BoltResponse:
    """Save one rule as it was chosen; the rest of the policy's text stays as it is."""

    def read(view: _Json, who: HomeRecord) -> Proposal:
        filled = read_rule_form(view)
        before, rules = _read(dependencies, who.team, filled.base, filled.number)
        _require_deed(rules[filled.number - 1] if filled.number else WrittenRule(""), filled)
        return Proposal(put_rule(before, filled.number, filled.changes, filled.place), filled.base, before)

    return save(dependencies, ack, body, read, _block_of(body), say_problems)


def _read(
    dependencies: Dependencies, team: str, base: int, number: int | None
) -> tuple[WrittenPolicy, Sequence[WrittenRule]]:
    """Read the policy that somebody has in front of them, with the rule `number`. Raises PolicyChanged, PolicyError."""
    policy = WrittenPolicy.of(dependencies.read_version(team, base))
    rules = read_rules(policy)
    # The policy that the program comes with is version 0, whatever a later one has in it.
    if number and number > len(rules):
        raise PolicyChanged(f"there is no rule {number}")
    return policy, rules


def _require_deed(old: WrittenRule, filled: FilledIn) -> None:
    said = {**old.values, **filled.changes}
    if not any(part == "then" and words_ for (part, _), words_ in said.items()) and not any(
        part == "then" for part, _ in old.others
    ):
        raise _DoesNothing


def _block_of(body: _Json) -> str:
    """Give where a mistake is to be told: the emoji are all that is typed, so a word that is none is the mistake."""
    try:
        tags = read_rule_form(body["view"]).changes.get(("then", "tag"), ())
    except (AttributeError, KeyError, TypeError, ValueError):
        return ACTION_BLOCK  # it is refused as a whole
    return ACTION_BLOCK if all(map(EMOJI.fullmatch, tags)) else TAG_BLOCK


def remove(dependencies: Dependencies, body: _Json, client: WebClient) -> None:
    """Take the rule away whose form is open, and say so in its place."""
    who, (number, base) = read_home(body, int(dependencies.now())), read_rule_about(body["view"])
    try:
        before, _ = _read(dependencies, who.team, base, number)
        version = dependencies.save(who.team, who.user, Proposal(remove_rule(before, number), base, before))
    except SAVING as error:
        sentence = explain_refusal(error, say_problems)
    else:
        sentence = rule_text.removed(version)
        show_home(dependencies, who)
    _say(client, body, sentence)


def say_problems(error: PolicyError) -> str:
    """Say what is wrong without the lines of a text that nobody here has in front of them; plain text."""
    if isinstance(error, _DoesNothing):
        return rule_text.DOES_NOTHING
    return "\n".join(dict.fromkeys(problem.sentence for problem in error.problems))
