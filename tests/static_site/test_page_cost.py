"""The page shows the cost of classifying, if it is known."""

import json

import pytest
from playwright.sync_api import expect

from classifier_infra.__main__ import main


@pytest.mark.browser
def test_the_cost_of_each_mode_is_shown_with_the_source_of_the_prices(demo):
    expect(demo.get_by_role("contentinfo")).to_have_text(
        "Cost per 1,000 messages: real-time $1.22 · serverless $0.0027 · embedded under\u00a0$0.0001 "
        "(at 2,000 messages a day; list prices for us-east-1 as of 2026-09-25)"
    )


@pytest.mark.browser
@pytest.mark.parametrize("content", ["{", "{}", '{"modes": {"embedded": {"per_thousand": "<b>"}}}'])
def test_without_valid_figures_no_cost_is_shown(site, open_page, content):
    page = open_page()
    page.route("**/cost.json", lambda route: route.fulfill(body=content))

    page.goto(site.url)

    expect(page.get_by_text("What this model recognises")).to_be_visible()
    expect(page.locator("#cost")).to_be_hidden()


def test_the_figures_are_those_of_the_price_table(site_files, capsys):
    main(["cost", "--messages-a-day", "2000", "--json"])

    assert json.loads((site_files / "cost.json").read_text()) == json.loads(capsys.readouterr().out)
