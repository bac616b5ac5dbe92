"""The form of a rule, with what there is to choose from."""

import time

import pytest

from bot.policy.parsing.parser import parse_policy
from bot.queue.messages import InvalidRecord, RuleFormRecord
from bot.ui.text import rules as rule_text

TEXT = "version: 2\nrules:\n  - name: Outages\n    then: {post: C0TECH}\n  - then: {tag: eyes}\n"


@pytest.fixture
def show_form(command_handler, dialog):
    """Have the form of a rule shown in the open dialog."""

    def show(number: int, policy: str = TEXT) -> None:
        command_handler.show_rule_form(
            RuleFormRecord("T0SANDBOX", "U0ANNA", dialog, policy, 1, number, int(time.time()))
        )

    return show


def test_the_form_offers_the_labels_the_channels_the_groups_and_what_the_policy_names(show_form, shown_dialog):
    head = "version: 2\nrotas: {night: {people: [U0ANNA]}}\ntemplates: {late: Tomorrow}\n"

    show_form(1, TEXT.replace("version: 2\n", head))

    shown = shown_dialog()
    assert all(
        word in shown for word in ("Technical", "Negative", "#support", "S0ONCALL", rule_text.on_call("night"), "late")
    )
    assert parse_policy(TEXT).rules[0].name in shown


def test_a_rule_of_no_such_number_is_no_record(show_form):
    with pytest.raises(InvalidRecord):
        show_form(3)


def test_where_slack_gives_no_groups_the_form_does_without(slack, show_form, shown_dialog):
    slack.installation.settings = type(slack.installation.settings)(
        "", slack.client.token, scopes=slack.installation.settings.scopes - {"usergroups:read"}
    )

    show_form(1)

    assert "S0ONCALL" not in shown_dialog()
    assert "Outages" in shown_dialog()


def test_a_form_that_slack_does_not_take_leaves_nobody_waiting(command_handler, monkeypatch, show_form, shown_dialog):
    monkeypatch.setattr(
        "bot.pipeline.command_handler.build_rule_form", lambda *_: {"type": "modal", "blocks": [{"type": "none"}]}
    )

    show_form(1)

    assert rule_text.FORM_NOT_TAKEN in shown_dialog()
