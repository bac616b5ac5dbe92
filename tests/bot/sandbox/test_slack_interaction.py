"""What an app answers: at once, at a response URL, with a modal; and what people may do on the page."""

import base64
import json
from urllib.parse import parse_qs

import httpx2
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.webhook import WebhookClient
from starlette.responses import JSONResponse, PlainTextResponse, Response

BUTTONS = [
    {
        "type": "actions",
        "block_id": "correct",
        "elements": [
            {"type": "button", "action_id": "billing", "text": {"type": "plain_text", "text": "Billing"}, "value": "b"},
            {
                "type": "static_select",
                "action_id": "other",
                "options": [{"text": {"type": "plain_text", "text": "General"}, "value": "g"}],
            },
        ],
    }
]
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


def form_of(received):
    return {name: values[0] for name, values in parse_qs(received.body.decode()).items()}


def payload_of(received):
    return json.loads(form_of(received)["payload"])


@pytest.fixture
def run_command(start_slack, receiving_app):
    """Run /classify and give the stand-in and what the app was sent."""

    def run(answer=None):
        slack = start_slack(commands_url=receiving_app.url)
        if answer is not None:
            receiving_app.answers.put(answer)
        slack.do("commands", command="/classify", text="hello").raise_for_status()
        return slack, form_of(receiving_app.next())

    return run


@pytest.fixture
def press(start_slack, receiving_app):
    """Post BUTTONS, press one as Maya, and give the stand-in, the message's ts and the payload that came."""

    def press_button(action_id="billing", chosen=None):
        slack = start_slack(interactivity_url=receiving_app.url)
        ts = slack.client.chat_postMessage(channel="C0SUPPORT", text="Which?", blocks=BUTTONS)["ts"]
        slack.do("actions", ts=ts, block_id="correct", action_id=action_id, chosen=chosen).raise_for_status()
        return slack, ts, payload_of(receiving_app.next())

    return press_button


# --- Commands -----------------------------------------------------------------------------------------------


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


def test_a_command_that_no_app_has_is_not_valid(slack):
    slack.do("commands", command="/lunch", text="")

    assert slack.channel()["ephemerals"][0]["text"] == "`/lunch` is not a valid command."


# --- Response URLs ------------------------------------------------------------------------------------------


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


def test_refused_blocks_at_a_response_url_are_told_in_the_body(run_command):
    _, form = run_command()

    answer = WebhookClient(form["response_url"]).send(text="x", blocks=[{"type": "divider"}] * 51)

    assert (answer.status_code, json.loads(answer.body)["error"]) == (200, "invalid_blocks")


def test_a_button_can_replace_its_message(press):
    slack, ts, payload = press()

    WebhookClient(payload["response_url"]).send(text="Corrected to billing", blocks=[], replace_original=True)

    [message] = slack.channel()["messages"]
    assert (message["ts"], message["text"], message.get("blocks")) == (ts, "Corrected to billing", None)


def test_a_button_can_delete_its_message(press):
    slack, _, payload = press()

    WebhookClient(payload["response_url"]).send(delete_original=True)

    assert slack.channel()["messages"] == []


def test_a_button_of_an_ephemeral_message_can_replace_and_delete_it(start_slack, receiving_app):
    slack = start_slack(interactivity_url=receiving_app.url)
    post = {"channel": "C0SUPPORT", "user": "U0MAYA", "text": "Which?", "blocks": BUTTONS}
    ts = slack.client.chat_postEphemeral(**post)["message_ts"]
    slack.do("actions", ts=ts, block_id="correct", action_id="billing")
    payload = payload_of(receiving_app.next())
    webhook = WebhookClient(payload["response_url"])

    webhook.send(text="Thanks", replace_original=True)
    replaced = slack.channel()["ephemerals"]
    webhook.send(delete_original=True)

    assert payload["container"]["is_ephemeral"] is True
    assert [(each["ts"], each["text"]) for each in replaced] == [(ts, "Thanks")]
    assert slack.channel()["ephemerals"] == []


# --- Buttons, menus, shortcuts ------------------------------------------------------------------------------


def test_a_button_sends_what_was_pressed_by_whom_and_where(press):
    _, ts, payload = press()

    assert (payload["type"], payload["user"]["id"], payload["channel"]["id"]) == (
        "block_actions",
        "U0MAYA",
        "C0SUPPORT",
    )
    assert (payload["container"]["message_ts"], payload["message"]["ts"]) == (ts, ts)
    [action] = payload["actions"]
    assert (action["type"], action["action_id"], action["block_id"], action["value"]) == (
        "button",
        "billing",
        "correct",
        "b",
    )


def test_a_menu_sends_the_option_that_was_chosen(press):
    option = BUTTONS[0]["elements"][1]["options"][0]

    _, _, payload = press("other", {"selected_option": option})

    assert payload["actions"][0]["selected_option"]["value"] == "g"


def test_a_button_in_a_thread_names_the_thread(start_slack, receiving_app):
    slack = start_slack(interactivity_url=receiving_app.url)
    parent = slack.write("hello")
    ts = slack.client.chat_postMessage(channel="C0SUPPORT", text="Which?", blocks=BUTTONS, thread_ts=parent)["ts"]

    slack.do("actions", ts=ts, block_id="correct", action_id="billing")

    assert payload_of(receiving_app.next())["container"]["thread_ts"] == parent


