"""The dialog about one message shows its classification."""

import time

import pytest

from bot.queue.messages import InspectRecord, MessageKey
from bot.triage.case import Correction
from bot.ui.text import dialogs as dialog_text


@pytest.fixture
def inspect(command_handler, predict, dialog, settings_now):
    def inspect(key: MessageKey, text: str, prediction="billing") -> None:
        record = InspectRecord(*str(key).split("#"), "U0ANNA", dialog, text, False, int(time.time()))
        answer = predict(category={prediction: 0.95}) if prediction else None
        command_handler.inspect(record, settings_now(key.team), answer)

    return inspect


def test_a_message_that_is_inspected_shows_what_people_have_said_of_it(inspect, slack, ledger, dialog, decide_about):
    key = decide_about(f"{time.time():.6f}")
    correction = Correction(1, "category", "billing", "technical", "U0ANNA", 1, "model-1")
    ledger.record_correction(key, ledger.load(key, time.time()), correction, time.time())

    inspect(key, "charged twice")

    form = slack.installation.modals[dialog].form
    chosen = [part["text"]["text"] for block in form["blocks"] for part in block.get("elements", ())
              if part.get("style") == "primary"]  # fmt: skip
    assert chosen[0] == "Technical"


def test_a_message_that_the_bot_does_not_know_is_read_anew(inspect, shown_dialog):
    inspect(MessageKey("T0SANDBOX", "C0RANDOM", f"{time.time():.6f}"), "refund the invoice")

    assert "Words that point to Billing: “invoice”" in shown_dialog()


def test_a_message_without_words_says_so(inspect, shown_dialog):
    inspect(MessageKey("T0SANDBOX", "C0RANDOM", f"{time.time():.6f}"), "🎉", prediction=None)

    assert dialog_text.NOTHING_TO_READ in shown_dialog()


def test_a_dialog_that_was_closed_meanwhile_is_no_failure(inspect, slack):
    slack.installation.modals.clear()

    inspect(MessageKey("T0SANDBOX", "C0RANDOM", f"{time.time():.6f}"), "refund the invoice")

    assert slack.calls("views.update") == 1
    assert slack.installation.modals == {}
