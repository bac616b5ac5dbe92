"""Typed text in the form in which apps receive it."""

import pytest

from bot.sandbox.slack.composer import compose
from bot.sandbox.slack.seed import build_workspace


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        ("Where is my invoice?", "Where is my invoice?"),
        ("a < b && c > d", "a &lt; b &amp;&amp; c &gt; d"),
        ("<!channel> look", "&lt;!channel&gt; look"),
        ("see https://example.com/a?b=1&c=2.", "see <https://example.com/a?b=1&amp;c=2>."),
        ("write to maya@example.com, please", "write to <mailto:maya@example.com|maya@example.com>, please"),
        ("@anna can you look?", "<@U0ANNA> can you look?"),
        ("@on-call @here", "<!subteam^S0ONCALL|@on-call> <!here>"),
        ("moved to #team-billing", "moved to <#C0BILLING|team-billing>"),
        ("@nobody in #nowhere", "@nobody in #nowhere"),
        ("not again 😡 ❤️", "not again :rage: :heart:"),
        ("  two\nlines  ", "two\nlines"),
    ],
)
def test_typed_text_becomes_mrkdwn(typed, sent):
    assert compose(typed, build_workspace()) == sent
