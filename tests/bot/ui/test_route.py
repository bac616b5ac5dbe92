import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.sandbox.slack.api.block_kit import problems
from bot.triage.display import view_facet_results
from bot.ui.posts import Routed, build_moved, build_route
from bot.ui.text import thread as thread_text

LINK = "https://example.slack.com/archives/C0SUPPORT/p1700000000000100"


@pytest.fixture
def routed(facet_results, manifest):
    """Build what is sent on; name only what the test is about."""

    def build(**changes: Any) -> Routed:
        values = {
            "label_views": view_facet_results(facet_results, manifest),
            "author": "U0MAYA",
            "origin": "C0SUPPORT",
            "text": "I was charged twice",
            "permalink": LINK,
        }
        return Routed(**values | changes)

    return build


def test_the_team_sees_who_wrote_what_where(routed):
    headline, quote, note = build_route(routed()).blocks

    assert headline["text"]["text"] == "*Billing* from <@U0MAYA> in <#C0SUPPORT>"
    assert quote["text"]["text"] == "I was charged twice"
    assert note["elements"][0]["text"].endswith(f"· <{LINK}|Open the thread>")


def test_who_must_know_is_mentioned_first(routed):
    view = build_route(routed(mentioned=("S0ONCALL",), urgent=True))

    assert view.blocks[0]["text"]["text"].startswith("<!subteam^S0ONCALL> *Urgent:* *Billing*")


def test_a_customers_mention_pings_nobody(routed):
    view = build_route(routed(text="<!channel> @channel fix this"))

    quote = view.blocks[1]["text"]
    assert quote == {"type": "plain_text", "text": "<!channel> @channel fix this", "emoji": False}
    assert "<!channel>" not in view.text
    assert all(block["text"]["verbatim"] for block in view.blocks if block.get("text", {}).get("type") == "mrkdwn")


def test_a_long_message_is_cut_and_says_where_the_rest_is(routed):
    quote = build_route(routed(text="word " * 4_000)).blocks[1]["text"]["text"]

    assert quote.endswith(thread_text.REST_IN_THREAD)


def test_a_message_that_is_gone_is_called_so(routed):
    view = build_route(routed(author=None, text=""))

    assert view.blocks[0]["text"]["text"] == "*Billing* in <#C0SUPPORT>"
    assert view.blocks[1]["text"]["text"] == thread_text.MESSAGE_GONE


def test_a_post_that_was_moved_says_by_whom_and_where_to(facet_results, manifest):
    technical = view_facet_results(facet_results, manifest)[0]

    assert build_moved("U0ANNA", technical, "C0TECH", LINK).text == (
        "<@U0ANNA> moved this to <#C0TECH>: it is about Billing."
    )
    assert build_moved("U0ANNA", technical, None, LINK).text == "<@U0ANNA> took this back: it is about Billing."


@given(st.text(st.characters(exclude_categories=["Cs"])))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_slack_takes_any_customers_text(routed, text):
    view = build_route(routed(text=text))

    assert problems(json.loads(json.dumps(view.blocks))) == []
