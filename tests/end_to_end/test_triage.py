"""The main job over real HTTP: a message in a channel is tagged, answered in its thread and posted to its team."""

import json
import time

import pytest

pytestmark = pytest.mark.stack

BILLING = "I was charged twice for my subscription this month, please refund one of the payments"
TECHNICAL_AND_URGENT = "our whole team is locked out, nobody can log in since the update, everything is down"


def text_of(message) -> str:
    return json.dumps(message, ensure_ascii=False)


def event(ts: str, text: str, event_id: str) -> bytes:
    message = {"type": "message", "channel": "C0SUPPORT", "channel_type": "channel", "user": "U0LIAM", "ts": ts}
    envelope = {
        "type": "event_callback", "team_id": "T0SANDBOX", "api_app_id": "A0TRIAGE", "event_id": event_id,
        "event_time": int(float(ts)),
        "authorizations": [{"team_id": "T0SANDBOX", "user_id": "U0BOT", "is_bot": True}],
        "event": {**message, "text": text},
    }  # fmt: skip
    return json.dumps(envelope).encode()


def actions_of(message):
    for block in message["blocks"]:
        if block["type"] == "actions":
            for element in block["elements"]:
                yield {**element, "block_id": block["block_id"]}


def test_a_message_is_tagged_answered_and_posted_to_its_teams_channel(sandbox):
    ts = sandbox.write(BILLING)

    reply = sandbox.reply(ts)

    assert all(word in text_of(reply) for word in ("Billing", "Urgency", "Tone"))
    assert sandbox.reactions("C0SUPPORT", ts)["credit_card"] == 1
    assert len(sandbox.posts_about(ts, "C0BILLING")) == 1
    assert sandbox.ledger_rows("C0SUPPORT", ts)


def test_an_urgent_message_mentions_the_people_on_call_in_the_teams_channel(sandbox):
    ts = sandbox.write(TECHNICAL_AND_URGENT)

    sandbox.reply(ts)

    (post,) = sandbox.posts_about(ts, "C0TECH")
    assert "<!subteam^S0ONCALL" in text_of(post)


def test_a_message_written_while_the_classifier_is_down_is_handled_once_it_is_up(sandbox, until):
    sandbox.switch_classifier(on=False)
    try:
        ts = sandbox.write("Please send me a copy of the invoice for October, my accountant needs it")
        delivery = until(lambda: [each for each in sandbox.state()["deliveries"] if each["ts"] == ts], "the delivery")
        until(lambda: sandbox.waiting() >= 1, "the message in the queue")
        answers = [attempt for each in delivery for attempt in each["attempts"]]
    finally:
        sandbox.switch_classifier(on=True)

    sandbox.reply(ts)

    until(lambda: sandbox.waiting() == 0, "an empty queue")
    assert len(answers) <= 1, "Slack had to deliver more than once"
    assert sandbox.reactions("C0SUPPORT", ts) == {"credit_card": 1}
    assert len(sandbox.replies("C0SUPPORT", ts)) == 1
    assert len(sandbox.posts_about(ts, "C0BILLING")) == 1


def test_an_event_delivered_four_times_has_one_effect(sandbox, until):
    ts = sandbox.write("The invoice of last month shows the wrong VAT number, can you correct it?")
    sandbox.reply(ts)
    before = len(sandbox.state()["calls"])

    for number in range(4):
        assert sandbox.deliver(event(ts, "The invoice shows the wrong VAT number", f"Ev{number}")).status_code == 200
    until(lambda: sandbox.waiting() == 0, "an empty queue")

    assert len(sandbox.replies("C0SUPPORT", ts)) == 1
    assert len(sandbox.posts_about(ts, "C0BILLING")) == 1
    assert sandbox.reactions("C0SUPPORT", ts)["credit_card"] == 1
    written = [call for call in sandbox.state()["calls"][before:] if call["method"].startswith(("chat.post", "reac"))]
    assert written == []


