import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.policy.editing import edit_route as policy_edit
from bot.policy.parsing.parser import PolicyError, WrittenPolicy, parse_policy

TEXT = """## Ours
version: 1

routes:   # who gets what
    billing: C0BILLING
    technical: C0TECH  # Jonas

unsure: ask
"""


def set_route(text: str, label: str, channel: str | None) -> str:
    return policy_edit.set_route(WrittenPolicy.of(text), label, channel).text


def test_one_line_changes_and_the_rest_stays_as_it_was_written():
    changed = set_route(TEXT, "billing", "C0MONEY")

    assert changed == TEXT.replace("C0BILLING", "C0MONEY")


def test_a_new_route_is_a_line_like_the_others():
    changed = set_route(TEXT, "general", "C0GENERAL")

    assert "    general: C0GENERAL\n" in changed
    assert parse_policy(changed).routes == {"billing": "C0BILLING", "technical": "C0TECH", "general": "C0GENERAL"}


def test_a_route_can_be_removed():
    changed = set_route(TEXT, "technical", None)

    assert parse_policy(changed).routes == {"billing": "C0BILLING"}
    assert set_route(changed, "technical", None) == changed


@pytest.mark.parametrize("rest", ["", "routes:\nunsure: ask\n", "routes:\n#  a: C0\n", "routes: {}  # none yet\n"])
def test_a_first_route_is_added_to_a_policy_without_any(rest):
    changed = set_route(f"version: 1\n{rest}", "billing", "C0BILLING")

    assert parse_policy(changed).routes == {"billing": "C0BILLING"}


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\nroutes: {billing: C0BILLING, technical: C0TECH}\n",
        "version: 1\nroutes: {\n  billing: C0BILLING, technical: C0TECH\n}\n",
        "version: 1\nroutes:\n  billing: &b C0BILLING\n  technical: *b\n",
    ],
)
def test_routes_that_cannot_be_removed_line_by_line_are_left_to_the_author(text):
    with pytest.raises(PolicyError, match="only its author can change"):
        set_route(text, "billing", None)


@pytest.mark.parametrize(
    "text",
    [
        "version: 1\nroutes: {\n  billing: C0BILLING, technical: C0TECH\n}\n",
        "version: 1\nroutes:\n  'billing':\n    C0BILLING  # Jonas\n",
        "version: 1\nroutes: {billing: C0BILLING}",
    ],
)
def test_however_a_route_is_written_only_its_channel_changes(text):
    assert set_route(text, "billing", "C0MONEY").rstrip() == text.replace("C0BILLING", "C0MONEY").rstrip()


def test_a_label_of_any_characters_is_parsed_as_it_was_given():
    changed = set_route(TEXT, "a\x7f\U0001f389", "C0PARTY")

    assert parse_policy(changed).routes["a\x7f\U0001f389"] == "C0PARTY"


LABELS = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20)
CHANNELS = st.none() | st.from_regex(r"C[A-Z0-9]{2,10}", fullmatch=True)


@given(st.lists(st.tuples(LABELS, CHANNELS), max_size=6))
def test_after_any_changes_the_last_one_of_each_label_is_in_force(changes):
    text = TEXT
    for label, channel in changes:
        text = set_route(text, label, channel)

    wanted = {"billing": "C0BILLING", "technical": "C0TECH"} | dict(changes)
    assert parse_policy(text).routes == {label: channel for label, channel in wanted.items() if channel}
