import json
import time
import uuid
from dataclasses import replace

import pytest

from bot.blocks.notice import build_notice
from bot.blocks.policy_upload import Draft
from bot.blocks.view import View
from bot.case import Correction, Decision
from bot.files import UploadedFile
from bot.home import MOST_ITEMS
from bot.policy import Policy
from bot.policy_file import WrittenPolicy
from bot.reception import ANSWERABLE_SECONDS, TooLate, strongest
from bot.records import (
    AskRecord,
    CommandRecord,
    CorrectionRecord,
    ForwardRecord,
    HomeRecord,
    InspectRecord,
    MessageKey,
    ReactionRecord,
    RouteDialogRecord,
    SavedRecord,
    TrialRecord,
    UploadRecord,
)
from bot.team_settings import SettingsStore
from bot.words import commands as words
from bot.words import dialogs
from bot.words import home as home_words
from classifier_infra.client import NotExplainable
from classifier_infra.explanation import WordContribution

URL = "https://hooks.slack.com/commands/T0/1/secret"


@pytest.fixture
def team() -> str:
    """A workspace that no other test knows."""
    return f"T{uuid.uuid4().hex.upper()}"


@pytest.fixture
def ask(reception, answers, team):
    """Ask with `/classify`; give what is answered."""

    def ask(verb: str, target: str | None = None, user: str = "U0ANNA") -> View:
        record = AskRecord(team, "C0SUPPORT", user, verb, target, URL, int(time.time()))
        reception.answer_question(record, reception.settings.load(team, time.time()))
        return answers.given[-1][1]

    return ask


def settings_now(reception, team):
    return reception.settings.load(team, time.time())


# --- Switches -----------------------------------------------------------------------------------------------


def test_stop_makes_everything_suggest_only_and_start_takes_it_back(ask, reception, team):
    assert ask("stop").text == words.STOPPED
    assert settings_now(reception, team).switches.stopped

    assert ask("start").text == words.STARTED
    assert not settings_now(reception, team).switches.stopped


def test_a_channel_or_a_person_can_be_muted_and_unmuted(ask, reception, team):
    ask("mute", "C0SUPPORT")
    ask("mute", "U0MAYA")
    assert settings_now(reception, team).switches.muted_channels == {"C0SUPPORT"}
    assert settings_now(reception, team).switches.muted_people == {"U0MAYA"}

    ask("unmute", "C0SUPPORT")
    ask("unmute", "U0MAYA")
    assert settings_now(reception, team).switches.muted_channels == frozenset()
    assert settings_now(reception, team).switches.muted_people == frozenset()


def test_everybody_may_make_the_bot_quieter_and_only_who_the_policy_names_may_make_it_louder(ask, reception, team):
    reception.settings.save_policy(team, WrittenPolicy.of("version: 1\ncorrections: [U0ANNA]"), "U0ANNA", time.time())

    assert ask("stop", user="U0MAYA").text == words.STOPPED
    assert ask("start", user="U0MAYA").text == words.NOT_ALLOWED
    assert settings_now(reception, team).switches.stopped
    assert ask("start", user="U0ANNA").text == words.STARTED


# --- Figures and settings -----------------------------------------------------------------------------------


def test_stats_tell_what_came_in_and_how_often_people_agreed(ask, ledger, team, findings):
    key = MessageKey(team, "C0SUPPORT", f"{time.time():.6f}")
    decision = Decision("suggest", "mode", findings, "model-1")
    ledger.record_decision(key, decision, time.time())
    correction = Correction(1, "category", "billing", "billing", "U0ANNA", 1, "model-1")
    ledger.record_correction(key, ledger.load(key, time.time()), correction, time.time())

    said = ask("stats").text

    assert "1 request in the last seven days." in said
    assert "Category: right in 1 of the 1 that people looked at (100%)" in said
    assert "Tone: not yet known" in said


def test_stats_of_a_quiet_week_say_so(ask):
    assert "Nothing has come in this week." in ask("stats").text


def test_the_policy_is_told_in_words(ask):
    said = ask("policy").text

    assert "Billing → <#C0BILLING>" in said
    assert "General stays where it is" in said
    assert words.NO_POLICY_SAVED in said


def test_the_version_names_model_and_policy_and_who_saved_it(ask, reception, team):
    reception.settings.save_policy(team, WrittenPolicy.of("version: 1"), "U0ANNA", 1_700_000_000)

    said = ask("version").text

    assert "model-1" in said
    assert "version 1, saved by <@U0ANNA> <!date^1700000000^" in said


