"""Rules changed by menus, from the button in the Home tab to the saved version."""

import json
import time
from typing import Any

import pytest
import yaml

from bot.policy.editing.edit_rule import read_rules
from bot.policy.parsing.parser import WrittenPolicy
from bot.queue.messages import HomeRecord, SavedRecord
from bot.queue.sender import QueueUnavailable
from bot.store.settings import SettingsStore
from bot.ui.rule_dialog import Choices, build_rule_form, build_rule_list
from bot.ui.text import commands, dialogs
from bot.ui.text import rules as rule_text

TEXT = """\
version: 2
rules:
  # Jonas wants to know
  # until June
  - name: Outages
    when: {category: technical}
    then: {post: C0TECH}
  - when: {category: billing}
    then: {tag: eyes}
"""
POST = "then:post"


@pytest.fixture
def store(store, team) -> SettingsStore:
    """A team with a policy of two rules, which is its version 1."""
    store.save_policy(team, WrittenPolicy.of(TEXT), "U0SOFIA", time.time())
    return store


@pytest.fixture
def press(send, dialog):
    """Press a button in a view; give the status."""

    def press(view: dict[str, Any], action_id: str, value: str | None = None) -> int:
        action = {"type": "button", "block_id": "b0", "action_id": action_id, "value": value, "action_ts": "1.1"}
        return send(type="block_actions", view={**view, "id": dialog}, actions=[action])[0]

    return press


def filled_in(number: int, dialog: str, base: int = 1, **chosen: Any) -> dict[str, Any]:
    """Give the form of a rule, with what it says already and what is chosen in it by block."""
    view = build_rule_form(read_rules(WrittenPolicy.of(TEXT)), number, base, Choices())
    state = {}
    for block in view["blocks"]:
        if block["type"] == "input":
            element = block["element"]
            initial = {
                "value": element.get("initial_value"),
                "selected_option": element.get("initial_option"),
                "selected_options": element.get("initial_options"),
                "selected_conversations": element.get("initial_conversations"),
            }
            state[block["block_id"]] = {element["action_id"]: initial | chosen.get(block["block_id"], {})}
    return {**view, "id": dialog, "state": {"values": state}}


@pytest.fixture
def submit(send, dialog):
    """Submit the form of a rule; give the answer."""

    def submit(number: int, base: int = 1, **chosen: Any) -> Any:
        status, answer = send(type="view_submission", view=filled_in(number, dialog, base, **chosen))
        assert status == 200
        return answer

    return submit


def test_the_rules_in_force_are_listed(press, slack):
    assert press({"type": "home"}, "edit-rules") == 200

    listed = json.dumps([modal.form for modal in slack.installation.modals.values()], ensure_ascii=False)
    assert "*1. Outages*\\ncategory technical → post <#C0TECH>" in listed
    assert "*2.*\\ncategory billing → tag eyes" in listed


def test_rules_that_cannot_be_told_apart_line_by_line_are_left_to_the_editor_of_text(press, slack, put_in_force):
    put_in_force("{version: 2, rules: [{then: {tag: eyes}}]}")

    assert press({"type": "home"}, "edit-rules") == 200

    assert "edit the policy as text" in json.dumps([modal.form for modal in slack.installation.modals.values()])


@pytest.mark.parametrize("number", [0, 2])
def test_a_form_is_asked_for_with_the_policy_it_is_about(press, queue, dialog, number, shown_dialog):
    assert press(build_rule_list(read_rules(WrittenPolicy.of(TEXT)), 1), "rule-open", str(number)) == 200

    [record] = queue.records
    assert (record.number, record.base, record.policy, record.view) == (number, 1, TEXT, dialog)
    assert dialogs.READING in shown_dialog()


def test_whoever_has_an_old_list_in_front_of_them_is_told(press, queue, slack):
    assert press(build_rule_list(read_rules(WrittenPolicy.of(TEXT)), 0), "rule-open", "1") == 200

    assert dialogs.CHANGED_MEANWHILE in json.dumps([modal.form for modal in slack.installation.modals.values()])
    assert queue.records == []


def test_a_rule_is_saved_and_nothing_else_of_the_text_is_touched(submit, store, queue, team):
    answer = submit(1, **{POST: {"selected_conversations": ["C0NEW"]}})

    assert dialogs.saved(2) in json.dumps(answer["view"])
    assert store.read_policy(team).text == TEXT.replace("C0TECH", "C0NEW")
    assert [type(record) for record in queue.records] == [HomeRecord, SavedRecord]


