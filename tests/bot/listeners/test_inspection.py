"""The dialog about one message, from the shortcut to what is pressed in it."""

import json
import time
from typing import Any

import pytest

from bot.queue.messages import CorrectionRecord
from bot.queue.sender import QueueUnavailable
from bot.ui.text import commands as command_text
from bot.ui.text import dialogs as dialog_text


@pytest.fixture
def shortcut(send):
    """Use the shortcut on a message; give the status."""

    def use(**changes: Any) -> int:
        message = {"type": "message", "user": "U0MAYA", "ts": "1700000000.000100", "text": "mail: a@example.com"}
        payload = {
            "type": "message_action",
            "callback_id": "classify_message",
            "channel": {"id": "C0RANDOM", "name": "random"},
            "message": message,
            "message_ts": message["ts"],
            "response_url": "http://127.0.0.1:9/actions",
        }
        return int(send(**payload | changes)[0])

    return use


def test_the_shortcut_opens_a_dialog_at_once_and_hands_in_the_redacted_text(shortcut, slack, queue):
    assert shortcut() == 200

    [dialog] = slack.installation.modals.values()
    [record] = queue.records
    assert (record.view, record.text) == (dialog.id, "mail: [email]")
    assert record.key.channel == "C0RANDOM"


@pytest.mark.parametrize("changes", [{"message": None}, {"message": {"text": "no ts"}}, {"user": {}}])
def test_a_shortcut_without_a_message_is_refused(shortcut, queue, changes):
    assert shortcut(**changes) == 400
    assert queue.records == []


def test_a_shortcut_whose_trigger_has_expired_shows_slacks_warning(shortcut, queue):
    assert shortcut(trigger_id="1.2") == 503
    assert queue.records == []


def test_where_the_message_cannot_be_handed_in_the_dialog_says_so(shortcut, slack, queue):
    queue.failure = QueueUnavailable("SQS did not take the record")

    assert shortcut() == 200

    [dialog] = slack.installation.modals.values()
    assert command_text.NOT_TAKEN in json.dumps(dialog.form)


def test_a_correction_in_the_dialog_is_taken_and_said_so(press_home, ledger, queue, waiting, dialog, shown_dialog):
    pressed = f"{waiting.channel}#{waiting.ts}#urgency=low"

    assert press_home(waiting.team, "inspect-correct:1:2", pressed, view={"id": dialog, "type": "modal"}) == 200

    assert ledger.load(waiting, time.time()).labels["urgency"] == "low"
    assert [type(record) for record in queue.records] == [CorrectionRecord]
    assert dialog_text.CORRECTED in shown_dialog()


def test_a_message_is_posted_from_the_dialog(press_home, queue, team, dialog, shown_dialog):
    view = {"id": dialog, "type": "modal", "private_metadata": "C0RANDOM#1700000000.000100"}

    assert press_home(team, "inspect-post", "C0BILLING=billing=a text", view=view) == 200

    [record] = queue.records
    assert (record.channel, record.place, record.text, record.response_url) == ("C0RANDOM", "C0BILLING", "a text", None)
    assert dialog_text.POSTING in shown_dialog()
