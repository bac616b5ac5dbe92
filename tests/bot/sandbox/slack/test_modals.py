"""Modals: opened with a trigger, submitted, changed and closed."""

import pytest
from slack_sdk.errors import SlackApiError
from starlette.responses import JSONResponse

MODAL = {
    "type": "modal",
    "callback_id": "why",
    "title": {"type": "plain_text", "text": "Why?"},
    "submit": {"type": "plain_text", "text": "Send"},
    "blocks": [
        {
            "type": "input",
            "block_id": "reason",
            "label": {"type": "plain_text", "text": "Reason"},
            "element": {"type": "plain_text_input", "action_id": "text"},
        }
    ],
}


def test_a_trigger_opens_one_modal_for_who_pressed(press):
    slack, _, payload = press()

    opened = slack.client.views_open(trigger_id=payload["trigger_id"], view=MODAL)["view"]
    with pytest.raises(SlackApiError, match="exchanged_trigger_id"):
        slack.client.views_open(trigger_id=payload["trigger_id"], view=MODAL)

    [modal] = slack.state()["modals"]
    assert (modal["id"], modal["user"]) == (opened["id"], "U0MAYA")


def test_a_trigger_expires_after_three_seconds(press, clock):
    slack, _, payload = press()
    clock.now += 4

    with pytest.raises(SlackApiError, match="expired_trigger_id"):
        slack.client.views_open(trigger_id=payload["trigger_id"], view=MODAL)


def test_a_submitted_modal_reaches_the_app_with_its_values_and_closes(press, receiving_app):
    slack, _, payload = press()
    view = slack.client.views_open(trigger_id=payload["trigger_id"], view=MODAL)["view"]
    values = {"reason": {"text": {"type": "plain_text_input", "value": "because"}}}

    slack.do("modals/submit", view_id=view["id"], values=values)

    submission = receiving_app.next().payload()
    assert (submission["type"], submission["view"]["callback_id"]) == ("view_submission", "why")
    assert submission["view"]["state"]["values"] == values
    assert slack.state()["modals"] == []


def test_errors_that_the_app_finds_keep_the_modal_open(press, receiving_app):
    slack, _, payload = press()
    view = slack.client.views_open(trigger_id=payload["trigger_id"], view=MODAL)["view"]
    receiving_app.answers.put(JSONResponse({"response_action": "errors", "errors": {"reason": "Too short"}}))

    answer = slack.do("modals/submit", view_id=view["id"], values={})

    assert answer.json() == {"errors": {"reason": "Too short"}}
    assert len(slack.state()["modals"]) == 1


def test_a_modal_can_be_updated_and_closed(press):
    slack, _, payload = press()
    view = slack.client.views_open(trigger_id=payload["trigger_id"], view=MODAL)["view"]
    title = {"type": "plain_text", "text": "Thank you"}

    slack.client.views_update(view_id=view["id"], view=MODAL | {"title": title})
    [updated] = slack.state()["modals"]
    slack.do("modals/close", view_id=view["id"])

    assert updated["title"] == title
    assert slack.state()["modals"] == []
