"""What people press under the bot's replies, and in its answers to `/classify`."""

import time

import pytest

from bot.queue.messages import MessageKey
from bot.queue.sender import QueueUnavailable
from bot.ui.text import commands as command_text
from bot.ui.text import thread as thread_text


def test_a_pressed_button_corrects_the_message_and_has_it_shown(post, ledger, queue, key, press):
    assert post(press(key)) == 200

    [correction] = ledger.load(key, time.time()).corrections
    assert (correction.user, correction.before, correction.after) == ("U0ANNA", "billing", "technical")
    assert [record.key for record in queue.records] == [key]


def test_the_button_to_split_is_handed_in(post, ledger, queue, key, press):
    ledger.add_part(key, "1700000005.000100", time.time())

    assert post(press(key, action_id="split", value="split")) == 200

    assert [record.ts for record in queue.records] == ["1700000005.000100", key.ts]


def test_a_choice_in_the_menu_corrects_as_a_button_does(post, ledger, key, press):
    option = {"text": {"type": "plain_text", "text": "Low"}, "value": "urgency=low"}

    status = post(press(key, type="static_select", action_id="correct:menu", value=None, selected_option=option))

    assert status == 200
    assert ledger.load(key, time.time()).labels["urgency"] == "low"


def test_a_button_of_a_message_long_forgotten_says_so_to_who_pressed_it(post, queue, told, press):
    forgotten = MessageKey("T0", "C0SUPPORT", "1600000000.000100")

    assert post(press(forgotten, response_url=told.url)) == 200

    assert told.bodies == [
        {"text": thread_text.TOO_OLD_TO_CORRECT, "response_type": "ephemeral", "replace_original": False}
    ]
    assert queue.records == []


def test_a_correction_that_could_not_be_taken_says_so_to_who_pressed(post, queue, key, told, press):
    queue.failure = QueueUnavailable("SQS did not take the record")

    assert post(press(key, response_url=told.url)) == 200

    assert told.bodies[0]["text"] == thread_text.CORRECTION_NOT_TAKEN


@pytest.mark.parametrize("response_url", ["http://127.0.0.1:9/actions", "nowhere", "ftp://nowhere"])
def test_a_person_who_cannot_be_told_gets_slacks_warning_sign(post, response_url, press):
    forgotten = MessageKey("T0", "C0SUPPORT", "1600000000.000100")

    assert post(press(forgotten, response_url=response_url)) == 503


def test_a_press_by_nobody_corrects_nothing(post, ledger, key, press):
    body = press(key).replace(b"U0ANNA", b"%5Cud800")

    assert post(body) == 400
    assert ledger.load(key, time.time()).corrections == ()


# --- The answer to /classify ----------------------------------------------------------------------------------


@pytest.fixture
def press_post(press, key):
    """Build what Slack posts when somebody presses the button under the answer, which only they see."""
    return lambda value="C0BILLING=billing=charged twice = bad": press(key, action_id="post-text", value=value)


def test_a_text_to_be_posted_is_handed_in_with_who_wants_it(post, queue, key, press_post):
    assert post(press_post()) == 200

    [record] = queue.records
    assert (record.user, record.place, record.label) == ("U0ANNA", "C0BILLING", "billing")
    assert (record.text, record.ts) == ("charged twice = bad", "1700000002.000100")


@pytest.mark.parametrize("value", ["", "C0BILLING", "no channel=billing=text"])
def test_a_post_without_place_label_and_text_is_refused(post, queue, key, value, press_post):
    assert post(press_post(value=value)) == 400
    assert queue.records == []


def test_whoever_wanted_a_text_posted_is_told_when_it_could_not_be_handed_in(post, queue, key, told, press):
    queue.failure = QueueUnavailable("SQS did not take the record")

    assert post(press(key, told.url, action_id="post-text", value="C0BILLING=billing=text")) == 200
    assert told.bodies[0]["text"] == command_text.NOT_TAKEN
