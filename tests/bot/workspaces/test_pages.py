"""What every page is: plain HTML in which every text is text, and which allows nothing else."""

import html
import re

from bot.ui.text.install import PageText
from bot.workspaces.pages import show


def test_a_page_loads_runs_and_keeps_nothing_and_tells_nobody_its_address(browser, browser_at):
    for page in (browser.open("/slack/install"), browser_at(None).open("/slack/install"), browser.come_back("")):
        policy = page.headers["Content-Security-Policy"]

        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["Cache-Control"] == "no-store"
        assert page.headers["X-Content-Type-Options"] == "nosniff"
        assert "<script" not in page.body


def test_whatever_a_page_is_given_to_say_is_text_and_whatever_its_link_leads_to_an_address():
    odd = """<b onload='x'>"&amp;"""

    body = show(200, PageText(odd, (odd,), odd), f"https://example.com/?{odd}")["body"]

    assert "<b " not in body
    assert body.count(html.escape(odd)) == 5  # the title twice, a paragraph, the link and its address
    assert html.unescape(re.search(r'href="([^"]*)"', body)[1]) == f"https://example.com/?{odd}"