def test_a_question_that_slack_takes_no_answer_to_any_more_changes_nothing(reception, team):
    late = AskRecord(team, "C0SUPPORT", "U0ANNA", "stop", None, URL, int(time.time()) - ANSWERABLE_SECONDS - 1)

    with pytest.raises(TooLate):
        reception.answer_question(late, settings_now(reception, team))
    assert not settings_now(reception, team).switches.stopped


# --- Texts --------------------------------------------------------------------------------------------------


def test_an_answer_says_which_words_spoke_for_it(reception, answers, predict, team):
    record = CommandRecord(team, "C0SUPPORT", "U0ANNA", "refund my invoice please", False, URL, int(time.time()))

    reception.answer_command(record, settings_now(reception, team), predict(category={"billing": 0.95}))

    assert "For Billing spoke above all: “invoice”, “refund”, “please”." in answers.given[0][1].text


def test_a_text_is_posted_once_in_the_name_of_who_wanted_it(reception, answers, slack):
    ts = f"{time.time():.6f}"
    text = "charged <!channel> twice"
    record = ForwardRecord("T0SANDBOX", "C0SUPPORT", ts, "U0ANNA", "C0BILLING", "billing", text, URL, int(time.time()))

    reception.forward(record)
    reception.forward(record)

    [post] = slack.posts("C0BILLING")
    assert "<@U0ANNA>" in post.content.text
    assert "<!channel>" not in post.content.text
    assert answers.given[-1][1].text == words.posted("C0BILLING", None)


def test_whoever_wanted_a_text_posted_hears_why_it_could_not_be(reception, answers, slack):
    ts = f"{time.time():.6f}"
    record = ForwardRecord("T0SANDBOX", "C0SUPPORT", ts, "U0ANNA", "C0OLD", "billing", "text", URL, int(time.time()))

    reception.forward(record)

    assert answers.given[-1][1].text == words.posted("C0OLD", "that channel is archived")


def test_where_the_words_are_not_at_hand_the_answer_does_without(reception, answers, predict, team):
    def explain(*what):
        raise NotExplainable

    reception = replace(reception, explain=explain)
    record = CommandRecord(team, "C0SUPPORT", "U0ANNA", "an invoice", False, URL, int(time.time()))

    reception.answer_command(record, settings_now(reception, team), predict(category={"billing": 0.95}))

    assert "spoke above all" not in answers.given[0][1].text


def test_reasons_are_the_strongest_words_each_once_and_none_that_says_little():
    said = [("invoice", 2.0), ("the", 0.05), ("refund", 1.0), ("invoice", 0.5), ("hello", -1.0), ("!", 3.0)]

    contributions = [WordContribution(word, place, value, known=True) for place, (word, value) in enumerate(said)]

    assert strongest(contributions) == ("invoice", "refund")


# --- App Home -----------------------------------------------------------------------------------------------


def decide_about(ledger, findings, ts: str, channel: str = "C0SUPPORT", team: str = "T0SANDBOX") -> MessageKey:
    key = MessageKey(team, channel, ts)
    ledger.record_decision(key, Decision("suggest", "mode", findings, "model-1", urgent=True), time.time())
    return key


def shown_home(reception, slack, user: str = "U0ANNA") -> str:
    record = HomeRecord("T0SANDBOX", user, int(time.time()))
    reception.show_home(record)
    return json.dumps(slack.installation.homes[user].form, ensure_ascii=False)


def test_a_home_shows_what_waits_with_its_words_and_a_link(reception, slack, ledger, findings):
    ts = slack.write("charged twice for March")
    decide_about(ledger, findings, ts)

    shown = shown_home(reception, slack)

    assert "charged twice for March" in shown
    assert f"p{ts.replace('.', '')}|Open" in shown


def test_what_was_written_in_a_private_channel_is_not_shown_in_a_home(reception, slack, ledger, findings):
    channel = slack.workspace.channel("C0BOARD")
    channel.members.add("U0BOT")
    ts = slack.write("a confidential matter", channel="C0BOARD", user="U0SOFIA")
    decide_about(ledger, findings, ts, channel="C0BOARD")

    shown = shown_home(reception, slack)

    assert "confidential" not in shown
    assert "<#C0BOARD>" in shown


def test_a_message_that_is_gone_still_has_its_buttons(reception, slack, ledger, findings):
    decide_about(ledger, findings, f"{time.time():.6f}", channel="C0LEADS")

    assert "<#C0LEADS>" in shown_home(reception, slack)


def test_a_channel_that_messages_are_sent_to_has_no_mode_to_set(reception, slack):
    shown = shown_home(reception, slack)

    assert "C0SUPPORT=automatic" in shown
    assert "C0BILLING=automatic" not in shown