def test_classify_answers_only_the_person_who_asked(sandbox, until):
    sandbox.command(BILLING)

    def answers():
        seen = [text_of(each) for each in sandbox.channel("C0LEADS")["ephemerals"] if each["visible_to"] == "U0ANNA"]
        return [text for text in seen if "Billing" in text]

    assert "Tone" in until(answers, "the answer to /classify")[0]
    assert sandbox.channel("C0LEADS")["messages"] == []


def test_a_correction_edits_the_reply_and_moves_the_message_to_the_right_team(sandbox, until):
    ts = sandbox.write("The refund for my last payment has not arrived on my credit card yet")
    reply = sandbox.reply(ts)
    button = next(each for each in actions_of(reply) if "Technical" in text_of(each) and each["type"] == "button")

    sandbox.press(reply, button)

    until(lambda: sandbox.posts_about(ts, "C0TECH"), "the post in the right channel")
    edited = until(lambda: [each for each in sandbox.replies("C0SUPPORT", ts) if "U0ANNA" in text_of(each)], "the edit")
    assert [each["ts"] for each in edited] == [reply["ts"]], "the reply is edited in place"
    assert len(sandbox.replies("C0SUPPORT", ts)) == 1


def test_what_was_posted_follows_an_edit_and_goes_with_a_deletion(sandbox, until):
    ts = sandbox.write("The receipt for my yearly subscription has the wrong company name on it")
    reply = sandbox.reply(ts)

    sandbox.edit(ts, TECHNICAL_AND_URGENT)
    until(lambda: sandbox.posts_about(ts, "C0TECH"), "the post in the right channel")
    (edited,) = until(lambda: [each for each in sandbox.replies("C0SUPPORT", ts) if "Technical" in each["text"]], "it")
    sandbox.delete(ts)

    until(lambda: not sandbox.replies("C0SUPPORT", ts), "the reply to be gone")
    assert edited["ts"] == reply["ts"], "the reply is edited in place"
    assert "locked out" not in text_of(until(lambda: gone_from(sandbox.channel("C0TECH")), "the note of the deletion"))


def gone_from(channel):
    return [each for each in channel["messages"] if "its author has deleted it" in each["text"]]


def test_small_talk_opens_nothing(sandbox, until):
    ts = sandbox.write("thank you so much!")

    until(lambda: sandbox.ledger_rows("C0SUPPORT", ts), "the reason in the ledger")

    assert "small-talk" in text_of(sandbox.ledger_rows("C0SUPPORT", ts))
    assert (sandbox.replies("C0SUPPORT", ts), sandbox.reactions("C0SUPPORT", ts)) == ([], {})


def test_the_api_gives_the_same_classification_as_the_bot(sandbox):
    answer = sandbox.classify({"body": BILLING}).json()

    ts = sandbox.write(BILLING)

    # Slack's readers see no 100 %, which no classifier can promise.
    confidence = f"{min(99, int(100 * answer['category']['confidence']))}%"
    assert answer["category"]["name"] == "Billing"
    assert f"Billing ({confidence})" in text_of(sandbox.reply(ts))


@pytest.mark.parametrize(
    ("name", "text"),
    [("only emoji", ":tada: :tada:"), ("a NUL", "\x00"), ("punctuation", "?!")],
)
def test_a_message_with_nothing_to_read_is_ignored_with_its_reason_in_the_ledger(sandbox, until, name, text):
    ts = f"{time.time():.6f}"

    assert sandbox.deliver(event(ts, text, f"Ev-{name}")).status_code == 200

    rows = until(lambda: sandbox.ledger_rows("C0SUPPORT", ts), "the ledger's row")
    assert "unreadable" in text_of(rows)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("40,000 characters", "please refund my payment, the invoice is wrong. " * 834),
        ("newlines", "please refund\nmy payment\r\n\r\nthe invoice is wrong"),
        ("a NUL inside", "please refund my\x00payment, the invoice is wrong"),
        ("a label", "__label__technical please refund my payment, the invoice is wrong __label__technical"),
    ],
)
def test_a_strange_message_is_handled_like_any_other(sandbox, name, text):
    ts = sandbox.write(text)

    assert "Billing" in text_of(sandbox.reply(ts)), name
