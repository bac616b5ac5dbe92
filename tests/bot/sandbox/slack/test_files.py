"""Uploaded files: their file object, and their content for the bot's token."""

import base64

import httpx2


def upload(slack, content=b"version: 1", name="policy.yml"):
    return slack.do("files", name=name, content=base64.b64encode(content).decode())


def fetch(file, token="xoxb-of-the-tests"):
    return httpx2.get(file["url_private"], headers={"authorization": f"Bearer {token}"})


def test_an_uploaded_file_is_described_as_slack_does_and_read_with_the_bots_token(slack):
    file = upload(slack).json()

    assert (file["name"], file["size"], file["user"]) == ("policy.yml", 10, "U0MAYA")
    assert fetch(file).content == b"version: 1"


def test_without_the_token_a_file_redirects_to_the_login(slack):
    answer = fetch(upload(slack).json(), token="xoxb-of-another-app")

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
