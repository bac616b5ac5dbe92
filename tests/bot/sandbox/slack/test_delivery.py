"""Delivery of events: signed, in Slack's envelope, and retried when the app does not acknowledge them."""

import asyncio
import json

import httpx2
import pytest
from starlette.responses import RedirectResponse, Response


def event_of(received):
    return json.loads(received.body)["event"]


def test_a_message_reaches_the_app_signed_and_in_slacks_envelope(connected_slack, receiving_app):
    ts = connected_slack.write("I was charged twice")

    received = receiving_app.next()

    assert received.is_signed()
    envelope = json.loads(received.body)
    assert (envelope["type"], envelope["team_id"], envelope["api_app_id"]) == (
        "event_callback",
        "T0SANDBOX",
        "A0TRIAGE",
    )
    assert envelope["authorizations"][0]["user_id"] == "U0BOT"
    assert isinstance(envelope["event_time"], int)
    assert (envelope["event"]["ts"], envelope["event"]["text"]) == (ts, "I was charged twice")


def test_an_event_that_the_app_refuses_is_sent_again_with_the_reason_until_it_is_taken(connected_slack, receiving_app):
    receiving_app.answers.put(Response(status_code=503))
    receiving_app.answers.put(Response(status_code=500))
    ts = connected_slack.write("hello")

    tries = [receiving_app.next() for _ in range(3)]

    assert len({json.loads(each.body)["event_id"] for each in tries}) == 1
    assert [each.headers.get("x-slack-retry-num") for each in tries] == [None, "1", "2"]
    assert [each.headers.get("x-slack-retry-reason") for each in tries] == [None, "http_error", "http_error"]
    assert all(each.is_signed() for each in tries)
    state = connected_slack.state_when(lambda state: state["deliveries"][0]["state"] == "delivered")
    [delivery] = state["deliveries"]
    assert (delivery["channel"], delivery["ts"]) == ("C0SUPPORT", ts)
    assert [attempt["status"] for attempt in delivery["attempts"]] == [503, 500, 200]


def test_after_three_retries_an_event_is_given_up(connected_slack, receiving_app):
    receiving_app.fallback = lambda: Response(status_code=503)

    connected_slack.write("hello")

    state = connected_slack.state_when(lambda state: state["deliveries"][0]["state"] == "given_up")
    assert len(state["deliveries"][0]["attempts"]) == 4


def test_an_app_can_ask_for_no_retry(connected_slack, receiving_app):
    receiving_app.fallback = lambda: Response(status_code=503, headers={"X-Slack-No-Retry": "1"})

    connected_slack.write("hello")

    state = connected_slack.state_when(lambda state: state["deliveries"][0]["state"] == "given_up")
    assert len(state["deliveries"][0]["attempts"]) == 1


def test_an_app_that_does_not_listen_is_a_failed_connection(start_slack):
    slack = start_slack(events_url="http://127.0.0.1:1/slack/events", retry_delays=())

    slack.write("hello")

    state = slack.state_when(lambda state: state["deliveries"][0]["state"] == "given_up")
    assert state["deliveries"][0]["attempts"][0]["reason"] == "connection_failed"


def test_a_connection_reset_on_arrival_is_a_failed_connection_too(connected_slack, monkeypatch):
    post, failures = httpx2.AsyncClient.post, iter([AttributeError("'NoneType' object has no attribute 'getpeername'")])

    async def reset_once(*arguments, **named):
        for failure in failures:
            raise failure
        return await post(*arguments, **named)

    monkeypatch.setattr(httpx2.AsyncClient, "post", reset_once)
    connected_slack.write("hello")

    state = connected_slack.state_when(lambda state: state["deliveries"][0]["state"] == "delivered")
    reasons = [attempt["reason"] for attempt in state["deliveries"][0]["attempts"]]
    assert reasons == ["connection_failed", None]


def test_a_slow_app_is_a_timeout(start_slack, serve):
    async def hang(scope, receive, send):
        if scope["type"] == "http":
            await asyncio.sleep(0.5)
            await Response()(scope, receive, send)

    slack = start_slack(events_url=serve(hang), timeout=0.05, retry_delays=())

    slack.write("hello")

    state = slack.state_when(lambda state: state["deliveries"][0]["state"] == "given_up")
    assert state["deliveries"][0]["attempts"][0]["reason"] == "http_timeout"


