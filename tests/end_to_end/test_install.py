"""A second workspace installs the bot in a browser, is served with its own token, and takes the bot out again."""

import html
import json
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import httpx2
import pytest
from playwright.sync_api import expect

pytestmark = pytest.mark.stack

BILLING = "I was charged twice for my subscription this month, please refund one of the payments"


def links(page: str) -> dict[str, str]:
    return {text: html.unescape(target) for target, text in re.findall(r'<a href="([^"]*)">([^<]*)', page)}


@dataclass(frozen=True)
class Field:
    """The second workspace, and the sandbox around it."""

    sandbox: Any

    @property
    def url(self) -> str:
        return f"{self.sandbox.slack}/workspaces/T1FIELD"

    def begin(self) -> tuple[httpx2.Response, dict[str, str]]:
        """Open the page that offers the bot, and Slack's question; give that, and the browser's cookie."""
        offered = httpx2.get(f"{self.sandbox.gateway}/slack/install", timeout=10).raise_for_status()
        question = httpx2.get(links(offered.text)["Add to Slack"], timeout=10).raise_for_status()
        return question, {"cookie": offered.headers["set-cookie"].partition(";")[0]}

    def install(self, workspace: str = "Field office") -> httpx2.Response:
        question, cookie = self.begin()
        allow = question.url.join(links(question.text)[f"Allow in {workspace}"])
        return httpx2.get(httpx2.get(allow, timeout=10).headers["location"], headers=cookie, timeout=10)

    def do(self, act: str, **fields: Any) -> dict[str, Any]:
        wish = {"channel": "C1SUPPORT", "user": "U1NORA", **fields}
        return httpx2.post(f"{self.url}/sandbox/{act}", json=wish, timeout=10).raise_for_status().json()

    def state(self) -> dict[str, Any]:
        return httpx2.get(f"{self.url}/sandbox/state", timeout=10).raise_for_status().json()

    @property
    def is_installed(self) -> bool:
        return self.state()["settings"]["installed"]

    def leave(self, until: Callable[..., Any]) -> None:
        """Take the bot out, and wait until it has heard of that."""
        self.do("uninstall")
        until(lambda: all(each["state"] == "delivered" for each in self.state()["deliveries"]), "the news of it")
        until(lambda: self.sandbox.waiting() == 0, "an empty queue")

    def replies(self, ts: str) -> list[dict[str, Any]]:
        messages = self.state()["channels"][0]["messages"]
        return [each for each in messages if each.get("thread_ts") == ts and each["ts"] != ts]

    def set_aside(self, ts: str) -> list[str]:
        """Give the reasons with which records about a message were set aside."""
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "eu-central-1"}
        sqs = boto3.client("sqs", endpoint_url=self.sandbox.aws, **keys)
        url = self.sandbox.names["TRIAGE_QUEUE_URL"].replace("TriageQueue", "TriageDeadLetterQueue")
        received = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=1, MessageAttributeNames=["All"]
        )
        messages = [each for each in received.get("Messages", []) if json.loads(each["Body"]).get("ts") == ts]
        return [each["MessageAttributes"]["reason"]["StringValue"] for each in messages]


@pytest.fixture
def field(sandbox, until) -> Iterator[Field]:
    field = Field(sandbox)
    yield field
    if field.is_installed:
        field.leave(until)


def test_an_installed_workspace_is_served_with_its_own_token_and_the_first_one_as_before(field, sandbox, until):
    page = field.install()

    ts = field.do("messages", text=BILLING)["ts"]
    (reply,) = until(lambda: field.replies(ts), "a reply in the second workspace")
    first = sandbox.write(BILLING)

    assert (page.status_code, "Blazing Triage is in Field office" in page.text) == (200, True)
    assert "Billing" in json.dumps(reply)
    assert reply["user"] == "U1BOT"
    assert sandbox.reply(first)["user"] == "U0BOT"


def test_a_workspace_that_takes_the_bot_out_is_gone_and_may_come_back(field, sandbox, until):
    field.install()
    field.leave(until)

    ts = f"{time.time():.6f}"
    message = {"type": "message", "channel": "C1SUPPORT", "channel_type": "channel", "user": "U1NORA", "ts": ts}
    envelope = {"type": "event_callback", "team_id": "T1FIELD", "api_app_id": "A0TRIAGE", "event_id": f"Ev{ts}"}
    late = json.dumps({**envelope, "event": {**message, "text": BILLING}}).encode()
    assert sandbox.deliver(late).status_code == 200
    reasons = until(lambda: field.set_aside(ts), "the record that nobody can act on any more")

    assert [each.partition(":")[0] for each in reasons] == ["WorkspaceUninstalled"]
    assert field.install().status_code == 200


def test_whoever_presses_cancel_has_installed_nothing(field):
    question, cookie = field.begin()

    page = httpx2.get(links(question.text)["Cancel"], headers=cookie, timeout=10)

    assert (page.status_code, "Nothing was installed" in page.text) == (200, True)
    assert not field.is_installed


def test_a_workspace_that_is_not_on_the_list_is_refused(field):
    page = field.install("Sandbox")

    assert page.status_code == 403
    assert "does not serve this workspace" in page.text


@pytest.mark.browser
def test_a_person_installs_it_in_a_browser_once_and_sees_the_bot_answer(field, sandbox, browser):
    page = browser.new_page(locale="en-GB")
    page.set_default_timeout(15_000)
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{sandbox.gateway}/slack/install")

    page.get_by_role("link", name="Add to Slack").click()
    page.get_by_role("link", name="Allow in Field office").click()
    expect(page.get_by_role("heading", name="Blazing Triage is in Field office")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", name="This installation is already finished")).to_be_visible()
    refused = [each for each in said if "Content Security Policy" in each]
    page.goto(f"{field.url}/")
    page.get_by_role("textbox", name="Message #").fill(BILLING)
    page.keyboard.press("Enter")

    messages = page.get_by_role("log", name="Messages", exact=True).get_by_role("article")
    expect(messages.filter(has_text=BILLING).last.get_by_role("button", name=re.compile("1 reply"))).to_be_visible()
    assert refused == []
    page.close()
