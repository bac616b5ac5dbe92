import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.sandbox.slack.api.block_kit import problems
from bot.slack.blocks import View
from bot.triage.case import Correction
from bot.triage.display import Choice, LabelView, view_facet_results
from bot.ui.reply import Reply, build_reply, read_value


@pytest.fixture
def label_views(facet_results, manifest):
    return view_facet_results(facet_results, manifest)


def headline(view: View) -> str:
    return str(view.blocks[0]["text"]["text"])


def notes(view: View) -> list[str]:
    return [block["elements"][0]["text"] for block in view.blocks if block["type"] == "context"]


def controls(view: View) -> list[dict[str, Any]]:
    return [element for block in view.blocks if block["type"] == "actions" for element in block["elements"]]


def buttons(view: View) -> dict[str, str]:
    return {each["text"]["text"]: each["value"] for each in controls(view) if each["type"] == "button"}


def menu(view: View) -> dict[str, list[str]]:
    return {
        group["label"]["text"]: [option["value"] for option in group["options"]]
        for each in controls(view)
        if each["type"] == "static_select"
        for group in each["option_groups"]
    }


def test_a_message_that_was_sent_on_says_what_it_is_and_where_it_went(label_views):
    view = build_reply(Reply(label_views, "automatic", "C0BILLING"))

    assert headline(view) == "*Billing*, sent to <#C0BILLING>."
    assert notes(view) == ["Category Billing (94%) · Urgency High (88%) · Tone perhaps Negative (55%)"]


def test_one_tap_corrects_the_category_and_a_menu_the_rest(label_views):
    view = build_reply(Reply(label_views, "automatic", "C0BILLING"))

    assert buttons(view) == {"Technical instead": "category=technical", "General instead": "category=general"}
    assert menu(view) == {"Urgency": ["urgency=normal", "urgency=low"], "Tone": ["tone=neutral", "tone=positive"]}


def test_a_category_without_a_channel_says_that_it_stays(label_views):
    assert (
        headline(build_reply(Reply(label_views, "automatic"))) == "*Billing*. It stays here: no channel is set for it."
    )


def test_a_message_that_could_not_be_sent_on_says_why(label_views):
    view = build_reply(Reply(label_views, "automatic", "C0BILLING", problem="is_archived"))

    assert headline(view) == "*Billing*, but I could not send it to <#C0BILLING>: that channel is archived."


def test_a_suggestion_waits_for_a_yes(label_views):
    view = build_reply(Reply(label_views, "suggest", "C0BILLING"))

    assert headline(view) == "This looks like *Billing*. Shall I send it to <#C0BILLING>?"
    assert list(buttons(view)) == ["Yes, Billing", "Technical instead", "General instead"]
    assert controls(view)[0]["style"] == "primary"


def test_when_unsure_it_asks_and_claims_nothing(label_views):
    view = build_reply(Reply(label_views, "ask"))

    assert headline(view) == "I am not sure: is this *Billing* or *Technical*?"
    assert list(buttons(view)) == ["Billing", "Technical", "General"]


def test_a_correction_says_who_changed_what(label_views):
    correction = Correction(1, "urgency", "normal", "high", "U0ANNA", 1, "model-1")

    view = build_reply(Reply(label_views, "automatic", "C0BILLING", correction=correction))

    assert notes(view)[1] == "<@U0ANNA> changed the urgency from Normal to High."


def test_a_confirmation_is_called_one(label_views):
    correction = Correction(1, "category", "billing", "billing", "U0ANNA", 1, "model-1")

    view = build_reply(Reply(label_views, "suggest", "C0BILLING", correction=correction))

    assert notes(view)[1] == "<@U0ANNA> confirmed the category."


def test_once_a_person_has_answered_a_question_it_is_settled(label_views):
    answered = (
        LabelView("category", "Category", "technical", "Technical", None, True, label_views[0].choices),
        *label_views[1:],
    )

    view = build_reply(Reply(answered, "ask", "C0TECH"))

    assert headline(view) == "*Technical*, sent to <#C0TECH>."
    assert notes(view)[0].startswith("Category Technical (set by a person)")
    assert list(buttons(view)) == ["Billing instead", "General instead"]


def test_of_many_categories_the_likeliest_have_buttons_and_the_others_are_in_the_menu():
    choices = tuple(Choice(f"topic{number}", f"Topic {number}", 0.01) for number in range(77))
    label_view = LabelView("topic", "Topic", "topic0", "Topic 0", 0.3, False, choices)

    view = build_reply(Reply((label_view,), "ask"))

    assert list(buttons(view)) == ["Topic 0", "Topic 1", "Topic 2"]
    assert len(menu(view)["Topic"]) == 74


def test_messages_that_are_read_together_are_named_and_can_be_split(label_views):
    view = build_reply(Reply(label_views, "automatic", "C0BILLING", parts=2))

    assert "Read together with the next 2 messages by the same author." in notes(view)
    assert controls(view)[-1]["text"]["text"] == "Split them"
    assert "Split them" not in str(build_reply(Reply(label_views, "automatic", "C0BILLING")).blocks)


def test_a_display_name_cannot_ping_anybody(label_views):
    mean = Choice("x", "<!channel>", 0.9)
    label_view = LabelView("category", "Category", "x", "<!channel>", 0.9, True, (mean, label_views[0].choices[0]))

    view = build_reply(Reply((label_view,), "automatic"))

    texts = [view.text, headline(view), *notes(view)]
    assert not any("<!channel>" in text for text in texts)


def test_a_taxonomy_with_one_label_has_nothing_to_correct():
    label_view = LabelView("topic", "Topic", "only", "Only", 1.0, True, (Choice("only", "Only", 1.0),))

    assert [block["type"] for block in build_reply(Reply((label_view,), "automatic")).blocks] == ["section", "context"]


def test_the_value_of_a_control_says_facet_and_label():
    assert read_value("category=a=b") == ("category", "a=b")


@st.composite
def some_readings(draw):
    texts = st.text(st.characters(exclude_categories=["Cs", "Zs", "Cc"]), min_size=1, max_size=300)
    choices = tuple(
        Choice(name, draw(texts), draw(st.floats(0, 1)))
        for name in draw(st.lists(texts, min_size=1, max_size=130, unique=True))
    )
    label = draw(st.sampled_from(choices))
    confidence = draw(st.none() | st.floats(0, 1))
    return LabelView(draw(texts), draw(texts), label.name, label.display, confidence, draw(st.booleans()), choices)


@given(st.lists(some_readings(), min_size=1, max_size=4), st.sampled_from(["automatic", "suggest", "ask"]))
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_slack_takes_the_reply_for_any_taxonomy(label_views, outcome):
    correction = Correction(1, label_views[0].facet, label_views[0].label, label_views[0].label, "U0ANNA", 1, "m")

    view = build_reply(Reply(tuple(label_views), outcome, "C0BILLING", correction=correction))

    assert problems(json.loads(json.dumps(view.blocks))) == []
    assert len(view.text) <= 4_000
