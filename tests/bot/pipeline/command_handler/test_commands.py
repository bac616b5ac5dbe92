"""`/classify` answers questions and sets switches."""

import time

import pytest

from bot.pipeline.command_handler import ANSWERABLE_SECONDS, TooLate
from bot.policy.parsing.parser import WrittenPolicy
from bot.queue.messages import AskRecord, MessageKey
from bot.slack.blocks import View
from bot.triage.case import Correction, Decision
from bot.ui.text import commands as command_text

URL = "https://hooks.slack.com/commands/T0/1/secret"


@pytest.fixture
def ask(command_handler, answers, team, settings_now):
    """Ask with `/classify`; give what is answered."""

    def ask(verb: str, target: str | None = None, user: str = "U0ANNA") -> View:
        record = AskRecord(team, "C0SUPPORT", user, verb, target, URL, int(time.time()))
        command_handler.answer_question(record, settings_now())
        return answers.given[-1][1]

    return ask


# --- Switches -------------------------------------------------------------------------------------------------


def test_stop_makes_everything_suggest_only_and_start_takes_it_back(ask, settings_now):
    assert ask("stop").text == command_text.STOPPED
    assert settings_now().switches.stopped

    assert ask("start").text == command_text.STARTED
    assert not settings_now().switches.stopped


def test_a_channel_or_a_person_can_be_muted_and_unmuted(ask, settings_now):
    ask("mute", "C0SUPPORT")
    ask("mute", "U0MAYA")
    assert settings_now().switches.muted_channels == {"C0SUPPORT"}
    assert settings_now().switches.muted_people == {"U0MAYA"}

    ask("unmute", "C0SUPPORT")
    ask("unmute", "U0MAYA")
    assert settings_now().switches.muted_channels == frozenset()
    assert settings_now().switches.muted_people == frozenset()


def test_everybody_may_make_the_bot_quieter_and_only_who_the_policy_names_may_make_it_louder(
    ask, command_handler, team, settings_now
):
    command_handler.settings.save_policy(
        team, WrittenPolicy.of("version: 1\ncorrections: [U0ANNA]"), "U0ANNA", time.time()
    )

    assert ask("stop", user="U0MAYA").text == command_text.STOPPED
    assert ask("start", user="U0MAYA").text == command_text.NOT_ALLOWED
    assert settings_now().switches.stopped
    assert ask("start", user="U0ANNA").text == command_text.STARTED


# --- Figures and settings -------------------------------------------------------------------------------------


def test_stats_tell_what_came_in_and_how_often_people_agreed(ask, ledger, team, facet_results):
    key = MessageKey(team, "C0SUPPORT", f"{time.time():.6f}")
    decision = Decision("suggest", "mode", facet_results, "model-1")
    ledger.record_decision(key, decision, time.time())
    correction = Correction(1, "category", "billing", "billing", "U0ANNA", 1, "model-1")
    ledger.record_correction(key, ledger.load(key, time.time()), correction, time.time())

    said = ask("stats").text

    assert "1 request in the last seven days." in said
    assert "Category: 1 of 1 confirmed (100%)" in said
    assert "Tone: not yet known" in said


def test_stats_of_a_quiet_week_say_so(ask):
    assert "Nothing has come in this week." in ask("stats").text


def test_the_policy_is_told_in_words(ask):
    said = ask("policy").text

    assert "Billing → <#C0BILLING>" in said
    assert "General stays where it is" in said
    assert command_text.NO_POLICY_SAVED in said


def test_the_version_names_model_and_policy_and_who_saved_it(ask, command_handler, team):
    command_handler.settings.save_policy(team, WrittenPolicy.of("version: 1"), "U0ANNA", 1_700_000_000)

    said = ask("version").text

    assert "model-1" in said
    assert "version 1, saved by <@U0ANNA> <!date^1700000000^" in said


def test_a_question_that_slack_takes_no_answer_to_any_more_changes_nothing(command_handler, team, settings_now):
    late = AskRecord(team, "C0SUPPORT", "U0ANNA", "stop", None, URL, int(time.time()) - ANSWERABLE_SECONDS - 1)

    with pytest.raises(TooLate):
        command_handler.answer_question(late, settings_now())
    assert not settings_now().switches.stopped