def test_an_app_that_redirects_in_a_circle_is_given_up(connected_slack, receiving_app):
    receiving_app.fallback = lambda: RedirectResponse("/again", status_code=307)

    connected_slack.write("hello")

    state = connected_slack.state_when(lambda state: state["deliveries"][0]["state"] == "given_up")
    assert {attempt["reason"] for attempt in state["deliveries"][0]["attempts"]} == {"too_many_redirects"}


def test_the_app_hears_of_its_own_posts_of_edits_deletions_and_reactions(connected_slack, receiving_app):
    ts = connected_slack.write("hello")
    connected_slack.client.chat_postMessage(channel="C0SUPPORT", text="hi")
    connected_slack.client.reactions_add(channel="C0SUPPORT", name="eyes", timestamp=ts)
    connected_slack.do("messages/edit", ts=ts, text="hello again")
    connected_slack.do("messages/delete", ts=ts)

    events = [event_of(receiving_app.next()) for _ in range(5)]

    assert {event.get("subtype") or event["type"] for event in events} == {
        "message",
        "reaction_added",
        "message_changed",
        "message_deleted",
    }
    assert [event["user"] for event in events if event.get("bot_id") == "B0TRIAGE"] == ["U0BOT"]


def test_an_event_that_the_app_has_not_subscribed_to_is_not_sent(start_slack, receiving_app):
    slack = start_slack(events_url=receiving_app.url, subscriptions=frozenset({"message.channels"}))
    ts = slack.write("hello")

    slack.do("reactions", ts=ts, name="eyes")
    slack.write("the end")

    assert sorted(event_of(receiving_app.next())["text"] for _ in range(2)) == ["hello", "the end"]
    assert len(slack.state()["deliveries"]) == 2


def test_the_events_url_is_verified_with_a_challenge(connected_slack, receiving_app):
    receiving_app.answers.put(Response("something else"))
    refused = connected_slack.do("events-url/verify")
    request = receiving_app.next()

    assert request.is_signed()
    assert json.loads(request.body)["type"] == "url_verification"
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "url_verification_failed")


def test_an_app_that_echoes_the_challenge_is_verified(start_slack, serve):
    async def echo(scope, receive, send):
        if scope["type"] == "http":
            challenge = json.loads((await receive())["body"])["challenge"]
            await Response(challenge)(scope, receive, send)

    assert start_slack(events_url=serve(echo)).do("events-url/verify").status_code == 200


def test_a_command_is_sent_as_a_signed_form(connected_slack, receiving_app):
    connected_slack.do("commands", command="/classify", text="Where is my refund @anna?")

    received = receiving_app.next()

    assert received.is_signed()
    assert received.headers["content-type"] == "application/x-www-form-urlencoded"
    form = received.form()
    assert (form["command"], form["text"]) == ("/classify", "Where is my refund <@U0ANNA>?")
    assert (form["channel_id"], form["channel_name"], form["user_id"]) == ("C0SUPPORT", "support", "U0MAYA")
    assert form["response_url"].startswith(f"{connected_slack.url}/response/")
    assert form["trigger_id"]


@pytest.mark.parametrize("is_listening", [True, False])
def test_a_failed_command_is_reported_to_its_user_only(start_slack, receiving_app, is_listening):
    receiving_app.fallback = lambda: Response(status_code=500)
    slack = start_slack(commands_url=receiving_app.url if is_listening else None)

    slack.do("commands", command="/classify", text="hello")

    [ephemeral] = slack.channel()["ephemerals"]
    assert ephemeral["text"] == "/classify failed with the error “dispatch_failed”"
    assert (ephemeral["user"], ephemeral["visible_to"]) == ("USLACKBOT", "U0MAYA")


def test_a_command_that_takes_too_long_is_an_operation_timeout(start_slack, serve):
    async def hang(scope, receive, send):
        if scope["type"] == "http":
            await asyncio.sleep(0.5)
            await Response()(scope, receive, send)

    slack = start_slack(commands_url=serve(hang), timeout=0.05)

    slack.do("commands", command="/classify", text="hello")

    assert "operation_timeout" in slack.channel()["ephemerals"][0]["text"]
