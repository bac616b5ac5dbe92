"""What people press and choose in the Home tab."""

import json
import time

import pytest

from bot.policy.parsing.parser import WrittenPolicy
from bot.queue.messages import CorrectionRecord, HomeRecord, MessageKey
from bot.ui.text import commands as command_text


def value_of(key: MessageKey) -> str:
    return f"{key.channel}#{key.ts}"


def test_a_message_is_reviewed_with_one_tap(press_home, ledger, stats, queue, waiting):
    assert press_home(waiting.team, "review:0", f"{value_of(waiting)}#category=technical") == 200

    assert ledger.load(waiting, time.time()).labels["category"] == "technical"
    assert stats.load(waiting.team, time.time()).review == ()
    assert [type(record) for record in queue.records] == [CorrectionRecord, HomeRecord]


def test_an_urgent_request_can_be_called_done(press_home, stats, queue, waiting):
    assert press_home(waiting.team, "done", value_of(waiting)) == 200

    assert stats.load(waiting.team, time.time()).urgent == ()
    assert [record.user for record in queue.records] == ["U0ANNA"]


def test_a_channels_mode_is_set_from_the_menu(press_home, store, waiting):
    assert press_home(waiting.team, "mode", chosen="C0SUPPORT=automatic") == 200

    assert store.load(waiting.team, time.time()).mode("C0SUPPORT") == "automatic"


def test_the_bot_is_stopped_and_started_from_the_tab(press_home, store, waiting):
    press_home(waiting.team, "stop")
    assert store.load(waiting.team, time.time()).switches.stopped

    press_home(waiting.team, "start")
    assert not store.load(waiting.team, time.time()).switches.stopped


def test_whoever_may_not_change_that_is_told_in_a_dialog(press_home, store, slack, queue, waiting):
    store.save_policy(waiting.team, WrittenPolicy.of("version: 1\ncorrections: [U0SOFIA]"), "U0SOFIA", time.time())

    assert press_home(waiting.team, "mode", chosen="C0SUPPORT=automatic") == 200

    [dialog] = slack.installation.modals.values()
    assert command_text.NOT_ALLOWED in json.dumps(dialog.form)
    assert queue.records == []


@pytest.mark.parametrize(
    ("action_id", "pressed"),
    [
        ("review:0", {"value": "C0SUPPORT"}),
        ("review:0", {"value": None}),
        ("done", {"value": "no channel#no ts"}),
        ("mode", {"chosen": "C0SUPPORT=loud"}),
        ("mode", {}),
        ("stop", {"user": {}}),
    ],
)
def test_a_press_in_the_tab_that_cannot_be_read_is_refused(press_home, queue, waiting, action_id, pressed):
    assert press_home(waiting.team, action_id, **pressed) == 400
    assert queue.records == []
