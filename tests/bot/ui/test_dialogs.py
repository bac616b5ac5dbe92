import json
from dataclasses import replace

import pytest

from bot.policy.parsing.parser import Problem
from bot.policy.policy import Policy
from bot.queue.messages import MessageKey
from bot.sandbox.slack.api.block_kit import view_problems
from bot.slack.files import UploadedFile, read_file_object
from bot.triage.display import view_facet_results
from bot.ui.classify import Assessment, read_post
from bot.ui.dialog import build_notice
from bot.ui.home import read_review
from bot.ui.inspect_dialog import build_inspection
from bot.ui.policy_dialog import (
    PolicyTooLong,
    build_policy_dialog,
    build_route_dialog,
    list_problems,
    read_policy_dialog,
    read_route_dialog,
    split_text,
)
from bot.ui.policy_upload import Draft, build_review, build_upload_dialog, read_draft
from classifier_infra.model.manifest import Facet, Label

KEY = MessageKey("T0", "C0SUPPORT", "1700000000.000100")


@pytest.fixture
def assessment(facet_results, manifest) -> Assessment:
    label_views = view_facet_results(facet_results, manifest)
    return Assessment("charged twice", label_views, "C0BILLING", doubt=None, truncated=False, reasons=("charged",))


def buttons(view, action_id: str):
    parts = [part for block in view["blocks"] for part in block.get("elements", ())]
    return [part for part in parts if part.get("action_id", "").startswith(action_id)]


def typed(view, **values):
    """Give the view as Slack sends it when it is submitted with these values."""
    fields = {block["block_id"]: block["element"] for block in view["blocks"] if block["type"] == "input"}
    state = {
        name: {element["action_id"]: {"value": element.get("initial_value")} | values.get(name, {})}
        for name, element in fields.items()
    }
    return {**view, "state": {"values": state}}


# --- One message --------------------------------------------------------------------------------------------


def test_a_known_message_can_be_corrected_facet_by_facet(assessment):
    view = build_inspection(assessment, KEY, known=True)

    values = [read_review(button["value"]) for button in buttons(view, "inspect-correct:")]
    assert ("C0SUPPORT", "1700000000.000100", "category", "technical") in values
    assert {facet for _, _, facet, _ in values} == {"category", "urgency", "tone"}


def test_a_message_that_the_bot_has_not_decided_about_can_only_be_posted(assessment):
    view = build_inspection(assessment, KEY, known=False)

    assert buttons(view, "inspect-correct:") == []
    [post] = buttons(view, "inspect-post")
    assert read_post(post["value"]) == ("C0BILLING", "billing", "charged twice")


def test_slack_takes_the_dialog_whatever_the_message(assessment):
    long = replace(assessment, text="&" * 20_000, reasons=("w" * 500,) * 4, truncated=True)

    for view in (build_inspection(long, KEY, known=True), build_notice("&" * 5_000)):
        assert view_problems(json.loads(json.dumps(view))) == []


# --- The policy as text -------------------------------------------------------------------------------------


def test_what_was_typed_comes_back_with_the_version_that_was_edited():
    view = typed(build_policy_dialog("version: 1\nunsure: ask", 7), trial={"value": " a refund "})

    assert read_policy_dialog(view) == ("version: 1\nunsure: ask", 7, "a refund")


def test_a_long_policy_is_spread_over_fields_line_by_line_and_comes_back_whole():
    text = "\n".join(["version: 1", *(f"# {'x' * 90} {number}" for number in range(100))])

    view = build_policy_dialog(text, 1)

    assert view_problems(json.loads(json.dumps(view))) == []
    assert read_policy_dialog(typed(view))[0] == text


# A line that fills a field, blank lines on either side of where the next one begins, and some that fill no field.
BLANK = ["\n\nversion: 1", "# x\n" * 749 + "####\n\nend", "x" * 3_000 + "\n\n" + "x" * 3_000, "a\n\n\nb"]


@pytest.mark.parametrize("text", BLANK, ids=["first", "between", "alone", "within"])
def test_no_blank_line_of_a_policy_is_lost(text):
    shown = [block for block in build_upload_dialog(text, 3)["blocks"] if block["type"] == "rich_text"]

    assert read_policy_dialog(typed(build_policy_dialog(text, 1)))[0] == text
    assert "\n".join(block["elements"][0]["elements"][0]["text"].strip(" ") for block in shown) == text


@pytest.mark.parametrize("text", ["x" * 3_001, "\n".join(["x" * 2_999] * 5)])
def test_a_policy_that_no_dialog_takes_is_refused(text):
    with pytest.raises(PolicyTooLong):
        split_text(text)


def test_an_empty_policy_still_has_a_field():
    assert read_policy_dialog(typed(build_policy_dialog("", 0)))[0] == ""


def test_the_first_mistakes_are_told_by_line_and_the_others_counted():
    told = list_problems([Problem(line, "this is wrong") for line in range(1, 12)])

    assert told.startswith("line 1: this is wrong\nline 2:")
    assert told.endswith("and 3 more")


# --- The policy as a file -----------------------------------------------------------------------------------


DRAFT = Draft(UploadedFile("policy.yml", "https://files.slack.com/files-pri/T0-F0/policy.yml"), "0" * 64, 7)


@pytest.mark.parametrize("text", ["", "version: 1\n", "# note\n" * 9_000, "#" * 20_000, "# note\n" * 60_000])
def test_slack_takes_the_dialog_whatever_policy_is_in_force(text):
    view = json.loads(json.dumps(build_upload_dialog(text, 3)))

    assert view_problems(view) == []
    assert len(json.dumps(view)) < 250_000


def test_the_policy_in_force_is_shown_whole_line_by_line():
    text = "\n".join(["version: 1", *(f"# {'x' * 90} {number}" for number in range(300))])

    blocks = [block for block in build_upload_dialog(text, 3)["blocks"] if block["type"] == "rich_text"]

    assert "\n".join(block["elements"][0]["elements"][0]["text"] for block in blocks) == text


def test_what_was_chosen_is_remembered_until_it_is_saved():
    view = build_review(DRAFT, Policy(routes={"billing": "C0BILLING"}), "Nothing would change.")

    assert read_draft(view["private_metadata"]) == DRAFT
    assert view_problems(json.loads(json.dumps(view))) == []


def test_slack_takes_the_look_at_a_file_of_any_name_and_address():
    file = read_file_object({"name": "<&" * 200, "url_private": "https://files.slack.com/" + "%00" * 490})

    view = build_review(Draft(file, "0" * 64), Policy(), "x" * 5_000)

    assert view_problems(json.loads(json.dumps(view))) == []


# --- Where what goes ----------------------------------------------------------------------------------------


def test_a_label_and_a_channel_are_chosen_from_menus(manifest):
    view = typed(
        build_route_dialog(manifest.facets[0], 3),
        label={"selected_option": {"value": "billing"}},
        channel={"selected_channel": "C0BILLING"},
    )

    assert read_route_dialog(view) == ("billing", "C0BILLING", 3)


def test_slack_takes_the_menu_of_a_large_taxonomy():
    facet = Facet("category", tuple(Label(f"{number}" * 40, "W" * 200) for number in range(150)))

    assert view_problems(json.loads(json.dumps(build_route_dialog(facet, 1)))) == []
