"""The payloads of buttons, menus and shortcuts, and how responses change their message."""

from slack_sdk.webhook import WebhookClient


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


def test_a_menu_sends_the_option_that_was_chosen(press, buttons):
    option = buttons[0]["elements"][1]["options"][0]

    _, _, payload = press("other", {"selected_option": option})

    assert payload["actions"][0]["selected_option"]["value"] == "g"


def test_a_button_in_a_thread_names_the_thread(start_slack, receiving_app, buttons):
    slack = start_slack(interactivity_url=receiving_app.url)
    parent = slack.write("hello")
    ts = slack.client.chat_postMessage(channel="C0SUPPORT", text="Which?", blocks=buttons, thread_ts=parent)["ts"]

    slack.do("actions", ts=ts, block_id="correct", action_id="billing")

    assert receiving_app.next().payload()["container"]["thread_ts"] == parent


def test_a_button_without_an_app_behind_it_says_so_to_who_pressed_it(slack, buttons):
    ts = slack.client.chat_postMessage(channel="C0SUPPORT", text="Which?", blocks=buttons)["ts"]

    slack.do("actions", ts=ts, block_id="correct", action_id="billing")

    assert slack.channel()["ephemerals"][0]["text"] == "The app did not respond: “dispatch_failed”"


def test_a_button_that_is_not_there_cannot_be_pressed(slack, buttons):
    ts = slack.client.chat_postMessage(channel="C0SUPPORT", text="Which?", blocks=buttons)["ts"]

    refused = slack.do("actions", ts=ts, block_id="correct", action_id="invented")

    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "action_not_found")


def test_a_message_shortcut_sends_the_message(start_slack, receiving_app):
    slack = start_slack(interactivity_url=receiving_app.url)
    ts = slack.write("hello")

    slack.do("shortcuts", ts=ts, callback_id="classify_message")

    payload = receiving_app.next().payload()
    assert (payload["type"], payload["callback_id"]) == ("message_action", "classify_message")
    assert payload["message"]["text"] == "hello"


# --- The message that had the button --------------------------------------------------------------------------


def test_a_button_can_replace_its_message(press):
    slack, ts, payload = press()

    WebhookClient(payload["response_url"]).send(text="Corrected to billing", blocks=[], replace_original=True)

    [message] = slack.channel()["messages"]
    assert (message["ts"], message["text"], message.get("blocks")) == (ts, "Corrected to billing", None)


def test_a_button_can_delete_its_message(press):
    slack, _, payload = press()

    WebhookClient(payload["response_url"]).send(delete_original=True)

    assert slack.channel()["messages"] == []


def test_a_button_of_an_ephemeral_message_can_replace_and_delete_it(start_slack, receiving_app, buttons):
    slack = start_slack(interactivity_url=receiving_app.url)
    post = {"channel": "C0SUPPORT", "user": "U0MAYA", "text": "Which?", "blocks": buttons}
    ts = slack.client.chat_postEphemeral(**post)["message_ts"]
    slack.do("actions", ts=ts, block_id="correct", action_id="billing")
    payload = receiving_app.next().payload()
    webhook = WebhookClient(payload["response_url"])

    webhook.send(text="Thanks", replace_original=True)
    replaced = slack.channel()["ephemerals"]
    webhook.send(delete_original=True)

    assert payload["container"]["is_ephemeral"] is True
    assert [(each["ts"], each["text"]) for each in replaced] == [(ts, "Thanks")]
    assert slack.channel()["ephemerals"] == []
