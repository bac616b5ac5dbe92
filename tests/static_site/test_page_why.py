"""The explanation: how much each word contributes to the label."""

import re

import pytest
from playwright.sync_api import Page, expect

MARKUP = "<img src=x onerror=throw(1)>"

pytestmark = pytest.mark.browser


def classify(page: Page, text: str) -> None:
    page.get_by_label("Customer message").fill(text)
    page.get_by_role("button", name="Classify").click()
    expect(page.locator("#headline p")).to_be_visible()


def ask_why(page: Page) -> None:
    """Open the explanation with the keyboard."""
    page.get_by_text("Why Technical?").focus()
    page.keyboard.press("Enter")


def rows(page: Page) -> list[str]:
    expect(page.locator("#why li").first).to_be_visible()
    return [" ".join(row.split()) for row in page.locator("#why li").all_inner_texts()]


def test_the_words_are_listed_with_what_they_add_the_strongest_first(demo):
    classify(demo, "checkout is not working")

    ask_why(demo)

    assert rows(demo) == [
        "checkout +0.80 counts for it",
        "working −0.70 counts against it",
        "not +0.30 counts for it",
        "is +0.20 counts for it",
    ]
    expect(demo.locator("#why p")).to_have_text("Without any words: −0.50. Log-odds: +0.7 doubles the odds.")


def test_the_explanation_is_loaded_only_when_it_is_opened(demo):
    asked = []
    demo.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))

    classify(demo, "checkout is down")
    before = asked.count("explain")
    ask_why(demo)
    rows(demo)

    assert (before, asked.count("explain")) == (0, 1)


def test_a_word_that_the_model_never_saw_is_called_so(demo):
    classify(demo, "ERR4711 again")

    ask_why(demo)

    assert rows(demo)[0].startswith("ERR4711 (new to the model) ")


def test_of_many_words_the_weak_ones_are_added_up(demo):
    classify(demo, "one two three four five six seven eight nine ten")

    ask_why(demo)

    assert len(rows(demo)) == 8
    expect(demo.locator("#why p")).to_contain_text("2 other words: +0.60.")


def test_while_it_is_open_it_follows_the_message(demo):
    classify(demo, "checkout is down")
    ask_why(demo)
    rows(demo)

    classify(demo, "printer broken")

    expect(demo.locator("#why li").first).to_contain_text("printer")


def test_markup_in_a_message_stays_text(demo):
    classify(demo, f"hello {MARKUP}")

    ask_why(demo)
    rows(demo)

    expect(demo.locator("#why img")).to_have_count(0)
    expect(demo.locator("#why")).to_contain_text("onerror=throw(1)>")


def test_a_model_that_is_too_large_to_explain_leaves_the_answer_standing(demo, site):
    site.api.reply(501, '{"error": {"code": "not_explainable", "message": "It is too large."}}', "POST /explain")
    classify(demo, "checkout is down")

    ask_why(demo)

    expect(demo.locator("#why p")).to_have_text("This model cannot be explained here. It is too large.")
    expect(demo.locator("#headline p")).to_have_text(re.compile("Technical"))


def test_it_fits_a_phone(site, open_page):
    page = open_page(viewport={"width": 320, "height": 640})
    page.goto(site.url)
    expect(page.get_by_text("What this model recognises")).to_be_visible()
    classify(page, f"{'a' * 60} is not working")

    ask_why(page)
    rows(page)

    assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth")
