import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack import mrkdwn
from classifier_infra.model.text import plain


@given(st.text())
def test_escaped_text_contains_nothing_slack_reads_as_a_reference(text):
    assert not set("<>") & set(mrkdwn.escape(text))


@pytest.mark.parametrize(
    ("target", "mention"), [("here", "<!here>"), ("S0ONCALL", "<!subteam^S0ONCALL>"), ("U0ANNA", "<@U0ANNA>")]
)
def test_a_mention_is_written_for_whom_it_is(target, mention):
    assert mrkdwn.mention(target) == mention


def test_the_words_of_rich_text_become_what_the_same_message_has_as_text():
    blocks = [
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [
                        {"type": "user", "user_id": "U0ANNA"},
                        {"type": "text", "text": " why is 1 < 2 & "},
                        {"type": "link", "url": "https://example.com/a", "text": "this"},
                        {"type": "text", "text": " down "},
                        {"type": "emoji", "name": "sob"},
                    ],
                },
                {
                    "type": "rich_text_list",
                    "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "first"}]}],
                },
            ],
        },
        {"type": "section", "text": {"type": "plain_text", "text": "a <b>"}},
        {"type": "divider"},
    ]

    words = mrkdwn.from_blocks(blocks)

    assert words == ("<@U0ANNA> why is 1 &lt; 2 &amp; <https://example.com/a|this> down :sob:\nfirst\na &lt;b&gt;")
    assert plain(words) == "@someone why is 1 < 2 & this down 😭\nfirst\na <b>"


json_values = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["type", "text", "elements", "name"]), inner),
)


@given(json_values)
def test_blocks_of_any_shape_are_read_or_passed_over(blocks):
    assert isinstance(mrkdwn.from_blocks(blocks), str)


def test_blocks_nested_beyond_reason_are_passed_over():
    block: dict = {"type": "text", "text": "deep"}
    for _ in range(5_000):
        block = {"type": "rich_text", "elements": [block]}

    assert mrkdwn.from_blocks([block]) == ""