def test_a_home_shows_what_was_changed_elsewhere_a_moment_ago(reception, slack):
    settings_now(reception, "T0SANDBOX")
    elsewhere = SettingsStore(reception.settings.client, reception.settings.table, Policy())
    elsewhere.stop("T0SANDBOX", "U0ANNA", time.time())

    shown = shown_home(reception, slack)
    elsewhere.start("T0SANDBOX", "U0ANNA", time.time())

    assert home_words.STOPPED in shown


def test_a_home_costs_a_bounded_number_of_calls_however_much_waits(reception, slack, ledger, findings):
    for number in range(12):
        decide_about(ledger, findings, f"{time.time() - number:.6f}")
    before = len(slack.installation.calls)

    shown_home(reception, slack)

    assert len(slack.installation.calls) - before <= 2 + 2 * 2 * MOST_ITEMS


# --- Dialogs ------------------------------------------------------------------------------------------------


@pytest.fixture
def dialog(slack) -> str:
    """A dialog that is open; its id."""
    trigger = slack.installation.handles.issue_trigger("U0ANNA")
    return str(slack.client.views_open(trigger_id=trigger, view=build_notice("…"))["view"]["id"])


def shown_dialog(slack, dialog: str) -> str:
    return json.dumps(slack.installation.modals[dialog].form, ensure_ascii=False)


@pytest.fixture
def inspect(reception, predict, dialog):
    def inspect(key: MessageKey, text: str, prediction="billing") -> None:
        record = InspectRecord(*str(key).split("#"), "U0ANNA", dialog, text, False, int(time.time()))
        answer = predict(category={prediction: 0.95}) if prediction else None
        reception.inspect(record, settings_now(reception, key.team), answer)

    return inspect


def test_a_message_that_is_inspected_shows_what_people_have_said_of_it(inspect, slack, ledger, findings, dialog):
    key = decide_about(ledger, findings, f"{time.time():.6f}")
    correction = Correction(1, "category", "billing", "technical", "U0ANNA", 1, "model-1")
    ledger.record_correction(key, ledger.load(key, time.time()), correction, time.time())

    inspect(key, "charged twice")

    form = slack.installation.modals[dialog].form
    chosen = [part["text"]["text"] for block in form["blocks"] for part in block.get("elements", ())
              if part.get("style") == "primary"]  # fmt: skip
    assert chosen[0] == "Technical"


def test_a_message_that_the_bot_does_not_know_is_read_anew(inspect, slack, dialog):
    inspect(MessageKey("T0SANDBOX", "C0RANDOM", f"{time.time():.6f}"), "refund the invoice")

    assert "For Billing spoke above all: “invoice”" in shown_dialog(slack, dialog)


def test_a_message_without_words_says_so(inspect, slack, dialog):
    inspect(MessageKey("T0SANDBOX", "C0RANDOM", f"{time.time():.6f}"), "🎉", prediction=None)

    assert dialogs.NOTHING_TO_READ in shown_dialog(slack, dialog)


def test_a_dialog_that_was_closed_meanwhile_is_no_failure(inspect, slack, dialog):
    slack.installation.modals.clear()

    inspect(MessageKey("T0SANDBOX", "C0RANDOM", f"{time.time():.6f}"), "refund the invoice")

    assert slack.calls("views.update") == 1
    assert slack.installation.modals == {}


@pytest.mark.parametrize(
    ("policy", "confidence", "said"),
    [
        ("version: 1\nroutes:\n  billing: C0MONEY", 0.95, "I would send it to <#C0MONEY>."),
        ("version: 1", 0.95, "I would leave it where it is."),
        ("version: 1\nroutes:\n  billing: C0MONEY", 0.5, "I am not sure enough"),
    ],
)
def test_a_policy_is_tried_without_saving_it(reception, slack, predict, dialog, policy, confidence, said):
    record = TrialRecord("T0SANDBOX", "U0ANNA", dialog, policy, 0, "refund it", int(time.time()))

    settings = settings_now(reception, "T0SANDBOX")
    reception.try_policy(record, settings, predict(category={"billing": confidence}))

    assert said in shown_dialog(slack, dialog)
    assert settings_now(reception, "T0SANDBOX").version == 0


