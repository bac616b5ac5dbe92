"""Dialogs that edit the policy's rules; the worker fills the form of one rule, because it knows the labels."""

from collections.abc import Sequence

from slack_bolt import Ack, BoltResponse
from slack_sdk import WebClient

from bot.listeners.dependencies import Dependencies, Proposal
from bot.listeners.dialogs import SAVING, explain_refusal, have_filled, save, show_home
from bot.listeners.press import UNREADABLE, Json, build_from, open_view, read_sender, update
from bot.policy.editing.edit_rule import WrittenRule, put_rule, read_rules, remove_rule
from bot.policy.parsing.nodes import EMOJI
from bot.policy.parsing.parser import PolicyError, WrittenPolicy
from bot.queue.messages import HomeRecord, RuleFormRecord
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


class _DoesNothing(PolicyError):
    """The submitted rule has no action."""

    def __init__(self) -> None:
        super().__init__(())


def open_rules(dependencies: Dependencies, body: Json, client: WebClient) -> None:
    """Open the list of the rules in force, or a notice if they cannot be read one by one."""
    text, base = dependencies.read_policy(read_sender(dependencies, body).team)
    try:
        view = build_rule_list(read_rules(WrittenPolicy.of(text)), base)
    except PolicyError as error:
        view = build_notice(escape(say_problems(error)))
    open_view(client, body, view)


def open_rule(dependencies: Dependencies, body: Json, client: WebClient) -> None:
    """Have the list replaced by the form of one rule, or of a new one."""
    who, base = read_sender(dependencies, body), read_rule_list(body["view"])
    number = int(body["actions"][0]["value"])
    try:
        text = dependencies.read_version(who.team, base)
    except PolicyChanged as error:
        return _say(client, body, explain_refusal(error))
    view_id = body["view"]["id"]
    update(client, view_id, build_notice(dialog_text.READING))
    record = build_from(RuleFormRecord, who, view=view_id, policy=text, base=base, number=number)
    return have_filled(dependencies, client, view_id, record)


def _say(client: WebClient, body: Json, sentence: str) -> None:
    """Replace the dialog by a sentence (plain text)."""
    update(client, body["view"]["id"], build_notice(escape(sentence)))


def save_rule(dependencies: Dependencies, ack: Ack, body: Json) -> BoltResponse:
    """Save one rule; the rest of the policy's text stays as it is."""

    def read(view: Json, who: HomeRecord) -> Proposal:
        filled = read_rule_form(view)
        before, rules = _read(dependencies, who.team, filled.base, filled.number)
        _require_action(rules[filled.number - 1] if filled.number else WrittenRule(""), filled)
        return Proposal(put_rule(before, filled.number, filled.changes, filled.place), filled.base, before)

    return save(dependencies, ack, body, read, _block_of(body), say_problems)


def _read(
    dependencies: Dependencies, team: str, base: int, number: int | None
) -> tuple[WrittenPolicy, Sequence[WrittenRule]]:
    """Read version `base` of the policy. Raises PolicyError, and PolicyChanged if that version or the rule is gone."""
    policy = WrittenPolicy.of(dependencies.read_version(team, base))
    rules = read_rules(policy)
    # The default policy is always version 0, so that it can change with a deployment.
    if number and number > len(rules):
        raise PolicyChanged(f"there is no rule {number}")
    return policy, rules


def _require_action(old: WrittenRule, filled: FilledIn) -> None:
    """Raise _DoesNothing if the changed rule has no value and no other key under `then`."""
    values = {**old.values, **filled.changes}
    keys = [*(key for key, words in values.items() if words), *old.others]
    if not any(part == "then" for part, _ in keys):
        raise _DoesNothing


def _block_of(body: Json) -> str:
    """Return the block at which to show a mistake: that of the emoji if one is malformed, for only they are typed."""
    try:
        tags = read_rule_form(body["view"]).changes.get(("then", "tag"), ())
    except UNREADABLE:
        return ACTION_BLOCK  # the submission is refused as a whole
    return ACTION_BLOCK if all(map(EMOJI.fullmatch, tags)) else TAG_BLOCK


def remove(dependencies: Dependencies, body: Json, client: WebClient) -> None:
    """Remove the rule whose form is open, and say so in its place."""
    who, (number, base) = read_sender(dependencies, body), read_rule_about(body["view"])
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
    """List what is wrong, without line numbers, as the policy's text is not in view; plain text."""
    if isinstance(error, _DoesNothing):
        return rule_text.DOES_NOTHING
    return "\n".join(dict.fromkeys(problem.sentence for problem in error.problems))
