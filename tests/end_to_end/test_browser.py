"""The main job as a person does it: in a browser, through the Slack page and the demo page of the sandbox."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

pytestmark = [pytest.mark.browser, pytest.mark.stack]

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
MESSAGE = "The invoice of this month charges my card twice, please refund the second payment"


@pytest.fixture
def page(browser):
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    page = context.new_page()
    page.set_default_timeout(15_000)
    yield page
    context.close()


def keep_picture(page: Page, name: str) -> None:
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def test_a_customer_writes_and_sees_the_answer_the_tag_and_the_post_to_the_team(sandbox, page):
    page.goto(sandbox.slack)
    page.get_by_role("textbox", name="Message #").fill(MESSAGE)
    page.keyboard.press("Enter")
    written = page.get_by_role("log", name="Messages", exact=True).get_by_role("article").filter(has_text=MESSAGE).last
    written.get_by_role("button", name=re.compile("1 reply")).click()

    thread = page.get_by_role("complementary", name="Thread")
    expect(thread).to_contain_text("Billing, sent to #team-billing")
    expect(thread).to_contain_text(re.compile(r"Category .*Urgency .*Tone "))
    keep_picture(page, "thread")
    thread.get_by_role("link", name="#team-billing").click()

    expect(page.get_by_role("heading", name="team-billing")).to_be_visible()
    expect(page.get_by_role("log", name="Messages", exact=True)).to_contain_text(MESSAGE)
    keep_picture(page, "team-channel")


def test_a_correction_in_the_thread_moves_the_message(sandbox, page):
    ts = sandbox.write("Please refund my last payment, the invoice was already paid by bank transfer")
    sandbox.reply(ts)
    page.goto(f"{sandbox.slack}/#C0SUPPORT/{ts}")
    thread = page.get_by_role("complementary", name="Thread")

    thread.get_by_role("button", name="Technical instead").click()

    expect(thread).to_contain_text("Technical, sent to #team-technical")
    expect(thread).to_contain_text("changed the category from Billing to Technical")
    keep_picture(page, "correction")


def test_the_demo_page_gives_the_classification_that_the_bot_gave(sandbox, page):
    ts = sandbox.write(MESSAGE)
    said = sandbox.reply(ts)["text"]
    page.goto(sandbox.gateway)

    page.get_by_label("Customer message").fill(MESSAGE)
    page.get_by_role("button", name="Classify").click()

    headline = page.locator("#headline p")
    expect(headline).to_contain_text(re.compile(r"Billing \d+"))
    percentage = re.search(r"Billing\s+(\d+)", headline.inner_text())
    assert percentage is not None
    assert f"Billing ({min(99, int(percentage[1]))}%)" in said
    keep_picture(page, "demo-page")
