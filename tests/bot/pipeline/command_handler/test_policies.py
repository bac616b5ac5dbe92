"""The policy dialogs report trials, uploads, saved policies and the route of each label."""

import time

import pytest

from bot.policy.parsing.parser import WrittenPolicy
from bot.queue.messages import (
    MessageKey,
    RouteDialogRecord,
    SavedRecord,
    TrialRecord,
    UploadRecord,
)
from bot.slack.files import UploadedFile
from bot.triage.case import Decision
from bot.ui.policy_upload import Draft
from bot.ui.text import dialogs as dialog_text


@pytest.mark.parametrize(
    ("policy", "confidence", "said"),
    [
        ("version: 1\nroutes:\n  billing: C0MONEY", 0.95, "I would send it to <#C0MONEY>."),
        ("version: 1", 0.95, "I would leave it where it is."),
        ("version: 1\nroutes:\n  billing: C0MONEY", 0.5, "I am not sure enough"),
    ],
)
def test_a_policy_is_tried_without_saving_it(
    command_handler, predict, dialog, policy, confidence, said, settings_now, shown_dialog
):
    record = TrialRecord("T0SANDBOX", "U0ANNA", dialog, policy, 0, "refund it", int(time.time()))

    settings = settings_now("T0SANDBOX")
    command_handler.try_policy(record, settings, predict(category={"billing": confidence}))

    assert said in shown_dialog()
    assert settings_now("T0SANDBOX").version == 0


def test_a_policy_is_held_against_the_requests_of_the_week(
    command_handler, ledger, facet_results, predict, dialog, team, settings_now, shown_dialog
):
    for number, outcome in enumerate(("automatic", "suggest", "ask")):
        key = MessageKey(team, "C0SUPPORT", f"{time.time() - number:.6f}")
        ledger.record_decision(key, Decision(outcome, "sure", facet_results, "model-1"), time.time())
    old = MessageKey(team, "C0SUPPORT", f"{time.time() - 8 * 24 * 3600:.6f}")
    ledger.record_decision(old, Decision("automatic", "sure", facet_results, "model-1"), time.time())
    policy = "version: 1\nroutes:\n  billing: C0MONEY"
    record = TrialRecord(team, "U0ANNA", dialog, policy, 0, "refund it", int(time.time()))

    command_handler.try_policy(record, settings_now(), predict(category={"billing": 0.95}))

    shown = shown_dialog()
    assert "Of the 3 newest requests of the last seven days, 3 would go elsewhere." in shown
    assert "<#C0BILLING> → <#C0MONEY>: 3, most recently" in shown


def test_an_uploaded_policy_is_held_against_the_week_before_it_is_saved(
    command_handler, slack, dialog, team, settings_now, decide_about, shown_dialog
):
    decide_about(f"{time.time():.6f}", team=team)
    draft = Draft(UploadedFile("policy.yml", "https://files.slack.com/a"), "0" * 64, 0)
    policy = "version: 1\nroutes:\n  billing: C0MONEY"
    record = UploadRecord(team, "U0ANNA", dialog, policy, draft.to_metadata(), int(time.time()))

    command_handler.review_upload(record, settings_now())

    shown = shown_dialog()
    assert "1 would go elsewhere." in shown
    assert "<#C0BILLING> → <#C0MONEY>" in shown
    assert slack.installation.modals[dialog].form["private_metadata"] == draft.to_metadata()
    assert settings_now().version == 0


ODD = "version: 1\nroutes:\n  biling: C0MONEY"


NO_SUCH_LABEL = "the classifier's 'category' has no label 'biling'"


def test_what_does_not_fit_the_model_is_said_of_a_policy_on_trial(
    command_handler, predict, dialog, team, settings_now, shown_dialog
):
    record = TrialRecord(team, "U0ANNA", dialog, ODD, 0, "refund it", int(time.time()))

    command_handler.try_policy(record, settings_now(), predict(category={"billing": 0.95}))

    assert NO_SUCH_LABEL in shown_dialog()


@pytest.mark.parametrize(
    ("policy", "version", "said"),
    [(ODD, 1, True), (ODD, 7, False), ("version: 1\nroutes:\n  billing: C0MONEY", 1, False)],
    ids=["does not fit", "is not in force any more", "fits"],
)
def test_what_does_not_fit_is_said_where_a_policy_was_saved(
    command_handler, dialog, team, policy, version, said, shown_dialog
):
    command_handler.settings.save_policy(team, WrittenPolicy.of(policy), "U0ANNA", time.time())

    command_handler.look_at_saved(SavedRecord(team, "U0ANNA", dialog, version, int(time.time())))

    shown = shown_dialog()
    assert (NO_SUCH_LABEL in shown, dialog_text.saved(1) in shown) == (said, said)


def test_the_routes_dialog_has_the_labels_of_the_classifier(command_handler, dialog, shown_dialog):
    command_handler.show_routes(RouteDialogRecord("T0SANDBOX", "U0ANNA", dialog, 0, int(time.time())))

    assert all(name in shown_dialog() for name in ("Billing", "Technical", "General"))
