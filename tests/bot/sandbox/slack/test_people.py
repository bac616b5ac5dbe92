"""What users may do on the page, and what its API refuses."""

import httpx2
import pytest


def test_who_is_not_a_member_cannot_write(slack):
    refused = slack.do("messages", channel="C0BILLING", text="hello")

    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "not_in_channel")


def test_messages_of_others_cannot_be_edited_or_deleted(slack):
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
