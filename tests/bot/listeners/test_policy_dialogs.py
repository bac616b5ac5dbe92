"""The policy in dialogs: as text, with a trial, and where each label goes."""

import json
import time
from typing import Any

import pytest

from bot.queue.messages import HomeRecord, SavedRecord
from bot.queue.sender import QueueUnavailable
from bot.store.ledger import LedgerUnavailable
from bot.store.settings import SettingsStore
from bot.ui.policy_dialog import build_policy_dialog, build_route_dialog
from bot.ui.text import commands, dialogs


def view_of(view: dict[str, Any], dialog: str, **values: Any) -> dict[str, Any]:
    """Give a view as Slack sends it, with what was typed or chosen in it."""
    state = {block: {values_of[0]: values_of[1]} for block, values_of in values.items()}
    return {**view, "id": dialog, "state": {"values": state}}


def test_the_policy_in_force_is_opened_as_text(press_home, slack, store, team, dependencies):
    assert press_home(team, "edit-policy") == 200

    [opened] = slack.installation.modals.values()
    assert dependencies.default_policy.rstrip() in json.dumps(opened.form).replace("\\n", "\n")


def test_a_policy_that_no_dialog_takes_is_said_to_be_too_long(press_home, slack, team, put_in_force):
    put_in_force("version: 1\n" + "# long\n" * 3_000)

    assert press_home(team, "edit-policy") == 200

    [opened] = slack.installation.modals.values()
    assert dialogs.POLICY_TOO_LONG in json.dumps(opened.form)


def typed_policy(text: str, dialog: str, base: int = 0, tried: str | None = None) -> dict[str, Any]:
    view = build_policy_dialog("", base)
    values = {"policy:1": ("text", {"value": text}), "trial": ("text", {"value": tried})}
    return view_of(view, dialog, **values)


@pytest.fixture
def submit(send):
    """Submit a dialog; give the answer's JSON."""

    def submit(view: dict[str, Any]) -> Any:
        status, answer = send(type="view_submission", view=view)
        assert status == 200
        return answer

    return submit


def test_a_policy_without_mistakes_is_saved_and_the_home_shown_anew(submit, store, queue, team, dialog):
    answer = submit(typed_policy("version: 1\nunsure: silent", dialog))

    assert (answer["response_action"], store.load(team, time.time()).policy.unsure) == ("update", "silent")
    home, saved = queue.records
    assert (type(home), type(saved)) == (HomeRecord, SavedRecord)
    assert (saved.view, saved.saved) == (dialog, 1)


def test_a_policy_with_a_mistake_is_refused_with_its_line_and_the_old_one_stays(submit, store, team, dialog):
    answer = submit(typed_policy("version: 1\nunsure: maybe", dialog))

    assert answer["errors"] == {"policy:1": "line 2: `unsure` is `maybe`; it can be `ask` or `silent`"}
    assert store.load(team, time.time()).version == 0


def test_of_two_who_edit_the_same_version_the_second_is_told(submit, dialog, put_in_force):
    put_in_force("version: 1")

    answer = submit(typed_policy("version: 1\nunsure: silent", dialog, base=0))

    assert answer["errors"] == {"policy:1": dialogs.CHANGED_MEANWHILE}


def test_whoever_may_not_change_the_policy_is_told_at_the_field(submit, dialog, put_in_force):
    put_in_force("version: 1\ncorrections: [U0SOFIA]")

    assert submit(typed_policy("version: 1", dialog, base=1))["errors"] == {"policy:1": commands.NOT_ALLOWED}


def test_a_policy_that_cannot_be_saved_now_is_told_to_its_author_and_logged(submit, dialog, monkeypatch, caplog):
    def fail(*_: Any, **__: Any) -> None:
        raise LedgerUnavailable("DynamoDB did not answer as it should (ThrottlingException)")

    monkeypatch.setattr(SettingsStore, "save_policy", fail)

    assert submit(typed_policy("version: 1", dialog))["errors"] == {"policy:1": dialogs.NOT_SAVED}
    [line] = [vars(record) for record in caplog.records if record.getMessage() == "policy not saved"]
    assert "ThrottlingException" in line["detail"]


def test_a_policy_is_handed_in_to_be_tried(press_home, queue, team, dialog):
    view = typed_policy("version: 1", dialog, tried="mail a@example.com")

    assert press_home(team, "try", view=view) == 200

    [record] = queue.records
    assert (record.policy, record.text, record.view) == ("version: 1", "mail [email]", dialog)


@pytest.mark.parametrize(("text", "said"), [("version: 2000", "line 1: "), ("version: 1", dialogs.NOTHING_TO_TRY)])
def test_what_need_not_be_tried_is_answered_at_once(press_home, queue, team, dialog, text, said, shown_dialog):
    assert press_home(team, "try", view=typed_policy(text, dialog)) == 200

    assert said in shown_dialog()
    assert queue.records == []


def test_a_mistake_is_quoted_as_it_was_typed_and_mentions_nobody(press_home, team, dialog, shown_dialog):
    view = typed_policy("version: 1\nroutes: {billing: '<#C0BILLING|billing>', technical: '<!here>'}", dialog)

    assert press_home(team, "try", view=view) == 200

    assert "`&lt;#C0BILLING|billing&gt;` is not the ID of a channel" in shown_dialog()
    assert "`&lt;!here&gt;` is not the ID of a channel" in shown_dialog()


def test_where_the_labels_cannot_be_had_the_dialog_says_so(press_home, queue, slack, team):
    queue.failure = QueueUnavailable("SQS did not take the record")

    assert press_home(team, "edit-routes") == 200

    [dialog] = slack.installation.modals.values()
    assert commands.NOT_TAKEN in json.dumps(dialog.form)


def test_where_a_label_goes_is_changed_by_two_menus(submit, press_home, store, queue, slack, manifest, team):
    assert press_home(team, "edit-routes") == 200
    [opened], [handed_in] = slack.installation.modals.values(), queue.records
    assert handed_in.view == opened.id

    chosen = {"label": ("label", {"selected_option": {"value": "technical"}}),
              "channel": ("channel", {"selected_channel": "C0TECH"})}  # fmt: skip
    submit(view_of(build_route_dialog(manifest.facets[0], 0), opened.id, **chosen))

    assert store.load(team, time.time()).policy.routes == {"billing": "C0BILLING", "technical": "C0TECH"}
