"""What the page shows when there is no answer."""

import pytest
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def classify(page: Page, text: str = "Our checkout is down") -> None:
    page.get_by_label("Customer message").fill(text)
    page.get_by_role("button", name="Classify").click()


def expect_notice(page: Page, heading: str, advice: str) -> None:
    notice = page.locator("#notice")
    expect(notice.get_by_role("heading")).to_have_text(heading)
    expect(notice).to_contain_text(advice)
    expect(notice).to_be_visible()


def test_an_empty_box_asks_for_a_message_and_makes_no_request(demo, site):
    classify(demo, "  \n ")

    expect_notice(demo, "There is no message yet", "Type one, paste one, or pick an example.")
    assert site.api.asked == []


@pytest.mark.parametrize(
    ("status", "message", "heading"),
    [
        (400, "There is no text.", "The server did not accept this request"),
        (413, "20,000 characters at most.", "This message is too long"),
        (422, "There is no word in it.", "There is nothing to read in this message"),
        (429, "More than 50 a second.", "Too many messages at once"),
        (500, "Reference 4711.", "Something went wrong on the server"),
        (502, "The classifier refused the text.", "Something went wrong on the server"),
        (503, "The endpoint is being made.", "The classifier is not available right now"),
    ],
)
def test_a_refusal_is_shown_with_the_servers_message(demo, site, status, message, heading):
    site.api.refuse(status, message)

    classify(demo)

    expect_notice(demo, heading, message)


@pytest.mark.parametrize(("seconds", "advice"), [("1", "Try again in 1 second."), ("30", "Try again in 30 seconds.")])
def test_the_retry_after_of_the_server_is_shown(demo, site, seconds, advice):
    site.api.refuse(503, "The endpoint is being made.", retry_after=seconds)

    classify(demo)

    expect_notice(demo, "The classifier is not available right now", f"The endpoint is being made. {advice}")


def test_a_refusal_of_the_gateway_is_shown(demo, site):
    site.api.reply(429, '{"message": "Limit Exceeded"}')

    classify(demo)

    expect_notice(demo, "Too many messages at once", "Limit Exceeded")


def test_a_refusal_without_a_message_gets_the_usual_advice(demo, site):
    site.api.reply(503, "<html>upstream</html>")

    classify(demo)

    expect_notice(demo, "The classifier is not available right now", "Your message is still here")


@pytest.mark.parametrize(
    "body",
    [
        "<html>Hello</html>",
        "",
        "null",
        "[]",
        '"Artist"',
        '{"category": {"label": "a", "name": "A", "confidence": 1, "alternatives": []}}',
        '{"category": {"label": "a", "name": "A", "confidence": "high", "alternatives": []},'
        ' "decision": {"automatic": true, "reason": ""}, "model": {"version": "1"}}',
    ],
)
def test_an_invalid_answer_is_reported(demo, site, body):
    site.api.reply(200, body)

    classify(demo)

    expect_notice(demo, "The server's answer is not valid", "Check the address in config.json.")


def test_a_failure_takes_the_older_result_away(demo, site):
    classify(demo)
    expect(demo.locator("#headline p")).to_be_visible()
    site.api.refuse(503, "The endpoint is being made.")

    classify(demo, "something else")

    expect(demo.locator("#notice")).to_be_visible()
    expect(demo.locator("#headline p")).to_be_hidden()


def test_trying_again_asks_for_the_same_message(stopped, site):
    site.api.refuse(503, "The endpoint is being made.")
    classify(stopped, "please help")
    expect(stopped.locator("#notice")).to_be_visible()
    site.api.recover()

    stopped.get_by_role("button", name="Try again").click()

    expect(stopped.locator("#headline p")).to_have_text("Technical 86%")
    expect(stopped.locator("#notice")).to_be_hidden()
    assert site.api.asked == ["please help"]


def test_trying_again_is_not_offered_where_it_cannot_help(demo, site):
    site.api.refuse(422, "There is no word in it.")

    classify(demo, "🎉")

    expect(demo.locator("#notice")).to_be_visible()
    expect(demo.get_by_role("button", name="Try again")).to_be_hidden()


def test_a_server_that_is_down_is_reported(demo):
    demo.route("**/blazingtext", lambda route: route.abort("connectionrefused"))

    classify(demo)

    expect_notice(demo, "The server cannot be reached", "Your message is still here.")


def test_a_message_written_offline_is_classified_when_the_connection_is_back(demo):
    demo.context.set_offline(True)
    classify(demo)
    expect_notice(demo, "You are offline", "as soon as the connection is back")

    demo.context.set_offline(False)

    expect(demo.locator("#headline p")).to_have_text("Technical 86%")


def test_a_slow_answer_is_announced_and_then_times_out(stopped, site):
    site.api.hold("slow")
    with stopped.expect_request("**/blazingtext"):
        classify(stopped, "slow")

    stopped.clock.run_for(3_000)
    expect_notice(stopped, "Still waiting for the classifier", "can take several seconds")
    expect(stopped.locator("#stage")).to_have_attribute("aria-busy", "true")

    stopped.clock.run_for(27_000)
    expect_notice(stopped, "The classifier did not answer in time", "Your message is still here.")
    expect(stopped.locator("#stage")).to_have_attribute("aria-busy", "false")


def test_the_notice_about_a_slow_answer_goes_when_it_arrives(stopped, site):
    answer = site.api.hold("slow")
    with stopped.expect_request("**/blazingtext"):
        classify(stopped, "slow")
    stopped.clock.run_for(3_000)
    expect(stopped.locator("#notice")).to_be_visible()

    answer.set()

    expect(stopped.locator("#headline p")).to_be_visible()
    expect(stopped.locator("#notice")).to_be_hidden()


def test_an_emptied_box_takes_the_failure_away(demo, site):
    site.api.refuse(422, "There is no word in it.")
    classify(demo, "?!")
    expect(demo.locator("#notice")).to_be_visible()

    demo.get_by_label("Customer message").fill("")

    expect(demo.locator("#notice")).to_be_hidden()


@pytest.mark.parametrize("body", ["<html>Hello</html>", '{"facets": 3}', '{"facets": [null], "model": {}}'])
def test_invalid_labels_are_reported(site, open_page, body):
    site.api.reply(200, body, route="GET /labels")
    page = open_page()

    page.goto(site.url)

    expect_notice(page, "The server's answer is not valid", "Check the address in config.json.")


def test_a_page_opened_while_the_server_was_down_recovers(site, open_page):
    site.api.reply(503, "", route="GET /labels")
    page = open_page()
    page.goto(site.url)
    expect_notice(page, "The classifier is not available right now", "Your message is still here")
    site.api.recover()

    page.get_by_role("button", name="Try again").click()

    expect(page.get_by_text("What this model recognises")).to_be_visible()
    expect(page.locator("#notice")).to_be_hidden()


@pytest.mark.parametrize("content", [None, "{", "[]", "null", '{"apiUrl": "https://["}'])
def test_missing_or_damaged_settings_are_named(site, open_page, content):
    page = open_page()
    page.route(
        "**/config.json", lambda route: route.fulfill(status=200 if content else 404, body=content or "not found")
    )

    page.goto(site.url)

    expect_notice(page, "This page is not set up yet", "config.json, is missing or damaged")
