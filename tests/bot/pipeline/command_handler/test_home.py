"""App Home shows the week, the queues and the settings."""

import json
import time

import pytest

from bot.pipeline.command_handler import MOST_ITEMS
from bot.policy.policy import Policy
from bot.queue.messages import HomeRecord
from bot.store.settings import SettingsStore
from bot.ui.text import home as home_text


@pytest.fixture
def shown_home(command_handler, slack):
    """Return Anna's Home tab as JSON."""

    def show() -> str:
        command_handler.show_home(HomeRecord("T0SANDBOX", "U0ANNA", int(time.time())))
        return json.dumps(slack.installation.homes["U0ANNA"].form, ensure_ascii=False)

    return show


def test_a_home_shows_what_waits_with_its_words_and_a_link(slack, decide_about, shown_home):
    ts = slack.write("charged twice for March")
    decide_about(ts)

    shown = shown_home()

    assert "charged twice for March" in shown
    assert f"p{ts.replace('.', '')}|Open" in shown


def test_what_was_written_in_a_private_channel_is_not_shown_in_a_home(slack, decide_about, shown_home):
    channel = slack.workspace.channel("C0BOARD")
    channel.members.add("U0BOT")
    ts = slack.write("a confidential matter", channel="C0BOARD", user="U0SOFIA")
    decide_about(ts, channel="C0BOARD")

    shown = shown_home()

    assert "confidential" not in shown
    assert "<#C0BOARD>" in shown


def test_a_message_that_is_gone_still_has_its_buttons(decide_about, shown_home):
    decide_about(f"{time.time():.6f}", channel="C0LEADS")

    assert "<#C0LEADS>" in shown_home()


def test_a_channel_that_messages_are_sent_to_has_no_mode_to_set(shown_home):
    shown = shown_home()

    assert "C0SUPPORT=automatic" in shown
    assert "C0BILLING=automatic" not in shown


def test_a_home_shows_what_was_changed_elsewhere_a_moment_ago(command_handler, settings_now, shown_home):
    settings_now("T0SANDBOX")
    elsewhere = SettingsStore(command_handler.settings.client, command_handler.settings.table, Policy())
    elsewhere.stop("T0SANDBOX", "U0ANNA", time.time())

    shown = shown_home()
    elsewhere.start("T0SANDBOX", "U0ANNA", time.time())

    assert home_text.STOPPED in shown


def test_a_home_costs_a_bounded_number_of_calls_however_much_waits(slack, decide_about, shown_home):
    for number in range(12):
        decide_about(f"{time.time() - number:.6f}")
    before = len(slack.installation.calls)

    shown_home()

    assert len(slack.installation.calls) - before <= 2 + 2 * 2 * MOST_ITEMS