def test_a_rule_is_added(submit, store, team):
    chosen = {"name": {"value": "Angry"}, "then:tag": {"value": "fire"}, "place": {"selected_option": {"value": "1"}}}
    submit(0, **chosen)

    rules = store.load(team, time.time()).policy.rules
    assert [rule.name for rule in rules] == ["Angry", "Outages", "rule 3"]


@pytest.fixture
def texts_read(monkeypatch) -> list[str]:
    """The texts that were read as YAML, which takes most of the time that a submission does."""
    texts: list[str] = []

    def note(text: str, **options: Any) -> yaml.Node | None:
        texts.append(text)
        return compose(text, **options)

    compose = yaml.compose
    monkeypatch.setattr(yaml, "compose", note)
    return texts


def test_while_slack_waits_the_old_policy_is_read_once_and_the_new_one_once(send, dialog, store, team, texts_read):
    chosen = {"place": {"selected_option": {"value": "1"}}, POST: {"selected_conversations": ["C0NEW"]}}
    view = filled_in(2, dialog, **chosen)
    texts_read.clear()

    send(type="view_submission", view=view)

    saved = store.read_policy(team)
    assert saved.version == 2
    assert texts_read == [TEXT, saved.text]


def test_a_rule_that_does_nothing_is_refused_in_words(submit, store, team):
    answer = submit(1, **{POST: {"selected_conversations": []}})

    assert answer == {"response_action": "errors", "errors": {POST: rule_text.DOES_NOTHING}}
    assert store.load(team, time.time()).version == 1


def test_what_is_no_emoji_is_told_where_it_was_typed(submit):
    errors = submit(1, **{"then:tag": {"value": "Fire!"}})["errors"]

    assert list(errors) == ["then:tag"]
    assert errors["then:tag"].startswith("`Fire!` is not the name of an emoji")


def test_a_rule_that_is_silent_and_loud_at_once_is_refused(submit):
    errors = submit(1, **{"then:silent": {"selected_options": [{"value": "true"}]}})["errors"]

    assert errors[POST] == "`silent: true` shows nothing in Slack, so `post` cannot be beside it"


def test_of_two_who_change_the_same_version_the_second_is_told(submit, put_in_force):
    put_in_force("version: 2\n# meanwhile")

    assert submit(2)["errors"] == {POST: dialogs.CHANGED_MEANWHILE}


def test_whoever_may_not_change_the_policy_is_told(submit, press, store, team, dialog, shown_dialog, put_in_force):
    text = f"{TEXT}corrections: [U0SOFIA]\n"
    put_in_force(text)

    assert submit(2, base=2)["errors"] == {POST: commands.NOT_ALLOWED}
    assert press(filled_in(2, dialog, base=2), "rule-remove", "2") == 200
    assert commands.NOT_ALLOWED in shown_dialog()
    assert store.read_policy(team).text == text


def test_a_rule_is_removed(press, store, queue, dialog, team, shown_dialog):
    assert press(filled_in(1, dialog), "rule-remove", "1") == 200

    assert rule_text.removed(2) in shown_dialog()
    assert store.read_policy(team).text == (
        "version: 2\nrules:\n  - when: {category: billing}\n    then: {tag: eyes}\n"
    )
    assert [type(record) for record in queue.records] == [HomeRecord]


def test_a_rule_that_is_there_no_more_is_not_changed(send, press, dialog, shown_dialog):
    # The policy that comes with the program is version 0, whichever rules it has by now.
    view = {**filled_in(1, dialog), "private_metadata": json.dumps({"base": 1, "number": 3})}

    assert send(type="view_submission", view=view)[1]["errors"] == {POST: dialogs.CHANGED_MEANWHILE}
    assert press(view, "rule-remove", "3") == 200
    assert dialogs.CHANGED_MEANWHILE in shown_dialog()


def test_where_the_form_cannot_be_had_the_dialog_says_so(press, queue, shown_dialog):
    queue.failure = QueueUnavailable("SQS did not take the record")

    assert press(build_rule_list(read_rules(WrittenPolicy.of(TEXT)), 1), "rule-open", "1") == 200
    assert commands.NOT_TAKEN in shown_dialog()


@pytest.mark.parametrize(
    "broken",
    [{"private_metadata": "{}"}, {"state": None}, {"state": {"values": {}}}, {"state": {"values": {"name": {}}}}],
)
def test_a_form_that_cannot_be_read_is_refused(send, dialog, broken):
    assert send(type="view_submission", view={**filled_in(1, dialog), **broken})[0] == 400