def test_a_button_without_an_app_behind_it_says_so_to_who_pressed_it(slack):
    ts = slack.client.chat_postMessage(channel="C0SUPPORT", text="Which?", blocks=BUTTONS)["ts"]

    slack.do("actions", ts=ts, block_id="correct", action_id="billing")

    assert slack.channel()["ephemerals"][0]["text"] == "The app did not respond: “dispatch_failed”"


def test_a_button_that_is_not_there_cannot_be_pressed(slack):
    ts = slack.client.chat_postMessage(channel="C0SUPPORT", text="Which?", blocks=BUTTONS)["ts"]

    refused = slack.do("actions", ts=ts, block_id="correct", action_id="invented")

    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "action_not_found")


def test_a_message_shortcut_sends_the_message(start_slack, receiving_app):
    slack = start_slack(interactivity_url=receiving_app.url)
    ts = slack.write("hello")

    slack.do("shortcuts", ts=ts, callback_id="classify_message")

    payload = payload_of(receiving_app.next())
    assert (payload["type"], payload["callback_id"]) == ("message_action", "classify_message")
    assert payload["message"]["text"] == "hello"


# --- Modals -------------------------------------------------------------------------------------------------


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

    submission = payload_of(receiving_app.next())
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


# --- Files --------------------------------------------------------------------------------------------------


def upload(slack, content=b"version: 1", name="policy.yml"):
    return slack.do("files", name=name, content=base64.b64encode(content).decode())


def fetch(file, token="xoxb-of-the-tests"):
    return httpx2.get(file["url_private"], headers={"authorization": f"Bearer {token}"})


def test_an_uploaded_file_is_described_as_slack_does_and_read_with_the_bots_token(slack):
    file = upload(slack).json()

    assert (file["name"], file["size"], file["user"]) == ("policy.yml", 10, "U0MAYA")
    assert fetch(file).content == b"version: 1"


def test_whoever_has_not_the_token_is_led_to_the_log_in(slack):
    answer = fetch(upload(slack).json(), token="xoxb-of-somebody-else")

    assert (answer.status_code, answer.headers["location"]) == (302, "/")


def test_a_bot_without_the_scope_is_led_there_too(start_slack):
    slack = start_slack(scopes=frozenset({"chat:write"}))

    assert fetch(upload(slack).json()).status_code == 302


def test_a_file_that_is_not_there_is_not_found(slack):
    file = upload(slack).json()

    assert fetch({"url_private": file["url_private"].replace(file["id"], "F0NONE")}).status_code == 404


def test_what_is_no_base64_is_refused(slack):
    refused = slack.do("files", name="policy.yml", content="%%%")

    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "invalid_file")


# --- What people may do -------------------------------------------------------------------------------------


def test_who_is_not_a_member_cannot_write(slack):
    refused = slack.do("messages", channel="C0BILLING", text="hello")

    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "not_in_channel")


def test_nobody_edits_or_deletes_what_others_wrote(slack):
    ts = slack.write("hello", user="U0LIAM")

    edited = slack.do("messages/edit", ts=ts, text="mine")
    deleted = slack.do("messages/delete", ts=ts)

    assert edited.json()["error"]["code"] == "cant_update_message"
    assert deleted.json()["error"]["code"] == "cant_delete_message"
    assert slack.channel()["messages"][0]["text"] == "hello"


def test_reacting_twice_takes_the_reaction_back(slack):
    ts = slack.write("hello")

    slack.do("reactions", ts=ts, name="eyes")
    once = slack.channel()["messages"][0]["reactions"]
    slack.do("reactions", ts=ts, name="eyes")

    assert once == [{"name": "eyes", "users": ["U0MAYA"], "count": 1}]
    assert "reactions" not in slack.channel()["messages"][0]


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b'{"channel": "C0SUPPORT"}', "text/plain", 415),
        (b"{", "application/json", 400),
        (b"[]", "application/json", 400),
        (b"{}", "application/json", 409),
    ],
)
def test_a_request_that_makes_no_sense_is_refused(slack, content, content_type, status):
    answer = httpx2.post(f"{slack.url}/sandbox/messages", content=content, headers={"Content-Type": content_type})

    assert answer.status_code == status
    assert answer.json()["error"]["code"]


@pytest.mark.parametrize(
    ("act", "field", "value", "code"),
    [
        ("messages", "text", ["hello"], "missing_field"),
        ("messages", "thread_ts", [], "not_text"),
        ("actions", "chosen", "first", "not_an_object"),
        ("rate-limits", "times", "often", "not_a_whole_number"),
    ],
)
def test_a_field_of_the_wrong_kind_is_refused_by_its_name(start_slack, act, field, value, code):
    fields = {"text": "hello", "ts": "1.1", "block_id": "b", "action_id": "a", "method": "auth.test"}

    answer = start_slack().do(act, **fields | {field: value})

    assert (answer.status_code, answer.json()) == (409, {"error": {"code": code, "field": field}})


def test_another_host_name_is_refused_so_that_no_foreign_page_can_reach_us(slack):
    assert httpx2.get(f"{slack.url}/sandbox/state", headers={"Host": "evil.example"}).status_code == 400


def test_every_answer_carries_a_strict_content_security_policy(slack):
    policy = httpx2.get(f"{slack.url}/sandbox/state").headers["content-security-policy"]

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