def test_a_policy_is_held_against_the_requests_of_the_week(reception, slack, ledger, findings, predict, dialog, team):
    for number, outcome in enumerate(("automatic", "suggest", "ask")):
        key = MessageKey(team, "C0SUPPORT", f"{time.time() - number:.6f}")
        ledger.record_decision(key, Decision(outcome, "sure", findings, "model-1"), time.time())
    old = MessageKey(team, "C0SUPPORT", f"{time.time() - 8 * 24 * 3600:.6f}")
    ledger.record_decision(old, Decision("automatic", "sure", findings, "model-1"), time.time())
    policy = "version: 1\nroutes:\n  billing: C0MONEY"
    record = TrialRecord(team, "U0ANNA", dialog, policy, 0, "refund it", int(time.time()))

    reception.try_policy(record, settings_now(reception, team), predict(category={"billing": 0.95}))

    shown = shown_dialog(slack, dialog)
    assert "Of the 3 newest requests of the last seven days, 3 would go elsewhere." in shown
    assert "<#C0BILLING> → <#C0MONEY>: 3, the newest written" in shown


def test_an_uploaded_policy_is_held_against_the_week_before_it_is_saved(
    reception, slack, ledger, findings, dialog, team
):
    decide_about(ledger, findings, f"{time.time():.6f}", team=team)
    draft = Draft(UploadedFile("policy.yml", "https://files.slack.com/a"), "0" * 64, 0)
    policy = "version: 1\nroutes:\n  billing: C0MONEY"
    record = UploadRecord(team, "U0ANNA", dialog, policy, draft.to_metadata(), int(time.time()))

    reception.review_upload(record, settings_now(reception, team))

    shown = shown_dialog(slack, dialog)
    assert "1 would go elsewhere." in shown
    assert "<#C0BILLING> → <#C0MONEY>" in shown
    assert slack.installation.modals[dialog].form["private_metadata"] == draft.to_metadata()
    assert settings_now(reception, team).version == 0


ODD = "version: 1\nroutes:\n  biling: C0MONEY"
NO_SUCH_LABEL = "the classifier's 'category' has no label 'biling'"


def test_what_does_not_fit_the_model_is_said_of_a_policy_on_trial(reception, slack, predict, dialog, team):
    record = TrialRecord(team, "U0ANNA", dialog, ODD, 0, "refund it", int(time.time()))

    reception.try_policy(record, settings_now(reception, team), predict(category={"billing": 0.95}))

    assert NO_SUCH_LABEL in shown_dialog(slack, dialog)


@pytest.mark.parametrize(
    ("policy", "version", "said"),
    [(ODD, 1, True), (ODD, 7, False), ("version: 1\nroutes:\n  billing: C0MONEY", 1, False)],
    ids=["does not fit", "is not in force any more", "fits"],
)
def test_what_does_not_fit_is_said_where_a_policy_was_saved(reception, slack, dialog, team, policy, version, said):
    reception.settings.save_policy(team, WrittenPolicy.of(policy), "U0ANNA", time.time())

    reception.look_at_saved(SavedRecord(team, "U0ANNA", dialog, version, int(time.time())))

    shown = shown_dialog(slack, dialog)
    assert (NO_SUCH_LABEL in shown, dialogs.saved(1) in shown) == (said, said)


def test_the_routes_dialog_has_the_labels_of_the_classifier(reception, slack, dialog):
    reception.show_routes(RouteDialogRecord("T0SANDBOX", "U0ANNA", dialog, 0, int(time.time())))

    assert all(name in shown_dialog(slack, dialog) for name in ("Billing", "Technical", "General"))


# --- Reactions ----------------------------------------------------------------------------------------------


REACTIONS = "version: 1\nreaction_corrections:\n  category:\n    technical: wrench\n"


@pytest.fixture
def react(reception, ledger, findings, team):
    """Let somebody react to a message that was read as billing; give its labels then."""
    key = decide_about(ledger, findings, f"{time.time():.6f}", team=team)

    def react(name: str, user: str = "U0ANNA", policy: str = REACTIONS) -> dict[str, str]:
        reception.settings.save_policy(team, WrittenPolicy.of(policy), "U0ANNA", time.time())
        record = ReactionRecord(team, key.channel, key.ts, user, name, int(time.time()))
        reception.take_reaction(record, settings_now(reception, team))
        reception.take_reaction(record, settings_now(reception, team))
        return ledger.load(key, time.time()).labels

    return react


def test_a_reaction_that_the_policy_names_corrects_once(react, later):
    assert react("wrench")["category"] == "technical"
    assert [type(record) for record in later.records] == [CorrectionRecord] * 2


def test_any_other_reaction_is_just_a_reaction(react, later):
    assert react("tada")["category"] == "billing"
    assert react("wrench", policy="version: 1")["category"] == "billing"
    assert later.records == []


def test_a_reaction_of_somebody_who_may_not_correct_changes_nothing(react, later):
    assert react("wrench", user="U0MAYA", policy=f"{REACTIONS}corrections: [U0ANNA]")["category"] == "billing"
    assert later.records == []
