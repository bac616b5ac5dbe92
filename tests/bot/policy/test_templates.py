import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.policy.templates import facets_of, find_fault
from bot.ui.reply import render

VALUES = {"author": "<@U0MAYA>", "destination": "<#C0BILLING>", "label:category": "Billing &amp; tax"}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Thank you.", "Thank you."),
        (
            "Hi {author}, *{label:category}* went to {destination}.",
            "Hi <@U0MAYA>, *Billing &amp; tax* went to <#C0BILLING>.",
        ),
        ("<!channel> & <https://example.com|me>", "&lt;!channel&gt; &amp; &lt;https://example.com|me&gt;"),
        ("{author}{author}", "<@U0MAYA><@U0MAYA>"),
    ],
)
def test_placeholders_are_filled_in_and_references_are_escaped(template, text):
    assert find_fault(template) is None
    assert render(template, VALUES) == text


def test_a_template_without_a_value_for_a_placeholder_is_not_rendered():
    assert render("{assignee} has it.", VALUES) is None


@pytest.mark.parametrize(
    ("template", "fault"),
    [
        (" ", "a reply needs some text"),
        ("{autor}", "`{autor}` is unknown; it can be {author}, {destination}, {assignee} or {label:FACET}"),
        ("{author.__class__}", "`{author.__class__}` is unknown"),
        ("{0}", "`{0}` is unknown"),
        ("{}", "`{}` is unknown"),
        ("{label:}", "`{label:}` is unknown"),
        ("{author", "a brace stands alone"),
        ("a }", "a brace stands alone"),
        ("{{author}}", "a brace stands alone"),
        ("x" * 1_001, "a reply has at most 1000 characters"),
    ],
)
def test_an_invalid_template_is_refused(template, fault):
    assert str(find_fault(template)).startswith(fault)


def test_the_facets_of_a_template_are_listed():
    assert list(facets_of("{label:tone} {author} {label:urgency}")) == ["tone", "urgency"]


@given(st.text(alphabet="{}author:label <>&%$!x"))
def test_any_accepted_template_can_be_rendered_and_mentions_no_one(template):
    if find_fault(template) is None:
        values = dict.fromkeys(["author", "destination", "assignee"], "someone")
        values |= {f"label:{facet}": "something" for facet in facets_of(template)}

        text = render(template, values)

        assert text is not None
        assert "<" not in text
