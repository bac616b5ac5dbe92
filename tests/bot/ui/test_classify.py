import json

import pytest

from bot.sandbox.slack.api.block_kit import problems
from bot.triage.display import view_facet_results
from bot.ui.classify import Assessment, build_answer, build_posted, read_post
from bot.ui.text import commands as command_text


@pytest.fixture
def assess(facet_results, manifest):
    """Build an assessment; name only what the test is about."""
    label_views = view_facet_results(facet_results, manifest)

    def build(**changes):
        values = {"text": "charged twice", "destination": "C0BILLING", "doubt": None, "truncated": False}
        return Assessment(label_views=label_views, **values | changes)

    return build


def test_the_answer_shows_the_text_each_facet_with_bars_why_and_what_would_be_done(assess):
    quote, facets, why, note, _ = build_answer(assess(reasons=("charged", "<twice>")), "U0ANNA").blocks

    assert quote["text"] == {"type": "plain_text", "text": "charged twice", "emoji": False}
    assert facets["fields"][0]["text"] == (
        "*Category*\n▰▰▰▰▰▰▰▰▰▱ 94% Billing\n▱▱▱▱▱▱▱▱▱▱ 4% Technical\n▱▱▱▱▱▱▱▱▱▱ 2% General"
    )
    assert why["elements"][0]["text"] == "Words that point to Billing: “charged”, “&lt;twice&gt;”."
    assert note["elements"][0]["text"] == "I would send this to <#C0BILLING>."


def test_the_same_is_said_in_words_for_who_cannot_see_the_bars(assess):
    assert build_answer(assess(), "U0ANNA").text.startswith("Category Billing (94%) · Urgency High (88%)")


@pytest.mark.parametrize(
    ("destination", "doubt", "said"),
    [
        (None, None, "I would leave this where it is."),
        ("C0BILLING", "below-threshold", "I am not sure enough to act on this: I would ask a person."),
        ("C0BILLING", "unfamiliar", "I know too few of its words to act on this: I would ask a person."),
        ("C0BILLING", "canaries-moved", "I cannot rely on my model just now: I would only suggest this."),
    ],
)
def test_the_answer_says_when_nothing_would_be_sent(assess, destination, doubt, said):
    assert said in build_answer(assess(destination=destination, doubt=doubt), "U0ANNA").text


def test_a_text_that_was_cut_is_called_so(assess):
    assert command_text.CUT_OFF in build_answer(assess(truncated=True), "U0ANNA").text


def test_the_button_carries_where_what_and_the_text_and_asks_before_it_posts(assess):
    [button] = build_answer(assess(text="a = b"), "U0ANNA").blocks[-1]["elements"]

    assert read_post(button["value"]) == ("C0BILLING", "billing", "a = b")
    assert button["confirm"]["text"]["text"] == command_text.post_question("C0BILLING", "U0ANNA")


@pytest.mark.parametrize("changes", [{"destination": None}, {"truncated": True}, {"text": "w" * 2_000}])
def test_without_a_place_or_with_a_text_that_is_too_long_there_is_no_button(assess, changes):
    assert not any(block["type"] == "actions" for block in build_answer(assess(**changes), "U0ANNA").blocks)


def test_what_is_posted_says_for_whom_and_mentions_nobody_else():
    view = build_posted("U0ANNA", "Billing", "<!channel> help")

    assert "<@U0ANNA>" in view.blocks[0]["text"]["text"]
    assert view.blocks[1]["text"]["type"] == "plain_text"
    assert "<!channel>" not in view.text


@pytest.mark.parametrize("text", ["w" * 20_000, "w " * 900])
def test_slack_takes_the_answer_and_the_post_whatever_the_text(assess, text):
    answer = build_answer(assess(text=text, doubt="close-call", reasons=("w" * 300,) * 4), "U0ANNA")

    for view in (answer, build_posted("U0ANNA", "Billing", text)):
        assert problems(json.loads(json.dumps(view.blocks))) == []
