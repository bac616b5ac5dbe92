"""An app's responses to a command, at once and at a response URL."""

import json

from slack_sdk.webhook import WebhookClient
from starlette.responses import JSONResponse, PlainTextResponse, Response


def test_an_empty_answer_to_a_command_shows_nothing(run_command):
    slack, _ = run_command()

    assert (slack.channel()["messages"], slack.channel()["ephemerals"]) == ([], [])


def test_a_plain_text_answer_to_a_command_is_for_who_ran_it(run_command):
    slack, _ = run_command(PlainTextResponse("working on it"))

    [ephemeral] = slack.channel()["ephemerals"]
    assert (ephemeral["text"], ephemeral["visible_to"], ephemeral["bot_id"]) == ("working on it", "U0MAYA", "B0TRIAGE")


def test_an_in_channel_answer_to_a_command_is_for_everybody(run_command):
    slack, _ = run_command(JSONResponse({"response_type": "in_channel", "text": "billing"}))

    assert [message["text"] for message in slack.channel()["messages"]] == ["billing"]


def test_an_answer_with_blocks_that_slack_would_refuse_says_so(run_command):
    slack, _ = run_command(JSONResponse({"text": "x", "blocks": [{"type": "divider"}] * 51}))

    assert "invalid_blocks" in slack.channel()["ephemerals"][0]["text"]


def test_an_answer_that_is_no_json_object_says_so(run_command):
    slack, _ = run_command(Response("[", media_type="application/json"))

    assert "invalid_payload" in slack.channel()["ephemerals"][0]["text"]


def test_half_of_a_pair_of_surrogates_reaches_the_app_as_a_question_mark(run_command):
    _, form = run_command(text="\ud800 refund")

    assert form["text"] == "? refund"


def test_a_command_that_no_app_has_is_not_valid(slack):
    slack.do("commands", command="/lunch", text="")

    assert slack.channel()["ephemerals"][0]["text"] == "`/lunch` is not a valid command."


# --- Response URLs --------------------------------------------------------------------------------------------


def test_a_response_url_takes_five_answers_and_no_sixth(run_command):
    slack, form = run_command()
    webhook = WebhookClient(form["response_url"])

    answers = [webhook.send(text=f"answer {number}") for number in range(1, 7)]

    assert [answer.status_code for answer in answers] == [200] * 5 + [404]
    assert json.loads(answers[-1].body) == {"ok": False, "error": "used_url"}
    assert len(slack.channel()["ephemerals"]) == 5


def test_a_response_url_expires_after_30_minutes(run_command, clock):
    _, form = run_command()
    clock.now += 30 * 60 + 1

    answer = WebhookClient(form["response_url"]).send(text="late")

    assert (answer.status_code, json.loads(answer.body)["error"]) == (404, "expired_url")


def test_an_invented_response_url_is_refused(slack):
    assert WebhookClient(f"{slack.url}/response/guess").send(text="hello").status_code == 404


def test_a_response_url_answers_in_the_channel_on_request(run_command):
    slack, form = run_command()

    WebhookClient(form["response_url"]).send(text="billing", response_type="in_channel")

    assert [message["text"] for message in slack.channel()["messages"]] == ["billing"]


def test_invalid_blocks_at_a_response_url_are_reported_in_the_body(run_command):
    _, form = run_command()

    answer = WebhookClient(form["response_url"]).send(text="x", blocks=[{"type": "divider"}] * 51)

    assert (answer.status_code, json.loads(answer.body)["error"]) == (200, "invalid_blocks")
